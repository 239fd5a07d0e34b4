"""What the architecture tests look at: tracked files and their syntax trees."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = (
    "wire",
    "geo",
    "runtime",
    "hardware",
    "models",
    "edge",
    "ground_station",
    "simulations",
)
PRODUCTION = PACKAGES[:-1]


@dataclass(frozen=True)
class Module:
    """One Python file of ours."""

    path: Path

    @property
    def place(self) -> str:
        """Path from the root, such as `edge/onnx.py`."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def name(self) -> str:
        """Dotted name, such as `edge.onnx`."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text)))

    @cached_property
    def imports(self) -> frozenset[str]:
        """Dotted names of everything imported, at any depth of the file."""
        found = set()
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        return frozenset(found)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def tracked(root: Path) -> list[Path]:
    """Every file that git tracks and that is still there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    return [root / name for name in listed.split("\0") if name and (root / name).is_file()]


def python_modules(packages: tuple[str, ...] = PACKAGES) -> list[Module]:
    """Every module of these packages, the stand-in for torchvision and the page's tools aside."""
    return [
        Module(path)
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
        if not {"cpu_torchvision", "web", "node_modules", "migrations"} & set(path.parts)
    ]


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """All modules of all packages."""
    return python_modules()


@pytest.fixture(scope="session")
def production() -> list[Module]:
    """All modules of what runs at a post: everything but the simulations."""
    return python_modules(PRODUCTION)
