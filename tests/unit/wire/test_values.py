"""Values of the contract: each row is one rule."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wire.commands import Clip, Command, CommandAck
from wire.messages import ClipChunk, Crop, Observation
from wire.values import (
    Bearing,
    ClockStamp,
    CovarianceEnuM2,
    Name,
    Position,
    Ulid,
    UtcMs,
    rfc3339_ms,
)

INSTANT = TypeAdapter(UtcMs)
COVARIANCE = TypeAdapter(CovarianceEnuM2)
ULID = "01K3G0MDEN0000000000000001"
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


@given(instant=st.datetimes(timezones=st.just(timezone.utc)))
def test_instant_keeps_whole_milliseconds(instant: datetime) -> None:
    """An instant is cut to milliseconds once, and comes back the same after that."""
    if instant.year < 1000:
        return
    text = rfc3339_ms(instant)
    assert text.endswith("Z")
    back = INSTANT.validate_python(text)
    assert timedelta(0) <= instant - back < timedelta(milliseconds=1)
    assert text == rfc3339_ms(back)


@pytest.mark.parametrize(
    "value",
    [
        1_700_000_000,  # a number has no zone
        1.5,
        True,
        "2026-11-23T02:40:12",  # nobody's time
        "2026-11-23T02:40:12+07:00",  # a place's time
        "2026-11-23",
        "noon",
        "2026-13-01T00:00:00Z",
        datetime(2026, 11, 23),
        datetime(2026, 11, 23, tzinfo=timezone(timedelta(hours=7))),
    ],
)
def test_instant_that_is_not_utc_text_is_refused(value: Any) -> None:
    """An instant says UTC, as text that ends in Z."""
    with pytest.raises(ValidationError):
        INSTANT.validate_python(value)


@pytest.mark.parametrize(
    ("covariance", "allowed"),
    [
        (((1.0, 0.0), (0.0, 1.0)), True),
        (((0.0, 0.0), (0.0, 0.0)), True),  # a point, exactly known
        (((4.0, 2.0), (2.0, 1.0)), True),  # a line: correlated wholly
        (((1.0, 0.5), (0.4, 1.0)), False),  # not symmetric
        (((-1.0, 0.0), (0.0, 1.0)), False),  # a negative variance
        (((1.0, 2.0), (2.0, 1.0)), False),  # more correlated than wholly
        (((float("inf"), 0.0), (0.0, 1.0)), False),
        (((float("nan"), 0.0), (0.0, 1.0)), False),
    ],
)
def test_covariance_is_symmetric_and_positive(covariance: Any, allowed: bool) -> None:
    """What is no covariance is refused at the door, so no filter has to ask."""
    if allowed:
        assert covariance == COVARIANCE.validate_python(covariance)
    else:
        with pytest.raises(ValidationError):
            COVARIANCE.validate_json(repr(covariance).replace("(", "[").replace(")", "]"))


@given(
    a=st.floats(-1e3, 1e3), b=st.floats(-1e3, 1e3), c=st.floats(-1e3, 1e3), d=st.floats(-1e3, 1e3)
)
def test_every_product_with_its_transpose_is_a_covariance(
    a: float, b: float, c: float, d: float
) -> None:
    """Rounding of a true covariance never makes it refused."""
    covariance = ((a * a + b * b, a * c + b * d), (a * c + b * d, c * c + d * d))
    assert covariance == COVARIANCE.validate_python(covariance)


def _position(**changes: Any) -> dict[str, Any]:
    return {
        "lon_deg": 104.44,
        "lat_deg": 10.42,
        "alt_hae_m": -10.0,
        "cov_enu_m2": [[2.0, 0.0], [0.0, 2.0]],
        "cov_bias_enu_m2": [[1.0, 0.0], [0.0, 1.0]],
        "ce90_m": 3.0,
        "method": "plane",
        **changes,
    }


def test_shared_part_larger_than_the_total_is_refused() -> None:
    """A part is never larger than its whole."""
    assert Position.model_validate(_position())
    with pytest.raises(ValidationError, match="shared part"):
        Position.model_validate(_position(cov_bias_enu_m2=[[2.1, 0.0], [0.0, 1.0]]))


@pytest.mark.parametrize(
    "change",
    [
        {"lat_deg": 90.1},
        {"lon_deg": -180.5},
        {"method": "guess"},
        {"ce90_m": -1.0},
        {"alt_hae_m": None},
    ],
)
def test_position_out_of_its_range_is_refused(change: dict[str, Any]) -> None:
    """Each field of a position has its limits."""
    with pytest.raises(ValidationError):
        Position.model_validate(_position(**change))


def test_bearing_has_an_ordered_range() -> None:
    """The near end of a bearing is nearer than the far end."""
    with pytest.raises(ValidationError, match="range_min_m"):
        Bearing(azimuth_deg=1.0, sigma_deg=1.0, range_min_m=20.0, range_max_m=10.0)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("mast-1", True),
        ("1", True),
        ("a" * 48, True),
        ("a" * 49, False),
        ("", False),
        ("-mast", False),
        ("Mast", False),
        ("mast/1", False),  # would be two levels of a topic
        ("mast+", False),  # would be a wild card
        ("mast#", False),
        ("_friend", False),  # reserved for topics
        ("mast\n", False),
        ("cột", False),
    ],
)
def test_name_can_stand_in_a_topic(name: str, allowed: bool) -> None:
    """An id is what every broker, file system and URL takes."""
    adapter = TypeAdapter(Name)
    if allowed:
        assert name == adapter.validate_python(name)
    else:
        with pytest.raises(ValidationError):
            adapter.validate_python(name)


@pytest.mark.parametrize("text", [ULID.lower(), ULID[:-1], ULID + "0", "8" + ULID[1:], "I" * 26])
def test_ulid_of_another_form_is_refused(text: str) -> None:
    """A ULID is 26 characters of Crockford's alphabet, upper case, within 128 bits."""
    with pytest.raises(ValidationError):
        TypeAdapter(Ulid).validate_python(text)


