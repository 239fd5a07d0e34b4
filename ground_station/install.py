"""Makes a new station: folders, config, signing key, database; and credentials for nodes."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ground_station import credentials
from ground_station.config import GroundConfig
from ground_station.store import Store, chain
from runtime.clock import Clock
from runtime.errors import AskOperator
from runtime.settings import Loaded, commented_template, load
from runtime.toml_text import write
from wire.signing import BadKey, SigningKey
from wire.values import NAME_PATTERN

CONFIG_NAME = "station.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """Where everything of a new station lies."""

    config_file: Path
    public_key_file: Path
    database: str


def fill_template(text: str, values: dict[tuple[str, str], Any]) -> str:
    """Set keys of a commented template; the comments stay.

    Args:
        text: of `commented_template`.
        values: by (table, key).

    Raises:
        KeyError: the template has no such key.
    """
    lines = text.splitlines()
    missing = dict(values)
    table = ""
    for number, line in enumerate(lines):
        header = re.fullmatch(r"#? ?\[([\w.]+)\]", line)
        if header:
            table = header.group(1)
            continue
        entry = re.fullmatch(r"(?:# )?(\w+) =.*", line)
        if entry and (table, entry.group(1)) in missing:
            key = entry.group(1)
            lines[number] = write({key: missing.pop((table, key))}).strip()
    if missing:
        raise KeyError(f"the template has no {sorted(missing)}")
    return "\n".join(lines) + "\n"


def install(folder: Path, values: dict[tuple[str, str], Any], *, clock: Clock) -> Installed:
    """Make a new station in a folder; nothing that is there is replaced.

    Raises:
        AskOperator: a station is there already, or a value is wrong.
    """
    config_file = folder / CONFIG_NAME
    if config_file.exists():
        raise AskOperator(
            field="folder",
            value=str(folder),
            allowed="a folder without a station",
            next_step=f"{config_file} is there already: edit it, or choose another folder",
        )
    keys = folder / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    key_file = keys / "station.key"
    public_file = keys / "station.pub"
    try:
        if key_file.exists():
            key = SigningKey.load(key_file)
        else:
            key = SigningKey.generate()
            key.save(key_file)
    except BadKey as error:
        raise AskOperator(
            field="keys/station.key",
            value=str(key_file),
            allowed="a key of this station",
            next_step=str(error),
        ) from None
    public_file.write_bytes(key.public.to_pem())
    defaults: dict[tuple[str, str], Any] = {
        ("station", "data_dir"): "data",
        ("station", "signing_key_file"): "keys/station.key",
    }
    part = config_file.with_suffix(".toml.part")
    part.write_text(fill_template(commented_template(GroundConfig), defaults | values))
    try:
        loaded: Loaded[GroundConfig] = load(part, GroundConfig)
    except AskOperator:
        part.unlink()
        raise
    config = loaded.model
    config.station.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    part.replace(config_file)
    store = Store(config.database_url)
    try:
        store.migrate()
        with store.write() as tx:
            chain.append(
                tx,
                t_utc=clock.utc(),
                actor="system",
                act="station.made",
                subject=config.station.site_id,
                detail={"key_id": key.public.key_id},
            )
    finally:
        store.close()
    return Installed(config_file=config_file, public_key_file=public_file, database=store.shown_url)


def enrol(
    config: GroundConfig,
    node_id: str,
    out: Path,
    *,
    role: credentials.Role = "node",
    store: Store,
    clock: Clock,
    actor: str,
) -> str:
    """Give a node its password for our broker, in a file that only its owner reads.

    Args:
        config: of the station.
        node_id: name of the node, the friend or the listener.
        out: file for the password.
        role: what it is.
        store: for the audit row.
        clock: for its time.
        actor: who does it.

    Returns:
        the user name to log in with.

    Raises:
        AskOperator: the name is not allowed, or the file is there already.
    """
    if not re.match(NAME_PATTERN, node_id):
        raise AskOperator(
            field="node",
            value=node_id,
            allowed="lower case letters, digits and hyphens, 48 at most",
            next_step="choose the node_id that stands in the node's config",
        )
    if out.exists():
        raise AskOperator(
            field="--out",
            value=str(out),
            allowed="a file that is not there yet",
            next_step="choose another name, or remove the old credential",
        )
    password = credentials.new_password()
    passwords = config.broker_dir / "passwords"
    user = credentials.login(node_id, role)
    replaced = user in credentials.users(passwords)
    credentials.write_secret(out, password + "\n")
    credentials.set_password(passwords, user, password)
    with store.write() as tx:
        chain.append(
            tx,
            t_utc=clock.utc(),
            actor=actor,
            act="node.enrolled",
            subject=user,
            detail={"replaced": replaced},
        )
    return user
