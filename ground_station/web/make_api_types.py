"""Print src/api-types.ts: the page's types, made from ground_station's views so that they cannot drift.

Usage, from the repository root: python ground_station/web/make_api_types.py > ground_station/web/src/api-types.ts
A test compares the committed file with what this prints.
"""

import inspect
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ground_station import views, views_watch  # noqa: E402  (the script is run from anywhere)

_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def _type(schema: dict[str, Any]) -> str:
    """One JSON Schema node as a TypeScript type."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(part) for part in schema["anyOf"])
    kind = schema.get("type")
    if kind == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(_type(part) for part in schema['prefixItems'])}]"
        inner = _type(schema["items"])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if kind == "object":
        value = schema.get("additionalProperties")
        return f"Record<string, {_type(value) if isinstance(value, dict) and value else 'unknown'}>"
    return _PLAIN[str(kind)]


def render() -> str:
    """The whole file, one interface per shape, in the order of the modules that hold them."""
    shapes = [
        shape
        for module in (views, views_watch)
        for shape in sorted(
            (
                shape
                for _, shape in inspect.getmembers(module, inspect.isclass)
                if issubclass(shape, views.View)
                and shape is not views.View
                and shape.__module__ == module.__name__
            ),
            key=lambda shape: inspect.getsourcelines(shape)[1],
        )
    ]
    parts = ["// Made from ground_station/views.py and views_watch.py by make_api_types.py. Do not edit.\n"]
    for shape in shapes:
        schema = shape.model_json_schema(mode="serialization")
        # What a client sends may leave out defaults; what it receives is always whole.
        sent = shape.__name__.endswith("Body")
        required = set(schema.get("required", [])) if sent else set(schema["properties"])
        lines = [
            f"  {name}{'' if name in required else '?'}: {_type(field)};"
            for name, field in schema["properties"].items()
        ]
        doc = (inspect.getdoc(shape) or "").splitlines()[0]
        parts.append(f"/** {doc} */\nexport interface {shape.__name__} {{\n" + "\n".join(lines) + "\n}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(render())
