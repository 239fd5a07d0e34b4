"""The contract only grows: who reads what of a newer, older or larger message."""

import json
from typing import Any

import pytest

from wire import codec
from wire.commands import VERBS
from wire.signing import SigningKey
from wire.topics import BY_NAME, TABLE

REPORTS = [spec.name for spec in TABLE if spec.name not in {"cmd", "zones"}]


def _changed(payload: bytes, **changes: Any) -> bytes:
    return json.dumps({**json.loads(payload), **changes}).encode()


@pytest.mark.parametrize("name", REPORTS)
def test_unknown_field_of_a_newer_minor_is_counted_not_refused(
    name: str, samples: dict[str, bytes]
) -> None:
    """A report of version 1.7 is read, and what this side does not know is named."""
    raw = json.loads(samples[name])
    raw["schema"] = "bw/1.7"
    raw["mood"] = "calm"
    raw["clock"]["drift"] = 1
    raw["body"]["colour"] = [1, {"deep": None}]
    decoded = codec.decode(json.dumps(raw).encode(), spec=BY_NAME[name])
    assert {"mood", "clock.drift", "body.colour"} == set(decoded.unknown_fields)
    assert codec.decode(samples[name], spec=BY_NAME[name]).message.body == decoded.message.body


def test_unknown_field_inside_a_list_is_counted_with_its_place(samples: dict[str, bytes]) -> None:
    """Unknown fields are found at any depth, lists included."""
    raw = json.loads(samples["health"])
    raw["body"]["cameras"][0]["lux"] = 4
    decoded = codec.decode(json.dumps(raw).encode(), spec=BY_NAME["health"])
    assert ("body.cameras.0.lux",) == decoded.unknown_fields


@pytest.mark.parametrize("name", [spec.name for spec in TABLE if spec.name != "cmd"])
def test_newer_major_is_refused(name: str, samples: dict[str, bytes]) -> None:
    """Version 2.0 is another language: nothing of it is used."""
    with pytest.raises(codec.Refused) as refused:
        codec.decode(_changed(samples[name], schema="bw/2.0"), spec=BY_NAME[name])
    assert "newer_major" == refused.value.reason
    assert "update this side" in refused.value.detail


@pytest.mark.parametrize(
    "schema",
    [
        None,
        1,
        "",
        "bw",
        "bw/1",
        "bw/1.",
        "bw/1.0 ",
        "bw/1.0\n",
        "bw/0.9",  # never spoken
        "bw/one.0",
        "bw/١.0",  # digits, but not ours
        "sapient/1.0",
        "bw/" + "0" * 9 + "1" * 5000 + ".0",  # more digits than int() will read
        "bw/1." + "1" * 5000,
    ],
)
def test_schema_that_is_no_version_is_refused(
    schema: str | int | None, samples: dict[str, bytes]
) -> None:
    """What does not say its version in the one form is refused by name of that field."""
    with pytest.raises(codec.Refused) as refused:
        codec.decode(_changed(samples["obs"], schema=schema), spec=BY_NAME["obs"])
    assert "schema" == refused.value.reason


@pytest.mark.parametrize("verb", VERBS)
def test_unknown_field_of_a_command_is_refused(verb: str, samples: dict[str, bytes]) -> None:
    """A node obeys only what it understands whole, at any depth."""
    text = json.loads(samples[f"cmd.{verb}"])["body"]["signed"]
    for place in ("", "body"):
        raw = json.loads(text)
        (raw[place] if place else raw)["also"] = "climb"
        with pytest.raises(codec.Refused) as refused:
            codec.decode_command(json.dumps(raw))
        assert "unknown_field" == refused.value.reason
        assert "also" in refused.value.detail


def test_unknown_verb_is_refused(samples: dict[str, bytes]) -> None:
    """A verb outside the list is refused, and the answer names the allowed ones."""
    raw = json.loads(json.loads(samples["cmd.land"])["body"]["signed"])
    raw["body"] = {"verb": "dive"}
    with pytest.raises(codec.Refused) as refused:
        codec.decode_command(json.dumps(raw))
    assert "invalid" == refused.value.reason
    assert "mission_launch" in refused.value.detail


def test_unknown_field_of_zones_is_read(samples: dict[str, bytes]) -> None:
    """Zones are a report to the node: a newer station's additions do not take its line away."""
    raw = json.loads(json.loads(samples["zones"])["body"]["signed"])
    raw["season"] = "flood"
    assert raw["version"] == codec.decode_zones(json.dumps(raw)).version


@pytest.mark.parametrize("name", [spec.name for spec in TABLE if spec.name != "cmd"])
def test_payload_over_the_topic_limit_is_refused_unread(
    name: str, samples: dict[str, bytes]
) -> None:
    """One byte more than the table allows is refused; the sample padded to the limit is read."""
    spec = BY_NAME[name]
    padded = samples[name] + b" " * (spec.max_bytes - len(samples[name]))
    assert codec.decode(padded, spec=spec).message.id
    with pytest.raises(codec.Refused) as refused:
        codec.decode(padded + b" ", spec=spec)
    assert "too_large" == refused.value.reason


def test_message_too_large_to_send_is_refused(samples: dict[str, bytes]) -> None:
    """The sender keeps the same limit as the reader."""
    spec = BY_NAME["birth"]
    message = codec.decode(samples["birth"], spec=spec).message
    sensor = message.body.sensors[0]
    wide = sensor.model_copy(update={"field_of_view_lonlat": ((104.123456, 10.123456),) * 9000})
    body = message.body.model_copy(update={"sensors": (wide,) * 2})
    with pytest.raises(codec.Refused) as refused:
        codec.encode(message.model_copy(update={"body": body}), spec=spec)
    assert "too_large" == refused.value.reason


def test_body_of_another_topic_is_refused_on_sending(samples: dict[str, bytes]) -> None:
    """A state does not travel on the health topic."""
    message = codec.decode(samples["state"], spec=BY_NAME["state"]).message
    with pytest.raises(codec.Refused) as refused:
        codec.encode(message, spec=BY_NAME["health"])
    assert "Health" in refused.value.detail


def test_largest_crop_and_chunk_fit_their_topics(samples: dict[str, bytes]) -> None:
    """10 kB of JPEG and 32 kB of film, in base64 and enveloped, stay within the table's limits."""
    for name, path, characters in (
        ("media", ("media", "jpeg_base64"), 13_656),
        ("clip", ("data_base64",), 43_692),
    ):
        raw = json.loads(samples[name])
        inner = raw["body"]
        for part in path[:-1]:
            inner = inner[part]
        inner[path[-1]] = "A" * characters
        assert codec.decode(json.dumps(raw).encode(), spec=BY_NAME[name]).unknown_fields == ()


def test_boot_stamp_stands_in_for_an_unknown_time(
    samples: dict[str, bytes], station_key: SigningKey
) -> None:
    """Before the first sync the boot stamp is enough; with neither, the message is refused."""
    raw = json.loads(samples["obs.boot"])
    assert raw["t_event_utc"] is None
    raw["t_event_boot_s"] = None
    with pytest.raises(codec.Refused, match="t_event_boot_s before the first clock sync"):
        codec.decode(json.dumps(raw).encode(), spec=BY_NAME["obs"])
