"""What all tests share: where the real data lies, and which skips are a debt."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
MAY_SKIP_IN_CI = frozenset({"sitl"})
"""Marks whose needs CI cannot install."""

settings.register_profile("person", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "person")

_totals: Counter[str] = Counter()
_skipped: Counter[str] = Counter()
_debts: list[str] = []
_marks_of: dict[str, frozenset[str]] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--data",
        default=str(ROOT.parent / "shared" / "data"),
        help="folder of real films, logs and weights (tests marked `data`)",
    )
    parser.addoption(
        "--pictures",
        default=None,
        help="folder for the pictures of the README (docs/pictures renews them); else they are not kept",
    )
    parser.addoption(
        "--sitl",
        default=None,
        help="a copter binary of ArduPilot's simulation (tests marked `sitl`; also ARDUPILOT_SITL)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Remember the declared marks of each test, for the account of skips."""
    known = {line.partition(":")[0] for line in config.getini("markers")}
    for item in items:
        _marks_of[item.nodeid] = frozenset(m.name for m in item.iter_markers()) & (
            known - {"skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings"}
        )
    # Playwright's synchronous door keeps an event loop in this thread until the session ends, and
    # nobody can start another one there: the browser comes last.
    items.sort(key=lambda item: "browser" in _marks_of[item.nodeid])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count each test once per mark; in CI a skip that CI could have avoided is a failure."""
    if report.when == "call" or (report.when == "setup" and report.skipped):
        marks = _marks_of.get(report.nodeid, frozenset()) or frozenset({"(no mark)"})
        skipped = report.skipped and not hasattr(report, "wasxfail")
        for mark in marks:
            _totals[mark] += 1
            _skipped[mark] += skipped
        if skipped and not marks & MAY_SKIP_IN_CI:
            _debts.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A module that skips itself while it is collected counts as one skipped test."""
    if report.skipped:
        _totals["(module)"] += 1
        _skipped["(module)"] += 1
        _debts.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything that can be installed is, so a skipped test fails the run."""
    if os.environ.get("CI") and _debts and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the account of skips: a skip is a debt."""
    if not any(_skipped.values()):
        return
    terminalreporter.section("skips per mark")
    for mark in sorted(_totals):
        if _skipped[mark]:
            whole = ", ALL of them" if _skipped[mark] == _totals[mark] else ""
            terminalreporter.write_line(f"{mark}: {_skipped[mark]} of {_totals[mark]}{whole}")
    if os.environ.get("CI") and _debts:
        terminalreporter.write_line("In CI nothing that CI can install may be skipped:", red=True)
        for nodeid in _debts:
            terminalreporter.write_line(f"  {nodeid}", red=True)


@pytest.fixture(scope="session")
def data_dir(request: pytest.FixtureRequest) -> Path:
    """The folder of real data; tests that need it are marked `data`."""
    folder = Path(request.config.getoption("--data"))
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder}: pass --data DIR")
    return folder
