"""What is written is what is: generated pages are fresh, links lead somewhere, commands exist."""

import importlib
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from wire import reference
from wire.envelope import Envelope
from wire.topics import BY_NAME, TABLE

PROGRAMS = {
    "border-edge": "edge.cli",
    "border-ground": "ground_station.cli",
    "border-sim": "simulations.cli",
    "border-models": "models.cli",
}
GUIDES = ("border-guard.md", "drone-operator.md", "technician.md", "administrator.md")


def _pages(root: Path) -> list[Path]:
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")])


def _generate(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", root / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", [reference.PAGE_FILE, reference.SCHEMA_FILE, reference.ASYNCAPI_FILE]
)
def test_generated_wire_reference_is_fresh(name: str, root: Path) -> None:
    """The committed page is what the code makes now; `make docs` writes it again."""
    assert reference.files()[name] == (root / "docs" / name).read_text(encoding="utf-8")


def test_generated_config_reference_is_fresh(root: Path) -> None:
    """Every key of both configurations stands on the page, as the models have it now."""
    made = _generate(root).files()["config.md"]
    assert made == (root / "docs" / "config.md").read_text(encoding="utf-8")


def test_generated_scenario_reference_is_fresh(root: Path) -> None:
    """Every scenario and every key of one stands on the page, as they are now."""
    made = _generate(root).files()["scenarios.md"]
    assert made == (root / "docs" / "scenarios.md").read_text(encoding="utf-8")


def test_stale_page_is_noticed(root: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    """`docs/generate.py --check` names a page that differs, and fails."""
    generate = _generate(root)
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    monkeypatch.setattr(generate, "files", lambda: {"wire.md": "new", "config.md": "same"})
    (tmp_path / "wire.md").write_text("old")
    (tmp_path / "config.md").write_text("same")
    assert 1 == generate.main(["--check"])
    assert "docs/wire.md is stale" in capsys.readouterr().err
    assert 0 == generate.main([])
    assert 0 == generate.main(["--check"])


# --- the contract's documents ---------------------------------------------------------------------
def test_schema_is_valid_and_takes_every_golden_sample(root: Path) -> None:
    """A tool that knows only the JSON Schema accepts what our codec accepts."""
    schema = reference.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in (root / "wire" / "golden").glob("*/*.json"):
        spec = BY_NAME[path.name.split(".")[0]]
        model = Envelope[spec.body].__name__
        key = next(k for k, v in schema["$defs"].items() if model in {k, v.get("title")})
        jsonschema.Draft202012Validator(
            {"$ref": f"#/$defs/{key}", "$defs": schema["$defs"]}
        ).validate(json.loads(path.read_bytes()))


def test_schema_refuses_what_the_codec_refuses(root: Path) -> None:
    """The schema is not a formality: a wrong class, a missing field, a latitude of 91 fail."""
    schema = reference.json_schema()
    sample = json.loads((root / "wire" / "golden" / "1.0" / "obs.json").read_bytes())
    validator = jsonschema.Draft202012Validator(
        {"$ref": "#/$defs/Envelope_Observation_", "$defs": schema["$defs"]}
    )
    assert validator.is_valid(sample)
    for change in (
        lambda body: body.update(object_class="Enemy"),
        lambda body: body.pop("track_id"),
        lambda body: body["position"].update(lat_deg=91.0),
    ):
        broken = json.loads(json.dumps(sample))
        change(broken["body"])
        assert not validator.is_valid(broken)


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for inner in value.values() for ref in _references(inner)]
    if isinstance(value, list):
        return [ref for inner in value for ref in _references(inner)]
    return []


def _resolve(reference_text: str, documents: dict[str, Any]) -> Any:
    file, _, pointer = reference_text.partition("#")
    found = documents[file]
    for part in pointer.strip("/").split("/"):
        found = found[part]
    return found


def test_asyncapi_document_has_the_form_of_version_3() -> None:
    """Every part that AsyncAPI 3 asks for is there, and every reference leads somewhere."""
    document = reference.asyncapi()
    documents = {"": document, reference.SCHEMA_FILE: reference.json_schema()}
    assert "3.0.0" == document["asyncapi"]
    assert {"title", "version"} <= set(document["info"])
    for text in _references(document):
        assert _resolve(text, documents), text
    assert {spec.name for spec in TABLE} == set(document["channels"])
    for name, channel in document["channels"].items():
        braces = set(re.findall(r"\{(\w+)\}", channel["address"]))
        assert braces == set(channel["parameters"]), name
        assert channel["messages"]
    channels_used = set()
    for name, operation in document["operations"].items():
        assert operation["action"] in {"send", "receive"}, name
        channel = operation["channel"]["$ref"]
        channels_used.add(channel.rpartition("/")[2])
        assert all(m["$ref"].startswith(f"{channel}/messages/") for m in operation["messages"])
    assert set(document["channels"]) == channels_used


