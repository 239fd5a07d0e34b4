"""What a film is, told without drawing it: everything that its pictures follow from, as one hash."""

import ast
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from simulations.scenario import Scenario
from simulations.scenario_node import CameraSettings
from simulations.site import site_file

_ROOT = Path(__file__).resolve().parent.parent
_OURS = ("simulations", "geo")
_NOT_IN_PICTURES = {
    "name", "title", "title_vi", "story", "purpose", "seeds", "duration_s", "line_sigma_m",
    "person_px_at_line", "needs", "tags", "zone", "camera", "node", "gpsd", "drone",
}  # fmt: skip
_CAMERA_NOT_IN_PICTURES = {"name", "node", "azimuth_error_deg", "pitch_error_deg"}


def film_identity(scenario: Scenario, camera: CameraSettings) -> str:
    """Return SHA-256 over all that the camera's pictures follow from: it changes when they may.

    That is the scenario's world with its seed, the camera and what stands at the others' places,
    the site, a terrain file, the source of the renderer with all that it imports of ours, and the
    versions of numpy and OpenCV.
    """
    told: dict[str, Any] = {
        "world": scenario.model_dump(mode="json", exclude=_NOT_IN_PICTURES),
        "camera": camera.model_dump(mode="json", exclude=_CAMERA_NOT_IN_PICTURES),
        "site": site_sha256(scenario),
        "renderer": source_sha256("simulations.footage", _OURS),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }
    # A picket is painted where another camera stands.
    others = [_place(one) for one in scenario.camera if one.id != camera.id]
    if others:
        told["others"] = others
    if scenario.ground.kind != "flat":
        # Hills follow from the name, and ground reaches as far as anybody stands or flies.
        told["name"] = scenario.name
        told["drones"] = [
            (one.home_along_across_m, one.path_along_across_m) for one in scenario.drone
        ]
    drone = next((one for one in scenario.drone if one.id == camera.id), None)
    if drone is not None:
        # Its pictures follow from the flight, too, and from all that flies it.
        told["drone"] = drone.model_dump(mode="json", exclude={"name"})
        told["renderer"] = source_sha256("simulations.cameras", _OURS)
        told["start"] = scenario.start_utc.isoformat()
    if scenario.ground.dem_file is not None:
        told["dem"] = _digest(Path(scenario.ground.dem_file))
        told["world"]["ground"]["dem_file"] = ""
    return told_sha256(told)


def site_sha256(scenario: Scenario) -> str:
    """Return SHA-256 of the file that says where line and markers lie."""
    return _digest(site_file(scenario.site))


def scenario_sha256(scenario: Scenario) -> str:
    """Return SHA-256 over everything that a scenario says, whatever its file looks like."""
    told = scenario.model_dump(mode="json", exclude={"seed"})
    if scenario.ground.dem_file is not None:
        told["ground"]["dem_file"] = _digest(Path(scenario.ground.dem_file))
    return told_sha256(told)


def _place(camera: CameraSettings) -> tuple[Any, ...]:
    return camera.lon_lat_deg, camera.along_m, camera.across_m, camera.height_m


def told_sha256(told: Mapping[str, Any]) -> str:
    """Return SHA-256 of values as JSON, whatever the order of the keys."""
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@cache
def source_sha256(module: str, packages: tuple[str, ...]) -> str:
    """Return SHA-256 over a module of ours and all that it imports from some packages.

    Comments, docstrings and layout do not count: only what the program does.
    """
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if name in seen or path is None:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        _drop_docstrings(tree)
        seen[name] = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
        waiting += [one for one in _imports(tree) if one.split(".")[0] in packages]
    return told_sha256(seen)


def _file(module: str) -> Path | None:
    base = _ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            # What is imported may be a module of that package, or a name in that module.
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def _drop_docstrings(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
