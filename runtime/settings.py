"""One TOML file into frozen models: every error at once, each with file, key, value and what is allowed.

Nothing is read from the environment: what is in force is what stands in the file.
"""

import difflib
import hashlib
import importlib
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic import ValidationInfo as Info
from pydantic_core import CoreSchema, core_schema

from runtime.errors import AskOperator

# Python 3.10 has no tomllib; its forerunner reads the same.
tomllib: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

_MASK = "********"
_URL_SECRET = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s@]*@")
_QUERY_SECRET = re.compile(
    r"(?P<name>(?:pass(?:word|wd|phrase)?|pwd|pw|token|key|auth|secret)=)[^&\s'\"]+", re.IGNORECASE
)
"""Cheap cameras want the password as a parameter: `?user=admin&pwd=...`, `/user=a&password=...`."""
_SECRET_NAME = re.compile(r"password|secret|token|private_key", re.IGNORECASE)


class Settings(BaseModel):
    """Base of every settings model: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _beside_the_file(path: Path, info: Info) -> Path:
    base = (info.context or {}).get("base_dir")
    path = path.expanduser()
    return path if base is None or path.is_absolute() else Path(base) / path


ConfigPath = Annotated[Path, AfterValidator(_beside_the_file)]
"""A path; a relative one counts from the folder of the config file."""


class SecretFile:
    """A secret that lives in a file of its own; neither str nor repr ever shows its content.

    Args:
        path: Where it lies. A relative one in a config counts from the folder of that file.
    """

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"SecretFile({str(self.path)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretFile) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def problem(self) -> AskOperator | None:
        """What keeps the file from being used, if anything: absent, empty, or open to others."""
        try:
            status = self.path.stat()
        except OSError as error:
            return AskOperator(
                field=str(self.path),
                value=error.strerror,
                allowed="a readable file",
                next_step="create it, or correct the path in the config",
            )
        if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
            return AskOperator(
                field=str(self.path),
                value="no content",
                allowed="a file that holds the secret and nothing else",
                next_step="write the secret into it",
            )
        if status.st_mode & 0o037:
            return AskOperator(
                field=f"permissions of {self.path}",
                value=oct(stat.S_IMODE(status.st_mode)),
                allowed="0600, 0400, 0640 or 0440",
                next_step=f"run: chmod 600 {self.path}",
            )
        return None

    def read_bytes(self) -> bytes:
        """The secret as it stands in the file.

        Raises:
            AskOperator: The file is absent, empty, or others may read or change it.
        """
        found = self.problem()
        if found is not None:
            raise found
        return self.path.read_bytes()

    def read_text(self) -> str:
        """The secret as text, without the line end an editor leaves behind."""
        return self.read_bytes().decode("utf-8").rstrip("\r\n")

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def build(value: Any, info: Info) -> "SecretFile":
            if isinstance(value, SecretFile):
                return value
            if not isinstance(value, (str, Path)) or not str(value):
                raise ValueError("should be the path of a file that holds the secret")
            return SecretFile(_beside_the_file(Path(value), info))

        return core_schema.with_info_plain_validator_function(
            build,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda secret: str(secret.path)
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a file.

    Attributes:
        file: The file.
        key: Dotted, with the index of tables that repeat: ``camera[0].mount.azimuth_deg``.
        value: What stands there, free of secrets; "(missing)" if nothing does.
        allowed: What would be accepted.
        next_step: What to do about it.
    """

    file: str
    key: str
    value: str
    allowed: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key} = {self.value}: {self.allowed}. {self.next_step}"


