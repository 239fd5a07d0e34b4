"""``border-models``: which networks there are, how they are made, how fast and how well they see."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from models.registry import MANIFEST, ModelError, NetworkEntry, Registry, verify

app = typer.Typer(
    help="Detector networks: list, bring in, train, export, time and measure them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_WRONG_INPUT = 2
_FAILED = 1
_THREADS = Annotated[int, typer.Option(help="for one inference; 0 takes every core")]
_JSON = Annotated[bool, typer.Option("--json", help="write JSON to stdout")]
_DATA = Annotated[Path, typer.Option(help="folder of films, thermal pictures and starting weights")]
_NETWORK = Annotated[str, typer.Argument(help="name in the manifest, day, thermal, or a path")]


class Ground(str, Enum):
    """What a network is measured on."""

    film = "film"
    hit_uav = "hit-uav"
    drawn = "drawn"


class Kind(str, Enum):
    """What a network looks at."""

    day = "day"
    thermal = "thermal"


@app.command("list")
def list_networks(
    manifest: Annotated[Path, typer.Option(help="another manifest")] = MANIFEST,
    *,
    as_json: _JSON = False,
) -> None:
    """Show the networks of the manifest, their figures, and whether their files are whole."""
    rows = [_row(entry) for entry in Registry.load(manifest).entries]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for row in rows:
            typer.echo(
                f"{row['name']:<12} {row['spectrum']:<8} {row['size_bytes'] / 1e6:5.1f} MB  "
                f"{row['licence']:<14} {'whole' if row['whole'] else 'DAMAGED OR MISSING'}"
            )
            for figure in row["performance"]:
                typer.echo(
                    f"    {figure['object_class']} {figure['metric']} {figure['value']:.3f} "
                    f"({figure['measured_on']})"
                )
    if not all(row["whole"] for row in rows):
        raise typer.Exit(_FAILED)


@app.command("fetch")
def fetch_network(
    source: Annotated[str, typer.Argument(help="a file, or an http(s) address")],
    folder: Annotated[Path, typer.Option("--to", help="folder for the weights")] = Path(),
    spectrum: Annotated[Kind, typer.Option(help="what it looks at")] = Kind.day,
    sha256: Annotated[str | None, typer.Option(help="needed for a download")] = None,
    names: Annotated[
        Path | None, typer.Option(help="class names, one a line, for files that do not say them")
    ] = None,
    licence: Annotated[str, typer.Option(help="of the weights, SPDX")] = "unknown",
) -> None:
    """Bring in a network of your own: check it, keep it, write its sidecar manifest."""
    from models.fetch import Own, fetch

    class_names = names.read_text("utf-8").split("\n") if names is not None else None
    own = Own(
        spectrum=spectrum.value,
        sha256=sha256,
        class_names=[name.strip() for name in class_names if name.strip()] if class_names else None,
        licence=licence,
    )
    entry = fetch(source, folder, own)
    typer.echo(str(entry.path))
    _say(f"Sidecar written to {entry.path.with_suffix('.toml')}: look at its class map.")


@app.command("train")
def train_network(
    recipe: Annotated[Path, typer.Argument(help="one of models/recipes/*.toml, or your own")],
    data: _DATA = Path("../shared/data"),
    out: Annotated[Path, typer.Option(help="folder for checkpoints and the result")] = Path(
        "build/training"
    ),
) -> None:
    """Fine-tune by a recipe; a run that was cut goes on from its last epoch."""
    from models.recipe import load

    parsed = load(recipe)
    _keep_ultralytics_at_home(out)
    from models.train import train

    done = train(parsed, data=data, out=out, report=_say)
    typer.echo(str(done.weights))


@app.command("export")
def export_network(
    weights: Annotated[Path, typer.Argument(help="trained weights, .pt")],
    out: Annotated[Path | None, typer.Option(help="ONNX file to write")] = None,
    *,
    as_json: _JSON = False,
) -> None:
    """Write trained weights as ONNX, and check that it says the same."""
    target = out or weights.with_suffix(".onnx")
    if not weights.is_file():
        raise ModelError(
            file=weights,
            field="weights",
            value="missing",
            allowed="a .pt file",
            next_step="Train first: `border-models train`.",
        )
    _keep_ultralytics_at_home(target.parent)
    from models.export import export

    done = export(weights, target)
    if as_json:
        facts = {**asdict(done), "path": str(done.path)}
        typer.echo(json.dumps(facts, indent=2))
    else:
        typer.echo(f"{done.path}\nsha256 {done.sha256}\nsize_bytes {done.size_bytes}")


@app.command("bench")
def bench_network(
    network: _NETWORK = "day",
    frame: Annotated[str, typer.Option(help="picture size, WIDTHxHEIGHT")] = "1280x720",
    threads: _THREADS = 0,
    rounds: Annotated[int, typer.Option(min=3, help="Times each part is measured.")] = 30,
    *,
    as_json: _JSON = False,
) -> None:
    """Time a network here: alone, and with letterbox, decoding and suppression around it."""
    from models.bench import bench

    width, _, height = frame.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        _refuse(f"--frame is {frame!r}; allowed: WIDTHxHEIGHT in pixels, such as 1280x720.")
    speed = bench(
        Registry.load().get(network),
        frame_size_px=(int(width), int(height)),
        threads=threads,
        rounds=rounds,
    )
    if as_json:
        typer.echo(json.dumps({**asdict(speed), "frames_per_s": speed.frames_per_s}, indent=2))
    else:
        typer.echo(
            f"{speed.network} on {frame} (input {speed.input_size_px[0]}x{speed.input_size_px[1]}), "
            f"{speed.machine}: network {speed.bare_ms:.1f} ms, whole {speed.whole_ms:.1f} ms "
            f"(p95 {speed.whole_p95_ms:.1f} ms), {speed.frames_per_s:.1f} frames/s"
        )


@app.command("evaluate")
def evaluate_network(
    network: _NETWORK = "day",
    on: Annotated[Ground, typer.Option(help="film with true boxes, HIT-UAV, drawn people")] = (
        Ground.drawn
    ),
    data: _DATA = Path("../shared/data"),
    every: Annotated[int, typer.Option(min=1, help="every n-th frame of the film")] = 10,
    limit: Annotated[int | None, typer.Option(min=1, help="that many pictures of HIT-UAV")] = None,
    threads: _THREADS = 0,
    *,
    as_json: _JSON = False,
) -> None:
    """Measure how well a network sees, through the road that a node uses."""
    from edge.onnx import OnnxDetector
    from models import evaluate

    entry = Registry.load().get(network)
    weakest = 0.001 if on is Ground.hit_uav else evaluate.CONF_THRESHOLD
    detector = OnnxDetector(entry, threads=threads, min_confidence=weakest)
    figures: dict[str, Any] = {"network": entry.name, "sha256": entry.sha256, "on": on.value}
    if on is Ground.film:
        found = evaluate.on_film(
            detector,
            data / "films" / "vtest.avi",
            data / "films" / "PETS09-S2L1" / "gt" / "gt.txt",
            every=every,
            progress=_progress,
        )
        figures["Human"] = found.as_json()
    elif on is Ground.hit_uav:
        for word in ("Human", "Vehicle"):
            thermal = evaluate.on_hit_uav(
                detector, data / "hit-uav", limit=limit, word=word, progress=_progress
            )
            figures[word] = {
                "ap50": thermal.ap50,
                "pictures": thermal.pictures,
                **thermal.found.as_json(),
            }
    else:
        for height_px in _progress((24, 36, 48, 72, 110, 160)):
            found = evaluate.on_drawn(detector, entry.spectrum, height_px=float(height_px))
            figures[f"Human drawn {height_px} px"] = found.as_json()
    detector.close()
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        text = value
        if isinstance(value, dict):
            text = "  ".join(
                f"{key} {number:.3f}" if isinstance(number, float) else f"{key} {number}"
                for key, number in value.items()
            )
        typer.echo(f"{name}: {text}")


def main() -> None:
    """Run the command line; a wrong network, manifest or recipe is said in one line."""
    try:
        app()
    except ModelError as error:
        _refuse(str(error))


def _row(entry: NetworkEntry) -> dict[str, Any]:
    try:
        verify(entry)
        whole = True
    except ModelError as error:
        _say(str(error))
        whole = False
    return {
        "name": entry.name,
        "spectrum": entry.spectrum,
        "size_bytes": entry.size_bytes,
        "sha256": entry.sha256,
        "licence": entry.licence,
        "whole": whole,
        "reports": sorted({word for word in entry.object_classes if word is not None}),
        "performance": [asdict(figure) for figure in entry.performance],
    }


def _progress(items: Sequence[Any]) -> Iterable[Any]:
    from rich.console import Console
    from rich.progress import track

    return track(items, console=Console(stderr=True), description="looking")


def _keep_ultralytics_at_home(out: Path) -> None:
    """Nothing is downloaded or installed behind our back, and its settings stay in our folder."""
    os.environ.setdefault("YOLO_OFFLINE", "1")  # noqa: TID251 - a cli sets a library up
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")  # noqa: TID251
    os.environ.setdefault("YOLO_CONFIG_DIR", str(out.resolve()))  # noqa: TID251


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _refuse(text: str) -> NoReturn:
    _say(text)
    sys.exit(_WRONG_INPUT)


if __name__ == "__main__":
    main()
