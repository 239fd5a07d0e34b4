"""`border-ground user`: who may log in."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ground_station.cli_base import (
    DEFAULT_CONFIG,
    Config,
    Json,
    actor,
    answering,
    opened,
    say,
    with_people,
)
from runtime.errors import AskOperator

user_app = typer.Typer(help="Who may log in.", no_args_is_help=True)

UserName = Annotated[str, typer.Argument(help="Name to log in with.")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="File that holds the password; '-' for standard input.")
]


def _password(file: Path | None, *, again: bool) -> str:
    if file is not None:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
        return text.rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AskOperator(
            field="--password-file",
            value="(not given)",
            allowed="a file, or '-' for standard input",
            next_step="give one; only a terminal is asked",
        )
    found: str = typer.prompt("Password", hide_input=True, confirmation_prompt=again, err=True)
    return found


@user_app.command("add")
def user_add(
    name: UserName,
    *,
    role: Annotated[
        str | None,
        typer.Option(
            help="guard, operator, technician or administrator; the first user is an administrator."
        ),
    ] = None,
    full_name: Annotated[str, typer.Option("--name", help="Shown on the page.")] = "",
    password_file: PasswordFile = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Only `user link` logs this user in.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Add a user; the first one is an administrator."""
    with answering(), with_people(config) as (_, people):
        chosen = role or people.first_role()
        password = None if no_password else _password(password_file, again=True)
        people.add_user(
            name=name, display_name=full_name, role=chosen, password=password, actor=actor()
        )
    say(f"{name} may log in as {chosen}")


@user_app.command("list")
def user_list(config: Config = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Who may log in."""
    from ground_station.store import people as stored

    with answering(), opened(config) as (_, store), store.read() as tx:
        found = stored.list_users(tx)
    if as_json:
        rows = [
            {"user": u.name, "name": u.display_name, "role": u.role, "active": u.active}
            for u in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for user in found:
        typer.echo(
            f"{user.name}\t{user.role}\t{'active' if user.active else 'disabled'}\t{user.display_name}"
        )


@user_app.command("passwd")
def user_passwd(
    name: UserName, password_file: PasswordFile = None, config: Config = DEFAULT_CONFIG
) -> None:
    """Set a new password; every login of this user ends."""
    with answering(), with_people(config) as (_, people):
        people.set_password(name=name, password=_password(password_file, again=True), actor=actor())
    say(f"{name} has a new password")


@user_app.command("disable")
def user_disable(name: UserName, config: Config = DEFAULT_CONFIG) -> None:
    """Lock a user out; records keep the name."""
    with answering(), with_people(config) as (_, people):
        people.set_active(name=name, active=False, actor=actor())
    say(f"{name} is locked out")


@user_app.command("enable")
def user_enable(name: UserName, config: Config = DEFAULT_CONFIG) -> None:
    """Let a user in again."""
    with answering(), with_people(config) as (_, people):
        people.set_active(name=name, active=True, actor=actor())
    say(f"{name} may log in again")


@user_app.command("link")
def user_link(name: UserName, config: Config = DEFAULT_CONFIG) -> None:
    """Print a link that logs this user in once, within the hour, on this machine."""
    with answering(), with_people(config) as (settings, people):
        token = people.make_link(name=name, actor=actor())
        http = settings.http
    scheme = "http" if http.certificate_file is None else "https"
    typer.echo(f"{scheme}://127.0.0.1:{http.port}/#link={token}")
