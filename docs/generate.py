"""Writes the generated pages of docs/: the references of wire, configuration and scenarios.

`python docs/generate.py` writes them, `python docs/generate.py --check` only says which are stale.
"""

import inspect
import json
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from pydantic import BaseModel  # noqa: E402 - the repository's root comes first.
from pydantic.json_schema import GenerateJsonSchema  # noqa: E402

from wire import reference  # noqa: E402

_CONFIG_HEAD = """# Configuration

Made by `python docs/generate.py` from `edge/config.py` and `ground_station/config.py`; edit the
models, never this page.

One TOML file per node and one per station.
`border-edge init` and `border-ground init` write a commented one; `check-config` names every error
at once (file, key, value, what is allowed); `show-config` prints what is in force, secrets masked.
Units stand in every key; a key whose default is "-" may be left out.
Secrets are paths to files that only their owner may read.
A running program never changes its configuration: edit the file and restart.
"""

_SCENARIO_HEAD = """# Scenarios

Made by `python docs/generate.py` from `simulations/scenario*.py` and `simulations/scenarios/*.toml`;
edit those, never this page.

A scenario is one TOML: a place, an hour, weather, cameras, nodes, receivers, drones, what goes wrong
with them, and who comes. The same file and seed give the same world.
`border-sim run FILE.toml --headless` plays one of your own; every error in it is named at once with
its key, its value and what is allowed.
Places stand by the line: `along_m` counts from the marker `from_marker` in the direction of the
line, `across_m` is positive on our side.

`needs` says what the product still lacks for a scenario; it is then played where it can be and
reported as *waiting*, neither passed nor skipped. `quiet` ones have no crossing at all.
`px` is the height, in the picture, of the people at the line; below 72 px a scenario needs
`small-people`.

## The suite

"""


class _Schema(GenerateJsonSchema):
    """JSON Schema of a configuration; a secret is the path of its file."""

    def function_plain_schema(self, schema: Any) -> dict[str, Any]:
        """What only a function checks is, in our configurations, a secret file."""
        del schema
        return {"type": "string", "format": "path"}


def _keys(schema: dict[str, Any], defs: dict[str, Any], prefix: str) -> list[str]:
    """One table per section, inner sections after their holder."""
    inner: list[tuple[str, dict[str, Any]]] = []
    rows = []
    needed = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        either = _either(field, defs)
        if either:
            inner += [(f"[{prefix}{name}]", one) for one in either]
            continue
        target, many = _section(field, defs)
        if target is not None:
            inner.append((f"[[{prefix}{name}]]" if many else f"[{prefix}{name}]", target))
            continue
        kind = reference.type_text(field, defs).removesuffix(" or null")
        rows.append((f"`{name}`", kind, _default(name, field, needed), _meaning(name, field)))
    lines = list(reference.table(("key", "type", "default", "meaning"), rows)) if rows else []
    for title, target in inner:
        lines += ["", f"### `{title}`", ""]
        if target.get("description"):
            lines += [inspect.cleandoc(target["description"]), ""]
        lines += _keys(target, defs, title.strip("[]") + ".")
    return lines


def _default(name: str, field: dict[str, Any], needed: set[str]) -> str:
    if name in needed:
        return "needed"
    value = field.get("default")
    return "-" if value is None else f"`{json.dumps(value, ensure_ascii=False)}`"


def _meaning(name: str, field: dict[str, Any]) -> str:
    """Title and description; a title that pydantic made of the name says nothing."""
    title = field.get("title", "")
    own = "" if title == name.replace("_", " ").title() else title
    return ". ".join(part.rstrip(".") for part in (own, field.get("description")) if part)


def _either(field: dict[str, Any], defs: dict[str, Any]) -> list[dict[str, Any]]:
    """The models of a table where one of its keys tells which is meant."""
    return [
        defs[str(part["$ref"]).rsplit("/", 1)[-1]]
        for holder in [field, *field.get("anyOf", ())]
        for part in holder.get("oneOf", ())
    ]


def _section(field: dict[str, Any], defs: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    """The model behind a field, and whether it is a list of them."""
    if field.get("type") == "array":
        target, _ = _section(field.get("items", {}), defs)
        return target, True
    for part in [field, *field.get("anyOf", ())]:
        if "$ref" in part:
            target = defs[str(part["$ref"]).rsplit("/", 1)[-1]]
            if "properties" in target:
                return target, False
    return None, False


def config_page(models: dict[str, type[BaseModel]]) -> str:
    """The configuration's reference: one chapter per file."""
    lines = [_CONFIG_HEAD]
    for title, model in models.items():
        schema = model.model_json_schema(mode="validation", schema_generator=_Schema)
        lines += [f"## {title}", ""]
        if schema.get("description"):
            lines += [inspect.cleandoc(schema["description"]), ""]
        lines += [*_keys(schema, schema.get("$defs", {}), ""), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _config() -> str:
    from edge.config import NodeConfig
    from ground_station.config import GroundConfig

    return config_page(
        {"A node: `border-edge`": NodeConfig, "A station: `border-ground`": GroundConfig}
    )


def _scenarios() -> str:
    from simulations.scenario import Scenario, suite
    from simulations.world import World

    rows = []
    for loaded in suite():
        scenario = loaded.model
        events = len(World(scenario).events(0.0, scenario.duration_s))
        rows.append(
            (
                f"`{scenario.name}`",
                scenario.story,
                str(events) if events else "quiet",
                f"{scenario.person_px_at_line:g}" if scenario.person_px_at_line else "-",
                f"{scenario.duration_s:g}",
                ", ".join(scenario.needs) or "-",
            )
        )
    schema = Scenario.model_json_schema(mode="validation", schema_generator=_Schema)
    lines = [
        *reference.table(("scenario", "what happens", "events", "px", "seconds", "needs"), rows),
        "",
        "## Keys of a scenario",
        "",
        *_keys(schema, schema.get("$defs", {}), ""),
    ]
    return _SCENARIO_HEAD + "\n".join(lines).rstrip("\n") + "\n"


def files() -> dict[str, str]:
    """Name and text of every generated file."""
    return {**reference.files(), "config.md": _config(), "scenarios.md": _scenarios()}


def main(arguments: list[str]) -> int:
    """Write the files, or with --check name the stale ones and fail."""
    stale = [
        name
        for name, text in files().items()
        if not (DOCS / name).is_file() or (DOCS / name).read_text(encoding="utf-8") != text
    ]
    if arguments == ["--check"]:
        for name in stale:
            print(f"docs/{name} is stale: run `make docs`", file=sys.stderr)
        return int(bool(stale))
    if arguments:
        print("usage: python docs/generate.py [--check]", file=sys.stderr)
        return 2
    for name, text in files().items():
        (DOCS / name).write_text(text, encoding="utf-8")
    print(f"wrote {', '.join(stale)}" if stale else "nothing was stale", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
