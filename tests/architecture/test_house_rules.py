"""Which module may use what: one owner per library, one place per habit."""

import ast

import pytest

LIVES_IN = {
    # Library: the modules (or packages, with a dot at the end) that may import it.
    "pymavlink": ("hardware.autopilot_mavlink", "simulations.vehicle"),
    "gpsd": ("hardware.position_gpsd",),
    "paho": ("edge.uplink", "ground_station.ingest"),
    "sqlite3": ("edge.outbox", "ground_station.store"),
    "sqlalchemy": ("ground_station.store",),
    "alembic": ("ground_station.store", "ground_station.migrations"),
    "ultralytics": ("edge.yolo", "models"),
    "torch": ("edge.yolo", "models"),
    "onnxruntime": ("edge.onnx", "models"),
    "cv2": (
        "hardware.camera_opencv",
        "edge.onnx",
        "edge.letterbox",
        "edge.yolo",
        "edge.evidence",
        "edge.calibrate",
        "edge.camera_motion",
        "models",
        "simulations",
    ),
    "fastapi": ("ground_station.api",),
    "uvicorn": ("ground_station.api", "ground_station.cli", "ground_station.app"),
    "argon2": ("ground_station.auth",),
    "iotcore": ("ground_station.broker",),
}
"""Modules named here may be a file, or a folder of the same name that grew out of it."""


def _may(module_name: str, owners: tuple[str, ...]) -> bool:
    return any(
        module_name == owner or module_name.startswith((f"{owner}.", f"{owner}_"))
        for owner in owners
    )


@pytest.mark.parametrize("library", LIVES_IN)
def test_library_lives_where_the_design_puts_it(library: str, modules) -> None:
    """A foreign library has one door, so that it can be replaced there."""
    assert [] == [
        module.place
        for module in modules
        if any(name.split(".")[0] == library for name in module.imports)
        and not _may(module.name, LIVES_IN[library])
    ]


def test_paho_has_one_door_on_each_side(modules) -> None:
    """Exactly one module of a node and one of a station speak MQTT."""
    doors = {
        module.package: module.place
        for module in modules
        if any(name.startswith("paho") for name in module.imports)
    }
    assert {"edge": "edge/uplink.py"}.items() <= doors.items()
    assert {"edge", "ground_station"} == set(doors)


def _attribute(node: ast.AST, owner: str, *names: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in names
        and isinstance(node.value, ast.Name)
        and node.value.id == owner
    )


def test_only_cli_modules_read_the_environment(production) -> None:
    """What is in force stands in one file and on the command line, nowhere else."""
    assert [] == [
        f"{module.place}:{node.lineno}"
        for module in production
        if module.name.rpartition(".")[2] != "cli"
        for node in module.nodes
        if _attribute(node, "os", "environ", "getenv", "environb", "putenv")
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {"environ", "getenv"} & {alias.name for alias in node.names}
        )
    ]


def test_threads_start_in_runtime_workers_alone(production) -> None:
    """One list of threads: whoever wants one is a worker."""
    starters = {"Thread", "Timer", "ThreadPoolExecutor", "ProcessPoolExecutor", "loop_start"}
    assert [] == [
        f"{module.place}:{node.lineno}"
        for module in production
        if module.name != "runtime.workers"
        for node in module.nodes
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in starters)
            or (isinstance(node.func, ast.Name) and node.func.id in starters)
        )
    ]


def test_broad_excepts_stand_in_runtime_workers_alone(modules) -> None:
    """Everywhere else an error is caught by name."""

    def broad(handler: ast.ExceptHandler) -> bool:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return any(
            kind is None
            or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
            for kind in kinds
        )

    assert [] == [
        f"{module.place}:{node.lineno}"
        for module in modules
        if module.name != "runtime.workers"
        for node in module.nodes
        if isinstance(node, ast.ExceptHandler) and broad(node)
    ]


def test_no_production_branch_asks_whether_it_is_simulated(production) -> None:
    """The road of a rehearsal is the road of the night: `simulated` is carried, never obeyed.

    The station's door alone may look at it: a production station refuses simulated nodes.
    """

    def asks(test: ast.expr) -> bool:
        return any(
            (isinstance(part, ast.Name) and part.id in {"simulated", "SIMULATED", "SIMULATION"})
            or (isinstance(part, ast.Attribute) and part.attr == "simulated")
            for part in ast.walk(test)
        )

    assert [] == [
        f"{module.place}:{node.lineno}"
        for module in production
        if not module.name.startswith("ground_station.ingest")
        for node in module.nodes
        if isinstance(node, (ast.If, ast.IfExp, ast.While)) and asks(node.test)
    ]


def test_no_test_hooks_in_production(production) -> None:
    """Seams are arguments; production does not know that tests exist."""
    words = ("pytest", "unittest", "_called_from_test", "PYTEST_CURRENT_TEST")
    assert [] == [
        (module.place, word) for module in production for word in words if word in module.text
    ]


def test_every_package_is_typed(modules, root) -> None:
    """Each package says so to the type checkers of those who use it."""
    packages = {module.package for module in modules}
    assert set() == {name for name in packages if not (root / name / "py.typed").is_file()}
