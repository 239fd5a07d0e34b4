"""JSON as strict as a contract needs it."""

import pytest

from wire import codec


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[]", "not_json"),  # JSON, but no message
        (b"null", "not_json"),
        (b'"text"', "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": Infinity}', "not_json"),
        (b'{"a": 1e999}', "not_json"),  # infinity by overflow
        (b'{"a": -1e999}', "not_json"),
        (b'{"a": 1, "a": 2}', "not_json"),  # which one would count?
        (b'{"a": {"b": 1, "b": 1}}', "not_json"),
        (b"\xff\xfe{}", "not_json"),
        ('{"a": "é"}'.encode("latin-1"), "not_json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not_json"),  # more digits than int() reads
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", "not_json"),
        (b'{"a": ' + b"[" * 9000 + b"]" * 9000 + b"}", "not_json"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "not_json"),
        (b"{} {}", "not_json"),
        (b" " * 20001, "too_large"),
    ],
)
def test_what_is_no_message_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    """Each way of being wrong has its stable word for the counters."""
    with pytest.raises(codec.Refused) as refused:
        codec.parse_json(payload, max_bytes=20_000)
    assert reason == refused.value.reason
    assert len(refused.value.detail) < 400


def test_nesting_within_the_limit_is_read() -> None:
    """The limit of depth is far above what a message needs."""
    deep = b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}"
    assert "a" in codec.parse_json(deep, max_bytes=1000)


def test_all_errors_of_a_message_are_named_at_once() -> None:
    """Whoever mends a message sees every field that is wrong, shortened."""
    payload = (
        b'{"schema": "bw/1.0", "id": "x", "node_id": "Mast", "session": "'
        + b"y" * 500
        + b'", "t_event_utc": null, "t_sent_utc": null, "simulated": "perhaps"}'
    )
    with pytest.raises(codec.Refused) as refused:
        codec.decode(payload, spec=codec.BY_NAME["state"])
    for field in ("id:", "node_id:", "session:", "clock:", "simulated:", "body:"):
        assert field in refused.value.detail
    assert "y" * 100 not in refused.value.detail
