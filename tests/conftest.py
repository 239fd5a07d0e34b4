"""What all tests share: where the real data lies, and which skips are a debt."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--data",
        default=str(ROOT.parent / "shared" / "data"),
        help="folder of real films, logs and weights (tests marked `data`)",
    )


@pytest.fixture(scope="session")
def data_dir(request: pytest.FixtureRequest) -> Path:
    """The folder of real data; tests that need it are marked `data`."""
    folder = Path(request.config.getoption("--data"))
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder}: pass --data DIR")
    return folder
