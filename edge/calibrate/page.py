"""Reports that a lean node can write: one HTML file, Vietnamese first, English beside it.

No script, nothing fetched, no plotting library; it prints on white paper.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from runtime.errors import AskOperator

_STYLE = """
:root { color-scheme: dark light; --ground: #15181c; --panel: #1c2026; --edge: #39404a;
  --text: #d5dae1; --quiet: #8b95a3; --accent: #4cc2b0; --good: #6fcf7f; --warn: #f0b429;
  --bad: #ff5d52; }
@media print { :root { --ground: #fff; --panel: #fff; --edge: #999; --text: #000; --quiet: #444;
  --accent: #00695c; --good: #1b6e2b; --warn: #8a5a00; --bad: #b3140a; } }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 "Be Vietnam Pro", "Noto Sans", "Segoe UI", system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; margin: 0; font-weight: 600; }
h2 { font-size: 18px; margin: 36px 0 10px; font-weight: 600; }
i { font-style: normal; color: var(--quiet); }
p.sub { color: var(--quiet); margin: 4px 0 0; }
p.verdict { border-left: 4px solid var(--accent); padding: 6px 14px; margin: 20px 0; font-size: 17px; }
p.verdict.warn { border-color: var(--warn); } p.verdict.bad { border-color: var(--bad); }
.tiles { display: flex; flex-wrap: wrap; gap: 10px; margin: 20px 0; }
.tile { background: var(--panel); border: 1px solid var(--edge); border-radius: 8px;
  padding: 10px 14px; min-width: 120px; }
.tile b { display: block; font-size: 24px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile span { font-size: 14px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 500; color: var(--quiet); }
th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--edge); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.out td { color: var(--warn); }
pre { background: var(--panel); border: 1px solid var(--edge); border-radius: 8px; padding: 12px;
  overflow-x: auto; }
figure { margin: 12px 0; } figcaption { color: var(--quiet); font-size: 14px; }
svg { max-width: 100%; height: auto; display: block; }
svg text { fill: var(--text); font-size: 12px; } svg .quiet { fill: var(--quiet); }
svg .axis { stroke: var(--edge); fill: none; } svg .mark { fill: var(--accent); }
svg .out { fill: var(--warn); } svg .line { stroke: var(--accent); fill: none; stroke-width: 1.5; }
svg .soft { stroke: var(--quiet); fill: none; stroke-width: 1; stroke-dasharray: 4 3; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The same in both languages."""

    vi: str
    en: str

    @property
    def html(self) -> str:
        """Vietnamese first, English beside it."""
        return f"{escape(self.vi)} <i>{escape(self.en)}</i>"


def words(vi: str, en: str) -> Words:
    """Say something in both languages."""
    return Words(vi=vi, en=en)


def page(title: Words, sub: str, body: Iterable[str]) -> str:
    """Return a whole page."""
    return "\n".join(
        (
            '<!doctype html><html lang="vi"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title.vi)}</title><style>{_STYLE}</style></head><body><main>",
            f"<h1>{title.html}</h1><p class='sub'>{escape(sub)}</p>",
            *body,
            "</main></body></html>",
            "",
        )
    )


def heading(title: Words) -> str:
    """Return a heading."""
    return f"<h2>{title.html}</h2>"


def verdict(said: Words, mark: str = "") -> str:
    """Return the one sentence to read first; mark is empty, `warn` or `bad`."""
    return f'<p class="verdict {mark}">{said.html}</p>'


def tiles(rows: Iterable[tuple[str, Words]]) -> str:
    """Return the figures that a reader asks for first, large."""
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><b>{escape(value)}</b><span>{label.html}</span></div>'
            for value, label in rows
        )
        + "</div>"
    )


def table(
    heads: Sequence[Words], rows: Iterable[Sequence[str]], *, out: Iterable[int] = (), text: int = 1
) -> str:
    """Return a table; the first ``text`` columns are words, the others numbers; rows ``out`` warn."""
    marked = set(out)
    style = ["" if k < text else "n" for k in range(len(heads))]
    parts = ['<div class="wide"><table><thead><tr>']
    parts += [f'<th class="{s}">{h.html}</th>' for h, s in zip(heads, style, strict=True)]
    parts.append("</tr></thead><tbody>")
    for number, cells in enumerate(rows):
        parts.append('<tr class="out">' if number in marked else "<tr>")
        parts += [f'<td class="{s}">{escape(c)}</td>' for c, s in zip(cells, style, strict=True)]
        parts.append("</tr>")
    parts.append("</tbody></table></div>")
    return "".join(parts)


def code(text: str) -> str:
    """Return text to copy."""
    return f"<pre>{escape(text)}</pre>"


def figure(svg: str, caption: Words) -> str:
    """Return a drawing with what it shows."""
    return f"<figure>{svg}<figcaption>{caption.html}</figcaption></figure>"


def notes(lines: Iterable[Words]) -> str:
    """Return a list of sentences; nothing without any."""
    items = "".join(f"<li>{line.html}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def write(path: Path, text: str) -> None:
    """Write a report, with its folder.

    Raises:
        AskOperator: this user may not write there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AskOperator(
            field=str(path),
            value=error.strerror,
            allowed="a path this user may write",
            next_step="choose another path with --report",
        ) from None
