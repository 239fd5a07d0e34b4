"""What may stand in the repository: the project, and nothing of one machine or one person."""

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LARGEST_BYTES = 1_000_000
LARGE = re.compile(
    r"models/weights/[\w.-]+\.onnx"  # networks: at most 13 MB each
    r"|simulations/sites/[\w/-]+\.pmtiles"  # base maps of demonstration sites
    r"|docs/pictures/[\w-]+\.(png|jpg)"
)
LARGEST_LARGE_BYTES = 13_000_000
# Written in two halves, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.])/(work|root|home/\w+|Users/\w+)/(?!\S*\.\.\.)"),
    "a package registry's host": re.compile(
        "|".join(
            re.escape(left + right)
            for left, right in (
                ("pypi", ".org"),
                ("files.python", "hosted.org"),
                ("registry.npm", "js.org"),
                ("deb.debian", ".org"),
                ("download.py", "torch.org"),
            )
        )
    ),
    "a secret key": re.compile("-----BEGIN " + r"[A-Z ]*PRIVATE" + " KEY-----"),
}
LICENCE_OF_OTHERS = re.compile(r"(^|/)(LICENSE|NOTICE|OFL)[\w.]*$")


def _text(path: Path) -> str | None:
    raw = path.read_bytes()
    if b"\0" in raw[:8192]:
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds_it(what: str, tracked: list[Path], root: Path) -> None:
    """The repository speaks of the project alone and opens no door."""
    found = []
    for path in tracked:
        place = path.relative_to(root).as_posix()
        if LICENCE_OF_OTHERS.search(place):
            continue
        text = _text(path)
        for line, content in enumerate((text or "").splitlines(), 1):
            if FORBIDDEN[what].search(content):
                found.append(f"{place}:{line}: {content.strip()[:100]}")
    assert [] == found


def test_large_files_are_networks_maps_and_pictures(tracked: list[Path], root: Path) -> None:
    """A file over 1 MB needs to be of a kind that has to be so large."""
    places = {path.relative_to(root).as_posix(): path.stat().st_size for path in tracked}
    assert {} == {
        place: size
        for place, size in places.items()
        if size > (LARGEST_LARGE_BYTES if LARGE.fullmatch(place) else LARGEST_BYTES)
    }


def test_every_toml_file_parses(tracked: list[Path]) -> None:
    """A broken example is worse than none."""
    for path in tracked:
        if path.suffix == ".toml":
            assert tomllib.loads(path.read_text(encoding="utf-8")) is not None, path


def test_nothing_built_is_tracked(tracked: list[Path], root: Path) -> None:
    """What `make` builds stays out."""
    built = {".venv", "node_modules", "dist", "static", "__pycache__", ".demo"}
    assert [] == [path for path in tracked if built & set(path.relative_to(root).parts[:-1])]


def test_scripts_can_be_run(root: Path) -> None:
    """Every script that CI and make call has its bit set and says its interpreter."""
    for path in (root / ".ci").iterdir():
        assert path.stat().st_mode & 0o111, path
        assert "#!/usr/bin/env bash" == path.read_text().splitlines()[0]
