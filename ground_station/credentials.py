"""Passwords and permissions of our own mosquitto: who may write and read which topics.

Source: mosquitto_passwd(1), mosquitto.conf(5): `$7$iterations$salt$hash` is PBKDF2 with SHA-512.
"""

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from wire import topics

STATION_USER = "_station"
"""No node can be called so: names of nodes have no underscore."""
Role = Literal["node", "friend", "listener"]
"""A node reports; a friend says where our own patrol is; a listener hears alerts (a siren)."""
_PREFIX: dict[Role, str] = {"node": "", "friend": "_friend-", "listener": "_listener-"}
_ITERATIONS = 101
_SALT_BYTES = 12
_HASH_BYTES = 64


def new_password() -> str:
    """32 random characters that survive any config file."""
    return secrets.token_urlsafe(24)


def password_line(user: str, password: str) -> str:
    """One line of mosquitto's password file.

    The passwords are 192 random bits, so mosquitto's own few iterations are enough.
    """
    salt = os.urandom(_SALT_BYTES)
    found = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS, _HASH_BYTES)
    return (
        f"{user}:$7${_ITERATIONS}${base64.b64encode(salt).decode()}"
        f"${base64.b64encode(found).decode()}"
    )


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    handle = os.open(path.parent / part.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def set_password(path: Path, user: str, password: str) -> None:
    """Add or replace a user in the password file."""
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if line and line.split(":", 1)[0] != user]
    write_secret(path, "\n".join([*kept, password_line(user, password)]) + "\n")


def users(path: Path) -> list[str]:
    """Who may log in."""
    if not path.exists():
        return []
    return sorted(line.split(":", 1)[0] for line in path.read_text().splitlines() if line)


def _level(spec: topics.TopicSpec, site_id: str, **values: str) -> str:
    template = spec.template.replace("{site}", site_id)
    for key, value in values.items():
        template = template.replace(f"{{{key}}}", value)
    return f"{topics.ROOT}/" + re.sub(r"\{\w+\}", "+", template)


def login(name: str, role: Role) -> str:
    """The user name at the broker of somebody who was enrolled."""
    return _PREFIX[role] + name


def _others(site_id: str, user: str) -> list[str]:
    """What a user who is neither node nor station may do."""
    lines = []
    for spec in topics.TABLE:
        if spec.direction == "in" and user.startswith(_PREFIX["friend"]):
            own = _level(spec, site_id, friend=user.removeprefix(_PREFIX["friend"]))
            lines.append(f"topic write {own}")
        elif spec.direction == "out" and user.startswith(_PREFIX["listener"]):
            lines.append(f"topic read {_level(spec, site_id)}")
    return ["", f"user {user}", *lines] if lines else []


def access_list(site_id: str, logins: Iterable[str] = ()) -> str:
    """Mosquitto's ACL file, made from the one table of topics.

    A node, logged in under its own name (`%u`), writes its own up topics and reads its own down
    topics. Commands can be written by the station alone, a patrol's place by that patrol alone:
    it lowers alerts, so no node may say it.

    Args:
        site_id: of the station.
        logins: who may log in; friends and listeners get their own topics.
    """
    lines = ["# Written by border-ground from wire.topics; changes here are lost.", ""]
    lines.append(f"user {STATION_USER}")
    for spec in topics.TABLE:
        verb = "read" if spec.direction in {"up", "in"} else "write"
        lines.append(f"topic {verb} {_level(spec, site_id)}")
    for user in logins:
        lines += _others(site_id, user)
    lines.append("")
    for spec in topics.TABLE:
        if spec.direction == "up":
            lines.append(f"pattern write {_level(spec, site_id, node='%u')}")
        elif spec.direction == "down":
            lines.append(f"pattern read {_level(spec, site_id, node='%u')}")
    return "\n".join(lines) + "\n"
