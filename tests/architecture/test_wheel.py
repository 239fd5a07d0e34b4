"""What we ship installs in a clean environment, and starts there."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(root: Path, tracked: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the tracked files and the page, in a folder of its own."""
    page = root / "ground_station" / "static"
    assert (page / "index.html").is_file(), "build the page first: make page"
    source = tmp_path_factory.mktemp("source")
    for path in tracked:
        aim = source / path.relative_to(root)
        aim.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, aim)
    shutil.copytree(page, source / "ground_station" / "static", dirs_exist_ok=True)
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, source)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def station(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment with the wheel and its extra `ground` alone; the folder of programs."""
    folder = tmp_path_factory.mktemp("station")
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    _run(programs / "python", "-m", "pip", "install", "-q", f"{wheel}[ground]")
    return programs


def test_wheel_holds_what_runs_at_a_post(wheel: Path, tracked: list[Path], root: Path) -> None:
    """Page, networks, sites, migrations and board profiles travel with the code."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "ground_station/static/index.html" in names
    data = {
        path.relative_to(root).as_posix()
        for path in tracked
        if path.suffix in {".onnx", ".pmtiles", ".geojson", ".toml", ".py"}
        and path.relative_to(root).parts[0]
        in {"wire", "geo", "runtime", "hardware", "models", "edge", "ground_station", "simulations"}
        and not {"web", "cpu_torchvision"} & set(path.relative_to(root).parts)
    }
    assert data
    assert set() == data - names


def test_wheel_holds_no_tests_and_no_documents(wheel: Path) -> None:
    """Our folders alone are installed; nobody's `tests` or `docs` is shadowed."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {
        "edge",
        "geo",
        "ground_station",
        "hardware",
        "models",
        "runtime",
        "simulations",
        "wire",
    } == {top for top in tops if not top.endswith(".dist-info")}


def test_station_starts_without_the_detector(station: Path, tmp_path: Path) -> None:
    """`border-ground` needs no torch, no OpenCV and no network runtime."""
    installed = _run(station / "python", "-m", "pip", "list", "--format=freeze").lower()
    assert not {"torch", "ultralytics", "opencv-python", "onnxruntime"} & {
        line.partition("==")[0] for line in installed.splitlines()
    }
    assert "check-config" in _run(station / "border-ground", "--help", cwd=tmp_path)


def test_installed_packages_agree(station: Path) -> None:
    """Nothing asks for what another one forbids."""
    _run(station / "python", "-m", "pip", "check")