# --- pages ----------------------------------------------------------------------------------------
def _anchor(heading: str) -> str:
    text = re.sub(r"[`*_]", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def test_every_link_leads_somewhere(root: Path) -> None:
    """Links between pages, and to headings inside them, are never dead."""
    dead = []
    for page in _pages(root):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            aim = (page.parent / file).resolve() if file else page
            if not aim.exists():
                dead.append(f"{page.relative_to(root)}: {target}")
            elif anchor and aim.suffix == ".md":
                headings = re.findall(r"^#+ (.*)$", aim.read_text(encoding="utf-8"), re.MULTILINE)
                if anchor not in {_anchor(heading) for heading in headings}:
                    dead.append(f"{page.relative_to(root)}: {target}")
    assert [] == dead


def test_every_user_has_a_guide_that_the_readme_names(root: Path) -> None:
    """Border guard, drone operator, technician and administrator each find their page."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert [] == [name for name in GUIDES if f"docs/{name}" not in readme]
    assert [] == [name for name in GUIDES if not (root / "docs" / name).is_file()]


def test_every_decision_record_has_its_four_parts(root: Path) -> None:
    """A decision says its context, itself, its consequences, and what would change our mind."""
    records = sorted((root / "docs" / "adr").glob("[0-9]*.md"))
    assert len(records) >= 10
    assert list(range(1, len(records) + 1)) == [int(path.name[:4]) for path in records]
    wanted = ["Context", "Decision", "Consequences", "What would change our mind"]
    for path in records:
        headings = re.findall(r"^## (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert wanted == headings, path.name
    listed = (root / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    assert [] == [path.name for path in records if f"({path.name})" not in listed]


def _commands(program: str) -> dict[str, Any]:
    """Every leaf of a program's command tree, by its words."""
    import typer.main

    app = importlib.import_module(PROGRAMS[program]).app
    found = {}

    def walk(command: Any, words: tuple[str, ...]) -> None:
        inner = getattr(command, "commands", None)
        if inner:
            for name, child in inner.items():
                walk(child, (*words, name))
        else:
            found[" ".join(words)] = command

    walk(typer.main.get_command(app), (program,))
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_has_help_and_a_line_in_the_docs(program: str, root: Path) -> None:
    """Nobody has to read code to learn a command or its options."""
    written = "\n".join(page.read_text(encoding="utf-8") for page in _pages(root))
    commands = _commands(program)
    assert commands
    assert [] == [words for words, command in commands.items() if not command.help]
    assert [] == [words for words in commands if words not in written]
    assert [] == [
        f"{words} {option.name}"
        for words, command in commands.items()
        for option in command.params
        if option.name != "help" and not getattr(option, "help", None)
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_in_the_docs_exists(program: str, root: Path) -> None:
    """What a page tells to type is a command, with options it has."""
    commands = _commands(program)
    wrong = []
    for page in _pages(root):
        if page.name == "CHANGELOG.md" or page.parent.name == "adr":
            continue
        code = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        for line in "\n".join(code).splitlines():
            words = line.split("#")[0].replace(".venv/bin/", "").split()
            if not words or words[0] != program:
                continue
            known = [c for c in commands if " ".join(words).startswith(c)]
            if not known:
                wrong.append(f"{page.name}: {line}")
                continue
            command = commands[max(known, key=len)]
            options = {opt for param in command.params for opt in param.opts} | {"--help"}
            wrong += [
                f"{page.name}: {line} ({word})"
                for word in words
                if word.startswith("--") and word.partition("=")[0] not in options
            ]
    assert [] == wrong


def test_every_make_target_in_the_docs_exists(root: Path) -> None:
    """`make X` in a page is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    told = {
        (page.name, target)
        for page in _pages(root)
        for target in re.findall(
            r"(?:`|^|&& )make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE
        )
    }
    assert set() == {(page, target) for page, target in told if target not in targets}
