"""Writes the reference of the contract: a page for people, JSON Schema and AsyncAPI 3 for tools.

Everything is derived from `wire.topics` and the models; `python -m wire.reference docs` writes it,
and a test fails while the committed files differ from what this module makes.
"""

import ast
import inspect
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from wire import commands, envelope, messages, values
from wire.commands import VERBS, Command, ZonesDocument
from wire.envelope import SCHEMA, Envelope
from wire.topics import ROOT, TABLE, TopicSpec

SCHEMA_FILE = "wire.schema.json"
ASYNCAPI_FILE = "asyncapi.json"
PAGE_FILE = "wire.md"
_MODULES = (envelope, values, messages, commands)
_SIGNED: dict[str, type[BaseModel]] = {"cmd": Command, "zones": ZonesDocument}
_PARAMETERS = {
    "site": "Id of the site.",
    "node": "Id of the node; also its MQTT client id and user name.",
    "sensor": "Id of the sensor.",
    "hash": "SHA-256 of the clip.",
    "friend": "Id of one of our own patrols.",
    "alert": "Id of the alert, a ULID.",
}
_HEAD = f"""# The contract on the wire

Made by `python -m wire.reference docs` from `wire/`; edit the models, never this page.
For tools: [`{SCHEMA_FILE}`]({SCHEMA_FILE}) (JSON Schema 2020-12) and
[`{ASYNCAPI_FILE}`]({ASYNCAPI_FILE}) (AsyncAPI 3, as the station sees it).

JSON in UTF-8 over MQTT 5.
Units stand in every name; angles are degrees, azimuths true and clockwise, heights above the WGS 84
ellipsoid unless the name says otherwise; instants are RFC 3339, UTC, milliseconds, `Z`.
This page describes schema `{SCHEMA}`.

## How it grows

- Fields are only added, so that nodes and stations can be updated one by one.
- A report of a newer minor version is read; fields that the reader does not know are counted.
- A newer major version is refused.
- An unknown field in a Command is refused: a node obeys only what it understands whole.
- A payload above its topic's limit, a key that stands twice, NaN, or nesting deeper than the codec
  allows is refused.
- `wire/golden/` keeps one sample per message and version; a test decodes them for ever.

## How it is delivered

At least once, and every reader is idempotent by `id`.
A node keeps what is marked *kept until receipt* on its disk until the station's `receipt` names its
`seq`; the broker's own acknowledgement only frees the place in flight.
Without a receipt for 30 s it is sent again.

## Signatures

`cmd` and `zones` carry the exact text that was signed, an Ed25519 signature of its UTF-8 bytes in
base64, and the id of the key (first 16 hex digits of the SHA-256 of the raw public key).
The reader checks the signature over the text as it came, and only then reads it.

## Topics
"""


def _envelope(spec: TopicSpec) -> type[BaseModel]:
    return Envelope[spec.body]  # type: ignore[name-defined]


def _schema_key(model: type[BaseModel], defs: Mapping[str, Any]) -> str:
    wanted = model.__name__
    for key, schema in defs.items():
        if schema.get("title", key) == wanted or key == wanted:
            return key
    raise KeyError(wanted)


def json_schema() -> dict[str, Any]:
    """One schema with a definition for every envelope, body and value."""
    models: list[type[BaseModel]] = [_envelope(spec) for spec in TABLE]
    models += [Command, ZonesDocument]
    unique = list(dict.fromkeys(models))
    _, whole = models_json_schema(
        [(model, "validation") for model in unique], ref_template="#/$defs/{model}"
    )
    defs = dict(sorted(whole["$defs"].items()))
    for key in {_schema_key(_envelope(spec), defs) for spec in TABLE}:
        # The codec refuses a message that does not say its version; in Python it has a default.
        defs[key]["required"] = ["schema", *defs[key]["required"]]
    topics = [
        {
            "title": spec.name,
            "$ref": f"#/$defs/{_schema_key(_envelope(spec), defs)}",
        }
        for spec in TABLE
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:border-watch:{SCHEMA.replace('/', ':')}",
        "title": f"Border Watch messages, {SCHEMA}",
        "anyOf": topics,
        "$defs": defs,
    }


