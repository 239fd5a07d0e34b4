"""Messages to bytes and back: the only place where JSON of the wire is read or written.

Rules (the contract only grows): a newer minor version is read and its unknown fields are counted; a
newer major version is refused; an unknown field in a Command is refused; what is too large, not
JSON, not finite or not of its model is refused with the field named.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from wire.commands import Command, SignedDocument, ZonesDocument
from wire.envelope import SCHEMA_MAJOR, Envelope
from wire.topics import BY_NAME, TopicSpec
from wire.values import WireModel

Model = TypeVar("Model", bound=WireModel)
SHOWN_VALUE_CHARACTERS = 80
MAX_DEPTH = 64
_VERSION = re.compile(r"bw/(?P<major>[0-9]{1,4})\.[0-9]{1,4}")


class Refused(ValueError):
    """Bytes that are not a message of ours; `reason` is a stable word for counters.

    Attributes:
        reason: too_large, not_json, schema, newer_major, unknown_field or invalid.
        detail: what was wrong, field by field, for a person.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A message and the paths of fields that this version does not know."""

    message: Envelope[Any]
    unknown_fields: tuple[str, ...]


@cache
def _envelope_model(body: type[WireModel]) -> type[Envelope[Any]]:
    return Envelope[body]  # type: ignore[valid-type]


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a number in JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large for a number")
    return value


def _check_depth(value: Any) -> None:
    """Refuse nesting that a later reader or writer could break on; walks without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for item in level
            if isinstance(item, dict | list)
            for part in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise Refused("not_json", f"nested more than {MAX_DEPTH} deep")


def parse_json(payload: bytes | str, *, max_bytes: int) -> dict[str, Any]:
    """Strict JSON object: UTF-8, no NaN, no key twice, bounded size and depth.

    Raises:
        Refused: with reason too_large or not_json.
    """
    size = len(payload) if isinstance(payload, bytes) else len(payload.encode())
    if size > max_bytes:
        raise Refused("too_large", f"{size} bytes, at most {max_bytes} are allowed")
    try:
        text = payload.decode("utf-8") if isinstance(payload, bytes) else payload
        value = json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_finite,
            object_pairs_hook=_no_duplicates,
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise Refused("not_json", str(error)[:300]) from None
    except RecursionError:
        raise Refused("not_json", "nested too deeply") from None
    if not isinstance(value, dict):
        raise Refused("not_json", f"a message is a JSON object, not {type(value).__name__}")
    _check_depth(value)
    return value


def explain(error: ValidationError) -> str:
    """All errors of a model at once: field, what is wrong, the value shortened."""
    lines = []
    for item in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in item["loc"]) or "message"
        shown = repr(item.get("input"))
        if len(shown) > SHOWN_VALUE_CHARACTERS:
            shown = shown[:SHOWN_VALUE_CHARACTERS] + "..."
        lines.append(f"{where}: {item['msg']} (got {shown})")
    return "; ".join(lines[:20])


def unknown_fields(raw: Mapping[str, Any], model: BaseModel, path: str = "") -> list[str]:
    """Paths of keys in `raw` that `model` does not have, at any depth."""
    found: list[str] = []
    by_alias = {(field.alias or name): name for name, field in type(model).model_fields.items()} | {
        name: name for name in type(model).model_fields
    }
    for key, value in raw.items():
        name = by_alias.get(key)
        if name is None:
            found.append(f"{path}{key}")
            continue
        inner = getattr(model, name)
        if isinstance(inner, BaseModel) and isinstance(value, Mapping):
            found += unknown_fields(value, inner, f"{path}{key}.")
        elif isinstance(inner, tuple) and isinstance(value, list):
            for index, (part, part_raw) in enumerate(zip(inner, value, strict=False)):
                if isinstance(part, BaseModel) and isinstance(part_raw, Mapping):
                    found += unknown_fields(part_raw, part, f"{path}{key}.{index}.")
    return found


def _check_version(raw: Mapping[str, Any]) -> None:
    schema = raw.get("schema")
    match = _VERSION.fullmatch(schema) if isinstance(schema, str) else None
    if match is None:
        raise Refused("schema", f"schema is text such as 'bw/1.0', got {schema!r:.80}")
    major = int(match["major"])
    if major > SCHEMA_MAJOR:
        raise Refused(
            "newer_major",
            f"schema {schema!r:.40} is newer than bw/{SCHEMA_MAJOR}.x: update this side",
        )
    if major < 1:
        raise Refused("schema", f"schema {schema!r:.40} was never spoken: bw/1.0 is the first")


def encode(message: Envelope[Any], *, spec: TopicSpec) -> bytes:
    """Bytes for the wire: UTF-8 JSON, compact, within the topic's limit.

    Raises:
        Refused: with reason too_large, or invalid when the body is not the topic's.
    """
    if not isinstance(message.body, spec.body):
        raise Refused(
            "invalid",
            f"topic {spec.name} carries {spec.body.__name__}, got {type(message.body).__name__}",
        )
    payload = message.model_dump_json(exclude_none=False).encode()
    if len(payload) > spec.max_bytes:
        raise Refused(
            "too_large", f"{spec.name} of {len(payload)} bytes, at most {spec.max_bytes} travel"
        )
    return payload


def decode(payload: bytes, *, spec: TopicSpec) -> Decoded:
    """A message of this topic from bytes.

    Raises:
        Refused: says why; nothing of the message may be used then.
    """
    raw = parse_json(payload, max_bytes=spec.max_bytes)
    _check_version(raw)
    try:
        message = _envelope_model(spec.body).model_validate(raw)
    except ValidationError as error:
        raise Refused("invalid", explain(error)) from None
    except RecursionError:
        raise Refused("not_json", "nested too deeply") from None
    return Decoded(message=message, unknown_fields=tuple(unknown_fields(raw, message)))


def _inner_text(model: WireModel) -> str:
    return model.model_dump_json()


def _decode_inner(text: str, model: type[Model], *, max_bytes: int, strict: bool) -> Model:
    raw = parse_json(text, max_bytes=max_bytes)
    try:
        value = model.model_validate(raw)
    except ValidationError as error:
        raise Refused("invalid", explain(error)) from None
    if strict:
        unknown = unknown_fields(raw, value)
        if unknown:
            raise Refused(
                "unknown_field",
                f"{model.__name__} has unknown fields {', '.join(unknown[:10])}: a node obeys only "
                "what it understands whole; update the node or the station",
            )
    return value


def command_text(command: Command) -> str:
    """The exact text of a command that is to be signed."""
    return _inner_text(command)


def decode_command(text: str) -> Command:
    """A command from verified text; an unknown field anywhere is refused.

    Raises:
        Refused: the command may not be obeyed.
    """
    return _decode_inner(text, Command, max_bytes=BY_NAME["cmd"].max_bytes, strict=True)


def zones_text(zones: ZonesDocument) -> str:
    """The exact text of a zones document that is to be signed."""
    return _inner_text(zones)


def decode_zones(text: str) -> ZonesDocument:
    """A zones document from verified text.

    Raises:
        Refused: the document may not be used.
    """
    return _decode_inner(text, ZonesDocument, max_bytes=BY_NAME["zones"].max_bytes, strict=False)


__all__ = [
    "Decoded",
    "Refused",
    "SignedDocument",
    "command_text",
    "decode",
    "decode_command",
    "decode_zones",
    "encode",
    "explain",
    "parse_json",
    "unknown_fields",
    "zones_text",
]