class SettingsError(AskOperator):
    """Everything wrong in one settings file, at once.

    Args:
        problems: At least one.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(
            field=first.key, value=first.value, allowed=first.allowed, next_step=first.next_step
        )

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[ModelT]):
    """A settings file that was accepted.

    Attributes:
        model: Its content.
        sha256: Of the file's bytes, hexadecimal; travels in birth and health.
        path: Where it was read from.
    """

    model: ModelT
    sha256: str
    path: Path


def load(path: Path, model: type[ModelT]) -> Loaded[ModelT]:
    """Read and validate one settings file.

    Args:
        path: Of a TOML file.
        model: What it must hold.

    Raises:
        SettingsError: With every problem of the file.
    """
    path = path.absolute()
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            [
                Problem(
                    file=str(path),
                    key="(file)",
                    value=error.strerror or "unreadable",
                    allowed="a readable TOML file",
                    next_step="Write one with the `init` command, or pass --config",
                )
            ]
        ) from None
    return Loaded(
        model=parse(raw, model, path=path), sha256=hashlib.sha256(raw).hexdigest(), path=path
    )


def parse(raw: bytes, model: type[ModelT], *, path: Path) -> ModelT:
    """Validate the bytes of a settings file.

    Args:
        raw: TOML in UTF-8.
        model: What it must hold.
        path: For messages and for relative paths inside.

    Raises:
        SettingsError: With every problem.
    """
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(
            [
                Problem(
                    file=str(path),
                    key="(syntax)",
                    value=str(error),
                    allowed="TOML 1.0 in UTF-8",
                    next_step="Correct that place and check again",
                )
            ]
        ) from None
    try:
        return model.model_validate(data, context={"base_dir": path.parent})
    except ValidationError as error:
        raise SettingsError(_problems(error, model, path)) from None


def mask_url(text: str) -> str:
    """The text with user and password of any URL in it hidden."""
    return mask_parameters(_URL_SECRET.sub(rf"\g<scheme>{_MASK}@", text))


def mask_parameters(text: str) -> str:
    """The text with the values of parameters that are named as secrets hidden."""
    return _QUERY_SECRET.sub(rf"\g<name>{_MASK}", text)


def _key(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "(file)"


def _shown(key: str, value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "(a table)" if isinstance(value, dict) else "(a list)"
    if _SECRET_NAME.search(key.rsplit(".", 1)[-1]) and not key.endswith("_file"):
        return _MASK
    return mask_url(repr(value))[:200]


def _walk(
    model: type[BaseModel], location: tuple[int | str, ...]
) -> tuple[type[BaseModel] | None, tuple[int | str, ...]]:
    """The model whose table the last part of a location stands in, and the location as in the file.

    Where a key of a table tells which model is meant, pydantic names that choice as a part.
    """
    from runtime.toml_text import models

    found: type[BaseModel] | None = model
    choices: list[type[BaseModel]] = []
    kept: list[int | str] = []
    for position, part in enumerate(location):
        if choices:
            chosen = [one for one in choices if part in _choices(one)]
            choices = []
            if chosen:
                found = chosen[0]
                continue
        kept.append(part)
        if isinstance(part, int) or found is None or position == len(location) - 1:
            continue
        info = found.model_fields.get(part)
        inner = [] if info is None else models(info.annotation)
        found = inner[0] if inner else None
        choices = inner if len(inner) > 1 else []
    return found, tuple(kept)


def _choices(model: type[BaseModel]) -> set[object]:
    """Words that a table of this model may choose it by."""
    return {
        word
        for info in model.model_fields.values()
        if get_origin(info.annotation) is Literal
        for word in get_args(info.annotation)
    }


def _problems(error: ValidationError, model: type[BaseModel], path: Path) -> list[Problem]:
    found = []
    details = error.errors(include_url=False, include_context=False)
    places = {detail["loc"] for detail in details}
    for detail in details:
        location = detail["loc"]
        deeper = any(place[: len(location)] == location and place != location for place in places)
        if detail["type"] == "too_short" and deeper:
            continue  # Only "too short" because a faulty entry was not counted.
        owner, in_file = _walk(model, location)
        key = _key(in_file)
        value = _shown(key, detail["input"])
        allowed = mask_url(detail["msg"])
        next_step = "Correct the value"
        if detail["type"] == "missing":
            value, next_step = "(missing)", "Add the key"
        elif detail["type"] == "extra_forbidden":
            known = sorted(owner.model_fields) if owner else []
            near = difflib.get_close_matches(str(location[-1]), known, n=1)
            allowed = f"no such key here; known are {', '.join(known)}"
            next_step = f"Did you mean {near[0]}?" if near else "Remove the key"
        found.append(
            Problem(file=str(path), key=key, value=value, allowed=allowed, next_step=next_step)
        )
    return found


def render_masked(model: BaseModel) -> str:
    """What is in force, as TOML, with passwords in URLs hidden; secrets only as the path of their file."""
    from runtime.toml_text import write

    return write(masked_data(model))


def masked_data(model: BaseModel) -> dict[str, Any]:
    """What is in force, as plain data, with passwords hidden."""
    data: dict[str, Any] = _masked(model.model_dump(mode="json", exclude_none=True))
    return data


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _MASK
            if isinstance(inner, str)
            and _SECRET_NAME.search(key)
            and not key.endswith(("_file", "_path"))
            else _masked(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return mask_url(value) if isinstance(value, str) else value


def commented_template(model: type[BaseModel]) -> str:
    """A whole config to start from: titles and limits as comments, defaults commented out.

    Keys without a default stand uncommented with their first example, so that the text is itself
    a valid file when every such key has one.
    """
    from runtime.toml_text import template

    return template(model)
