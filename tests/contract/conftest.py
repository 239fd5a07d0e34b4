"""The golden samples: messages as they once travelled, kept for ever."""

from pathlib import Path

import pytest

from wire.signing import SigningKey

GOLDEN = Path(__file__).resolve().parent.parent.parent / "wire" / "golden"


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """One folder per version of the contract, one file per message."""
    return GOLDEN


@pytest.fixture(scope="session")
def samples() -> dict[str, bytes]:
    """Golden bytes of the newest version by name, such as `obs.bearing`."""
    newest = max(
        GOLDEN.iterdir(), key=lambda folder: [int(part) for part in folder.name.split(".")]
    )
    return {path.stem: path.read_bytes() for path in newest.glob("*.json")}


@pytest.fixture(scope="session")
def station_key() -> SigningKey:
    """A station's key that lives as long as this run."""
    return SigningKey.generate()
