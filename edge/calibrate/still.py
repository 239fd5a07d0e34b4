"""A still to read pixels from: with a grid on it, or as a page that is clicked on.

The page needs no server and no network: it is one file with the picture inside, for the laptop or
the phone of whoever stands at the mast.
"""

import base64
import json
from html import escape
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from runtime.errors import AskOperator

Image = npt.NDArray[np.uint8]

_LINE_BGR = (80, 220, 255)
_EDGE_BGR = (20, 20, 20)
_JPEG_QUALITY = 92


def grid_step_px(width_px: int) -> int:
    """Return a round distance of grid lines that gives ten to twenty-five of them."""
    return next((step for step in (20, 25, 50, 100, 200) if width_px / step <= 25), 500)


def with_grid(image: Image, step_px: int) -> Image:
    """Return the picture with lines at whole multiples of the step, each with its number."""
    drawn: Image = image.copy()
    height, width = drawn.shape[:2]
    size = max(0.35, width / 2600)
    for value in range(0, max(width, height), step_px):
        strong = value % (5 * step_px) == 0
        for axis, limit in ((0, width), (1, height)):
            if value >= limit:
                continue
            ends = (
                ((value, 0), (value, height - 1)) if axis == 0 else ((0, value), (width - 1, value))
            )
            over = drawn.copy()
            cv2.line(over, ends[0], ends[1], _LINE_BGR, 1)
            share = 0.55 if strong else 0.28
            drawn = np.asarray(cv2.addWeighted(over, share, drawn, 1 - share, 0), np.uint8)
    for value in range(0, max(width, height), step_px):
        places = [(value + 2, 12), (value + 2, height - 5)] if value < width else []
        places += [(2, value - 3), (width - 40, value - 3)] if 0 < value < height else []
        for place in places:
            for colour, thickness in ((_EDGE_BGR, 3), (_LINE_BGR, 1)):
                cv2.putText(
                    drawn, str(value), place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thickness,
                    cv2.LINE_AA,
                )  # fmt: skip
    return drawn


def write_still(image: Image, path: Path, *, step_px: int, source: str) -> None:
    """Write a picture with a grid (`.jpg`, `.png`), or the page to click on (`.html`).

    Raises:
        AskOperator: another ending, or a path that cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in (".jpg", ".jpeg", ".png", ".html"):
        raise AskOperator(
            field="--output",
            value=str(path),
            allowed="a name that ends in .jpg, .png or .html",
            next_step="choose .jpg for a picture with a grid, .html for a page to click on",
        )
    if suffix == ".html":
        data = _click_page(image, source).encode("utf-8")
    else:
        data = _encoded(with_grid(image, step_px), suffix)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise AskOperator(
            field="--output",
            value=f"{path}: {error.strerror}",
            allowed="a path this user may write",
            next_step="choose another",
        ) from None


def _encoded(image: Image, suffix: str) -> bytes:
    options = [] if suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, data = cv2.imencode(suffix, image, options)
    return bytes(data)


def _click_page(image: Image, source: str) -> str:
    height, width = image.shape[:2]
    picture = base64.b64encode(_encoded(image, ".jpg")).decode("ascii")
    return (
        _PAGE.replace("@SOURCE@", escape(source))
        .replace("@SIZE@", json.dumps([width, height]))
        .replace("@PICTURE@", picture)
    )


_PAGE = """<!doctype html><html lang="vi"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Chọn điểm</title><style>
body { margin: 0; background: #15181c; color: #d5dae1; font: 16px/1.5 "Be Vietnam Pro", "Noto Sans",
  system-ui, sans-serif; }