def asyncapi() -> dict[str, Any]:
    """An AsyncAPI 3 document as the station sees it: it receives what goes up, sends what goes down."""
    defs = json_schema()["$defs"]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Border Watch",
            "version": SCHEMA.removeprefix("bw/"),
            "description": "What a station receives from its nodes and sends to them, over MQTT 5.",
            "license": {"name": "AGPL-3.0-or-later"},
        },
        "defaultContentType": "application/json",
        "channels": {spec.name: _channel(spec) for spec in TABLE},
        "operations": {
            f"{_action(spec)}_{spec.name}": {
                "action": _action(spec),
                "channel": {"$ref": f"#/channels/{spec.name}"},
                "messages": [{"$ref": f"#/channels/{spec.name}/messages/{spec.name}"}],
                "bindings": {
                    "mqtt": {"qos": spec.qos, "retain": spec.retained, "bindingVersion": "0.2.0"}
                },
            }
            for spec in TABLE
        },
        "components": {"messages": {spec.name: _message(spec, defs) for spec in TABLE}},
    }


def _action(spec: TopicSpec) -> str:
    return "receive" if spec.direction in {"up", "in"} else "send"


def _channel(spec: TopicSpec) -> dict[str, Any]:
    return {
        "address": f"{ROOT}/{spec.template}",
        "description": spec.description,
        "messages": {spec.name: {"$ref": f"#/components/messages/{spec.name}"}},
        "parameters": {name: {"description": _PARAMETERS[name]} for name in spec.parameters},
    }


def _message(spec: TopicSpec, defs: Mapping[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": spec.body.__name__,
        "title": spec.name,
        "summary": spec.description,
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {
                "$ref": f"{SCHEMA_FILE}#/$defs/{_schema_key(_envelope(spec), defs)}",
            },
        },
        "x-max-bytes": spec.max_bytes,
        "x-kept-until-receipt": spec.outbox,
    }
    if spec.period_s is not None:
        message["x-period-s"] = spec.period_s
    if spec.name in _SIGNED:
        inner = _schema_key(_SIGNED[spec.name], defs)
        message["x-signed-text"] = {"$ref": f"{SCHEMA_FILE}#/$defs/{inner}"}
    return message


# --- the page -------------------------------------------------------------------------------------
def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Lines of a Markdown table; cells are escaped."""

    def line(cells: Iterable[str]) -> str:
        return (
            "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
        )

    head = list(header)
    return [line(head), line(["---"] * len(head)), *(line(row) for row in rows)]


def type_text(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """A field's JSON Schema in words: type, limits, choices; definitions as links."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        title = defs[name].get("title", name)
        return f"[{title}](#{title.lower()})" if "properties" in defs[name] else title
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(type_text(part, defs) for part in schema[union])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return _array_text(schema, defs)
    if kind == "object":
        extra = schema.get("additionalProperties")
        return f"object of {type_text(extra, defs)}" if isinstance(extra, Mapping) else "object"
    if schema.get("format") == "date-time":
        return "instant"
    if schema.get("format") == "path":
        return "path"
    return " ".join([kind, *_limits(schema)])


