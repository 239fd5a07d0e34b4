"""Any bytes at all: a message, or a refusal with a reason. Never a crash, never half a message."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire import codec, topics
from wire.commands import SignedDocument
from wire.topics import BY_NAME, TABLE

REASONS = {"too_large", "not_json", "schema", "newer_major", "unknown_field", "invalid"}
GOLDEN = Path(__file__).resolve().parent.parent.parent / "wire" / "golden"
SAMPLES = {path.stem: json.loads(path.read_bytes()) for path in sorted(GOLDEN.glob("1.0/*.json"))}
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["bw/1.0", "", "2026-11-23T02:40:12Z", "01K3G0MDEN0000000000000001"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def _refused_or_whole(payload: bytes, spec: topics.TopicSpec) -> None:
    try:
        decoded = codec.decode(payload, spec=spec)
    except codec.Refused as refused:
        assert refused.reason in REASONS
        assert refused.detail
        return
    again = codec.decode(codec.encode(decoded.message, spec=spec), spec=spec)
    assert decoded.message == again.message
    assert again.unknown_fields == ()


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        found += _places(inner, (*path, key))
    return found


@given(payload=st.binary(max_size=400), spec=st.sampled_from(TABLE))
def test_any_bytes_are_refused_or_read(payload: bytes, spec: topics.TopicSpec) -> None:
    """Noise on the wire ends in a counted refusal."""
    _refused_or_whole(payload, spec)


@given(value=JSON_VALUES, spec=st.sampled_from(TABLE))
def test_any_json_is_refused_or_read(value: Any, spec: topics.TopicSpec) -> None:
    """JSON that is not ours ends in a counted refusal, Infinity and NaN included."""
    _refused_or_whole(json.dumps(value).encode(), spec)


@settings(max_examples=300)
@given(data=st.data(), name=st.sampled_from(sorted(SAMPLES)))
def test_a_message_with_one_thing_wrong_is_refused_or_read(data: st.DataObject, name: str) -> None:
    """One value replaced, dropped or added: what is read can be written and read again, equal."""
    raw = json.loads(json.dumps(SAMPLES[name]))
    path = data.draw(st.sampled_from(_places(raw)))
    holder = raw
    for part in path[:-1]:
        holder = holder[part]
    act = data.draw(st.sampled_from(["replace", "drop", "add"]))
    if act == "replace":
        holder[path[-1]] = data.draw(JSON_VALUES)
    elif act == "drop":
        del holder[path[-1]]
    elif isinstance(holder, dict):
        holder[data.draw(st.text(max_size=8))] = data.draw(JSON_VALUES)
    else:
        holder.append(data.draw(JSON_VALUES))
    _refused_or_whole(json.dumps(raw).encode(), BY_NAME[name.split(".", maxsplit=1)[0]])


@given(cut=st.integers(0, 3000), flip=st.integers(0, 255), name=st.sampled_from(sorted(SAMPLES)))
def test_a_message_cut_or_flipped_on_the_way_is_refused_or_read(
    cut: int, flip: int, name: str
) -> None:
    """A torn message never passes as another one that cannot be written again."""
    payload = bytearray(json.dumps(SAMPLES[name]).encode())
    spec = BY_NAME[name.split(".", maxsplit=1)[0]]
    at = cut % len(payload)
    _refused_or_whole(bytes(payload[:at]), spec)
    payload[at] ^= flip
    _refused_or_whole(bytes(payload), spec)


@given(value=JSON_VALUES, decode=st.sampled_from([codec.decode_command, codec.decode_zones]))
def test_any_text_as_a_command_or_zones_is_refused(value: Any, decode: Any) -> None:
    """Text that was signed may still be nonsense: it is refused with a reason."""
    with pytest.raises(codec.Refused) as refused:
        decode(json.dumps(value))
    assert refused.value.reason in REASONS


@given(text=st.text(max_size=120) | st.from_regex(r"bw/v1/[a-z+#/_-]{0,40}", fullmatch=True))
def test_any_topic_is_in_the_table_or_unknown(text: str) -> None:
    """A topic is one row of the table, and formats back to itself; anything else is unknown."""
    try:
        found = topics.parse(text)
    except topics.UnknownTopic:
        return
    assert text == found.spec.format(**found.values)


@given(signed=st.text(max_size=40), signature=st.text(max_size=90), key_id=st.text(max_size=20))
def test_any_signed_document_is_refused_or_carries_its_text(
    signed: str, signature: str, key_id: str
) -> None:
    """A signed document keeps its text to the letter."""
    raw = json.loads(json.dumps(SAMPLES["cmd.land"]))
    raw["body"] = {"signed": signed, "signature": signature, "key_id": key_id}
    try:
        body = codec.decode(json.dumps(raw).encode(), spec=BY_NAME["cmd"]).message.body
    except codec.Refused:
        return
    assert SignedDocument(signed=signed, signature=signature, key_id=key_id) == body