def test_values_are_frozen() -> None:
    """A change is a new value."""
    stamp = ClockStamp(source="gps", error_s=0.1)
    with pytest.raises(ValidationError):
        stamp.error_s = 0.0


# --- messages -------------------------------------------------------------------------------------
def _observation(**changes: Any) -> dict[str, Any]:
    return {
        "track_id": ULID,
        "phase": "update",
        "key": False,
        "sensor_id": "north",
        "object_class": "Human",
        "confidence": 0.5,
        "box_px": [1.0, 2.0, 3.0, 4.0],
        "frame_size_px": [640, 480],
        "pixel_height_px": 2.0,
        **changes,
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"box_px": [3.0, 2.0, 1.0, 4.0]}, "x1 <= x2"),
        ({"phase": "new"}, "key observations"),
        ({"phase": "end"}, "key observations"),
        ({"object_class": "Soldier"}, "Human"),
        ({"confidence": 1.01}, "less than or equal to 1"),
        ({"count": 0}, "greater than or equal to 1"),
        (
            {
                "position": _position(),
                "bearing": {
                    "azimuth_deg": 1.0,
                    "sigma_deg": 1.0,
                    "range_min_m": 1.0,
                    "range_max_m": 2.0,
                },
            },
            "not both",
        ),
    ],
)
def test_observation_that_contradicts_itself_is_refused(change: dict[str, Any], said: str) -> None:
    """The refusal says which rule was broken."""
    assert Observation.model_validate(_observation())
    with pytest.raises(ValidationError, match=said):
        Observation.model_validate(_observation(**change))


def test_chunk_beyond_its_clip_is_refused() -> None:
    """Chunks count from 0 and end before the total."""
    with pytest.raises(ValidationError, match="below total"):
        ClipChunk(sha256="0" * 64, index=2, total=2, data_base64="")


@pytest.mark.parametrize("text", ["", "no spaces", "ä===", "A" * 13_701])
def test_crop_that_is_no_base64_or_too_long_is_refused(text: str) -> None:
    """A crop is bounded before anybody decodes it."""
    with pytest.raises(ValidationError):
        Crop(
            track_id=ULID,
            sensor_id="north",
            width_px=1,
            height_px=1,
            jpeg_base64=text,
            sha256="0" * 64,
        )


@pytest.mark.parametrize("seconds", [-1, 0, 301])
def test_clip_command_asks_for_a_bounded_stretch(seconds: int) -> None:
    """A clip lasts up to 300 s and ends after it starts."""
    with pytest.raises(ValidationError, match="300 s"):
        Clip(sensor_id="north", t_start_utc=NOON, t_end_utc=NOON + timedelta(seconds=seconds))


def test_command_that_never_lives_is_refused() -> None:
    """A command expires after it was issued."""
    with pytest.raises(ValidationError, match="expires_at_utc"):
        Command.model_validate(
            {
                "command_id": ULID,
                "site_id": "ha-tien",
                "node_id": "mast-1",
                "operator": "someone",
                "issued_at_utc": NOON,
                "expires_at_utc": NOON,
                "body": {"verb": "still", "sensor_id": "north"},
            }
        )


@pytest.mark.parametrize("status", ["REJECTED", "FAILED"])
def test_a_no_carries_its_reason(status: str) -> None:
    """Whoever refuses says why, in words."""
    with pytest.raises(ValidationError, match="reason in words"):
        CommandAck(command_id=ULID, verb="still", status=status)
    assert CommandAck(command_id=ULID, verb="still", status=status, reason="no such camera")