def _array_text(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        parts = [type_text(part, defs) for part in schema["prefixItems"]]
        if len(set(parts)) == 1:
            return f"[{len(parts)} x {parts[0]}]"
        return "[" + ", ".join(parts) + "]"
    most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
    least = f", at least {schema['minItems']}" if "minItems" in schema else ""
    return f"list of {type_text(schema.get('items', {}), defs)}{least}{most}"


def _limits(schema: Mapping[str, Any]) -> list[str]:
    words = {
        "minimum": ">= {}",
        "exclusiveMinimum": "> {}",
        "maximum": "<= {}",
        "exclusiveMaximum": "< {}",
        "maxLength": "of at most {} characters",
        "pattern": "matching `{}`",
    }
    return [text.format(schema[key]) for key, text in words.items() if key in schema]


def field_rows(
    schema: Mapping[str, Any], defs: Mapping[str, Any], notes: Mapping[str, str]
) -> list[tuple[str, str, str, str]]:
    """Rows of a model's table: field, type and limits, needed or default, note."""
    needed = set(schema.get("required", ()))
    rows = []
    for name, field in schema.get("properties", {}).items():
        if name in needed:
            default = "needed"
        else:
            default = f"`{json.dumps(field.get('default'), ensure_ascii=False)}`"
        note = field.get("description") or notes.get(name, "")
        rows.append((f"`{name}`", type_text(field, defs), default, note))
    return rows


def attribute_notes(module: Any) -> dict[str, dict[str, str]]:
    """The sentence written under a field, by class and field."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        notes = found.setdefault(node.name, {})
        for before, after in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(before, ast.AnnAssign)
                and isinstance(before.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                notes[before.target.id] = inspect.cleandoc(after.value.value)
    return found


def page() -> str:
    """The reference for people."""
    defs = json_schema()["$defs"]
    notes: dict[str, dict[str, str]] = {}
    for module in _MODULES:
        notes |= attribute_notes(module)
    lines = [_HEAD]
    lines += table(
        ("topic", "direction", "QoS", "retained", "limit", "period", "kept until receipt", "body"),
        (
            (
                f"`{ROOT}/{spec.template}`",
                spec.direction,
                str(spec.qos),
                "yes" if spec.retained else "no",
                f"{spec.max_bytes // 1024} kB",
                f"{spec.period_s:g} s" if spec.period_s else "-",
                "yes" if spec.outbox else "no",
                f"[{spec.body.__name__}](#{spec.body.__name__.lower()}): {spec.description}",
            )
            for spec in TABLE
        ),
    )
    lines += ["", f"Verbs of a Command: {', '.join(f'`{verb}`' for verb in VERBS)}.", ""]
    lines += ["## Envelope", "", inspect.getdoc(Envelope) or "", ""]
    generic = defs[_schema_key(Envelope[messages.State], defs)]
    rows = field_rows(generic, defs, notes.get("Envelope", {}))
    lines += table(
        ("field", "type", "default", "note"),
        [row if row[0] != "`body`" else ("`body`", "the topic's body", *row[2:]) for row in rows],
    )
    for title, names in _sections(defs):
        lines += ["", f"## {title}"]
        for name in names:
            schema = defs[name]
            lines += ["", f"### {schema['title']}", ""]
            if schema.get("description"):
                lines += [inspect.cleandoc(schema["description"]), ""]
            lines += table(
                ("field", "type", "default", "note"),
                field_rows(schema, defs, notes.get(schema["title"], {})),
            )
    return "\n".join(lines) + "\n"


def _sections(defs: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    by_module: dict[str, list[str]] = {"messages": [], "commands": [], "values": []}
    for module in (messages, commands, values):
        own = module.__name__.rpartition(".")[2]
        for name, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ == module.__name__ and name in defs:
                by_module[own].append(name)
    return [
        ("What travels up, and out of the station", by_module["messages"]),
        ("What travels down, and its answers", by_module["commands"]),
        ("Values", by_module["values"]),
    ]


def files() -> dict[str, str]:
    """Name and text of every generated file."""
    return {
        SCHEMA_FILE: _json(json_schema()),
        ASYNCAPI_FILE: _json(asyncapi()),
        PAGE_FILE: page(),
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the reference into the folder named, or say how to call this."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m wire.reference FOLDER (an existing one)", file=sys.stderr)
        return 2
    for name, text in files().items():
        (Path(arguments[0]) / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
