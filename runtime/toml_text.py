"""Writes the TOML this project shows and hands out: what is in force, and commented templates."""

import json
import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE.match(name) else _text(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    return "[" + ", ".join(_value(inner) for inner in value) + "]"


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def write(data: Mapping[str, Any], *, prefix: str = "") -> str:
    """TOML of plain data.

    Args:
        data: Strings, numbers, booleans, lists and mappings; None has no place in TOML.
        prefix: Dotted name of the table being written.
    """
    lines = [
        f"{_key(name)} = {_value(value)}"
        for name, value in data.items()
        if not isinstance(value, Mapping) and not _is_tables(value)
    ]
    for name, value in data.items():
        dotted = f"{prefix}.{_key(name)}" if prefix else _key(name)
        if isinstance(value, Mapping):
            lines += ["", f"[{dotted}]", write(value, prefix=dotted).rstrip("\n")]
        elif _is_tables(value):
            for inner in value:
                lines += ["", f"[[{dotted}]]", write(inner, prefix=dotted).rstrip("\n")]
    return "\n".join(lines).strip("\n") + "\n"


def template(model: type[BaseModel], *, prefix: str = "", commented: bool = False) -> str:
    """A commented config to start from.

    Args:
        model: Its fields give keys, titles, descriptions, limits, examples and defaults.
        prefix: Dotted name of the table being written.
        commented: Whether every key is commented out, because its table is optional.
    """
    lines: list[str] = []
    tables: list[str] = []
    for name, info in model.model_fields.items():
        inner, repeats, optional = _table(info.annotation)
        if inner is None:
            lines += _entry(name, info, commented=commented)
            continue
        others = [other for other in models(info.annotation) if other is not inner]
        dotted = f"{prefix}.{name}" if prefix else name
        off = commented or optional
        head = f"[[{dotted}]]" if repeats else f"[{dotted}]"
        about = _first_line(inner.__doc__) if others else _about(info) or _first_line(inner.__doc__)
        tables += ["", *(f"# {line}" for line in about)]
        tables += [f"# {head}" if off else head]
        tables += [template(inner, prefix=dotted, commented=off).rstrip("\n")]
        for other in others:
            tables += ["", "# Or instead:", *(f"# {line}" for line in _first_line(other.__doc__))]
            tables += [f"# {head}"]
            tables += [template(other, prefix=dotted, commented=True).rstrip("\n")]
    return "\n".join(lines + tables).strip("\n") + "\n"


def _first_line(doc: str | None) -> list[str]:
    return [doc.strip().splitlines()[0]] if doc else []


def _about(info: FieldInfo) -> list[str]:
    words = ". ".join(part for part in (info.title, info.description) if part)
    return [words] if words else []


def _limits(info: FieldInfo) -> str:
    parts = []
    for bound in info.metadata:
        for name, sign in (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<")):
            limit = getattr(bound, name, None)
            if limit is not None:
                parts.append(f"{sign} {limit}")
    parts.extend(repr(option) for option in _literals(info.annotation))
    return f" ({', '.join(parts)})" if parts else ""


def _literals(annotation: Any) -> list[Any]:
    from typing import Literal

    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [option for inner in get_args(annotation) for option in _literals(inner)]


def _entry(name: str, info: FieldInfo, *, commented: bool) -> list[str]:
    lines = [f"# {line}{_limits(info)}" for line in _about(info)]
    default = info.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined:
        example = info.examples[0] if info.examples else ""
        return [*lines, f"{'# ' if commented else ''}{name} = {_value(example)}"]
    shown = info.examples[0] if default is None and info.examples else default
    if shown is None:
        return [*lines, f"# {name} ="]
    plain = shown.model_dump(mode="json") if isinstance(shown, BaseModel) else shown
    if not isinstance(plain, (bool, int, float, str, list, tuple, Mapping)):
        plain = str(plain)
    return [*lines, f"# {name} = {_value(plain)}"]


def models(annotation: Any) -> list[type[BaseModel]]:
    """Every model that a field takes; several where a key of the table tells which is meant."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in models(argument)]


def _table(annotation: Any) -> tuple[type[BaseModel] | None, bool, bool]:
    """The model of a table field, whether it repeats, and whether it may be absent."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False, False
    origin = get_origin(annotation)
    repeats = origin in (list, tuple)
    optional = any(argument is type(None) for argument in get_args(annotation))
    for argument in get_args(annotation):
        inner, deeper, _ = _table(argument)
        if inner is not None:
            return inner, repeats or deeper, optional
    return None, False, False