main { padding: 16px; } h1 { font-size: 20px; margin: 0; } i { font-style: normal; color: #8b95a3; }
#view { overflow: auto; max-height: 66vh; border: 1px solid #39404a; margin: 12px 0; }
#shot { position: relative; } img { display: block; width: 100%; cursor: crosshair; }
.dot { position: absolute; width: 18px; height: 18px; margin: -9px 0 0 -9px; border: 2px solid #f0b429;
  border-radius: 50%; box-sizing: border-box; pointer-events: none; }
.dot::after { content: ""; position: absolute; left: 6px; top: 6px; width: 2px; height: 2px;
  background: #f0b429; }
.dot b { position: absolute; left: 16px; top: -8px; color: #f0b429; text-shadow: 0 0 3px #000; }
button { font: inherit; min-height: 48px; padding: 0 16px; margin: 0 8px 8px 0; color: inherit;
  background: #1c2026; border: 1px solid #39404a; border-radius: 8px; }
table { border-collapse: collapse; } td, th { padding: 4px 8px; text-align: left; }
input { font: inherit; width: 8.5em; min-height: 40px; color: inherit; background: #1c2026;
  border: 1px solid #39404a; border-radius: 4px; }
#now { font-variant-numeric: tabular-nums; min-height: 1.5em; }
</style></head><body><main>
<h1>Chọn điểm trên ảnh <i>Click ground points</i></h1><p><i>@SOURCE@</i></p>
<p>Chạm vào chân mốc trên mặt đất, rồi ghi vĩ độ và kinh độ. <i>Click the foot of a mark on the
ground, then fill in its latitude and longitude; height above the ellipsoid or above the sea.</i></p>
<button id="in">+ Phóng to <i>zoom in</i></button><button id="out">- Thu nhỏ <i>zoom out</i></button>
<button id="save">Lưu points.csv <i>save</i></button><div id="now"></div>
<div id="view"><div id="shot"><img id="img" alt="" src="data:image/jpeg;base64,@PICTURE@"></div></div>
<table><thead><tr><th>tên <i>name</i></th><th>lat</th><th>lon</th><th>alt_hae_m</th><th>alt_msl_m</th>
<th>u_px</th><th>v_px</th><th></th></tr></thead><tbody id="rows"></tbody></table></main><script>
"use strict";
const size = @SIZE@, shot = document.getElementById("shot"), img = document.getElementById("img");
const view = document.getElementById("view"), rows = document.getElementById("rows");
const keys = ["name", "lat", "lon", "alt_hae_m", "alt_msl_m", "u_px", "v_px"];
let zoom = 1, made = 0;
function pixel(event) {
  // (0, 0) is the centre of the first pixel.
  const box = img.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * size[0] - 0.5,
    (event.clientY - box.top) / box.height * size[1] - 0.5];
}
function scale(by) {
  const before = zoom, x = view.scrollLeft + view.clientWidth / 2,
    y = view.scrollTop + view.clientHeight / 2;
  zoom = Math.min(12, Math.max(1, zoom * by));
  shot.style.width = 100 * zoom + "%";
  view.scrollLeft = x * zoom / before - view.clientWidth / 2;
  view.scrollTop = y * zoom / before - view.clientHeight / 2;
}
document.getElementById("in").onclick = () => scale(1.5);
document.getElementById("out").onclick = () => scale(1 / 1.5);
img.onmousemove = (event) => {
  const [u, v] = pixel(event);
  document.getElementById("now").textContent = "u " + u.toFixed(1) + "  v " + v.toFixed(1);
};
img.onclick = (event) => {
  const [u, v] = pixel(event), row = document.createElement("tr"), dot = document.createElement("div");
  made += 1;
  const label = document.createElement("b");
  label.textContent = made;
  dot.className = "dot";
  dot.style.left = 100 * (u + 0.5) / size[0] + "%";
  dot.style.top = 100 * (v + 0.5) / size[1] + "%";
  dot.append(label);
  shot.append(dot);
  for (const key of keys) {
    const cell = document.createElement("td"), field = document.createElement("input");
    field.name = key;
    field.value = key === "name" ? made : key === "u_px" ? u.toFixed(1) : key === "v_px" ? v.toFixed(1) : "";
    cell.append(field);
    row.append(cell);
  }
  const cell = document.createElement("td"), away = document.createElement("button");
  away.textContent = "Xóa";
  away.onclick = () => { row.remove(); dot.remove(); };
  cell.append(away);
  row.append(cell);
  rows.append(row);
};
document.getElementById("save").onclick = () => {
  const quoted = (text) => /[",\\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  const lines = [keys.join(",")];
  for (const row of rows.children)
    lines.push([...row.querySelectorAll("input")].map((field) => quoted(field.value.trim())).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\\n") + "\\n"], { type: "text/csv" }));
  link.download = "points.csv";
  link.click();
};
</script></body></html>
"""
