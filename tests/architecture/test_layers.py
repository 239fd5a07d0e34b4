"""Who may import whom."""

import subprocess
import sys
from pathlib import Path


def test_import_contracts_hold(root: Path) -> None:
    """import-linter finds no arrow against the table of packages."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_no_production_module_imports_the_simulations(production) -> None:
    """The world at the other end of the cable is never imported back."""
    assert [] == [
        module.place
        for module in production
        if any(name.split(".")[0] == "simulations" for name in module.imports)
    ]


def test_edge_and_station_never_meet(modules) -> None:
    """A node and a station know each other only by the wire."""
    pairs = {"edge": "ground_station", "ground_station": "edge"}
    assert [] == [
        module.place
        for module in modules
        if any(name.split(".")[0] == pairs.get(module.package) for name in module.imports)
    ]
