"""Users, their logins, one-time links, and answers kept for repeated requests."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ground_station.store import tables as t
from ground_station.store.rows import from_ms, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who may log in; the hash is never shown."""

    name: str
    display_name: str
    role: str
    password_hash: str
    active: bool

    def __repr__(self) -> str:
        return f"User(name={self.name!r}, role={self.role!r}, active={self.active})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A login in force."""

    user: User
    csrf_token: str
    t_expires_utc: datetime
    t_seen_utc: datetime

    def __repr__(self) -> str:
        return f"Session(user={self.user.name!r})"


def _user(row: sa.Row[tuple[object, ...]]) -> User:
    found = row._mapping  # noqa: SLF001  # SQLAlchemy's public name for the row as a mapping
    return User(
        name=found["name"],
        display_name=found["display_name"],
        role=found["role"],
        password_hash=found["password_hash"],
        active=found["active"],
    )


def get_user(tx: sa.Connection, name: str) -> User | None:
    """One user."""
    row = tx.execute(sa.select(t.users).where(t.users.c.name == name)).one_or_none()
    return None if row is None else _user(row)


def list_users(tx: sa.Connection) -> list[User]:
    """All users by name."""
    return [_user(row) for row in tx.execute(sa.select(t.users).order_by(t.users.c.name))]


def save_user(tx: sa.Connection, user: User, *, now_utc: datetime) -> None:
    """Add a user, or change one that is there."""
    row = {
        "display_name": user.display_name,
        "role": user.role,
        "password_hash": user.password_hash,
        "active": user.active,
    }
    changed = tx.execute(sa.update(t.users).where(t.users.c.name == user.name).values(**row))
    if changed.rowcount == 0:
        tx.execute(
            sa.insert(t.users).values(name=user.name, t_created_utc_ms=to_ms(now_utc), **row)
        )


def add_session(
    tx: sa.Connection,
    *,
    token_sha256: str,
    user_name: str,
    csrf_token: str,
    t_now_utc: datetime,
    t_expires_utc: datetime,
) -> None:
    """A new login; only the token's hash is kept."""
    tx.execute(
        sa.insert(t.sessions).values(
            token_sha256=token_sha256,
            user_name=user_name,
            csrf_token=csrf_token,
            t_created_utc_ms=to_ms(t_now_utc),
            t_expires_utc_ms=to_ms(t_expires_utc),
            t_seen_utc_ms=to_ms(t_now_utc),
        )
    )


def get_session(tx: sa.Connection, token_sha256: str) -> Session | None:
    """A login with its user, whether or not it is still in force."""
    s, u = t.sessions, t.users
    query = (
        sa.select(u, s.c.csrf_token, s.c.t_expires_utc_ms, s.c.t_seen_utc_ms)
        .join_from(s, u, s.c.user_name == u.c.name)
        .where(s.c.token_sha256 == token_sha256)
    )
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    return Session(
        user=_user(row),
        csrf_token=row.csrf_token,
        t_expires_utc=from_ms(row.t_expires_utc_ms),
        t_seen_utc=from_ms(row.t_seen_utc_ms),
    )


def touch_session(tx: sa.Connection, token_sha256: str, *, t_now_utc: datetime) -> None:
    """The login was used just now."""
    tx.execute(
        sa.update(t.sessions)
        .where(t.sessions.c.token_sha256 == token_sha256)
        .values(t_seen_utc_ms=to_ms(t_now_utc))
    )


def end_session(tx: sa.Connection, token_sha256: str) -> None:
    """Log out."""
    tx.execute(sa.delete(t.sessions).where(t.sessions.c.token_sha256 == token_sha256))


def end_sessions_of(tx: sa.Connection, user_name: str) -> int:
    """Log a user out everywhere; how many logins ended."""
    done = tx.execute(sa.delete(t.sessions).where(t.sessions.c.user_name == user_name))
    return done.rowcount


def on_watch(tx: sa.Connection, *, now_utc: datetime, seen_since_utc: datetime) -> list[str]:
    """Display names of users whose login is in force and was used lately."""
    s, u = t.sessions, t.users
    query = (
        sa.select(u.c.display_name)
        .join_from(s, u, s.c.user_name == u.c.name)
        .where(
            u.c.active,
            s.c.t_expires_utc_ms > to_ms(now_utc),
            s.c.t_seen_utc_ms >= to_ms(seen_since_utc),
        )
        .distinct()
        .order_by(u.c.display_name)
    )
    return list(tx.execute(query).scalars())


def add_link(
    tx: sa.Connection, *, token_sha256: str, user_name: str, t_expires_utc: datetime
) -> None:
    """A link that logs in once."""
    tx.execute(
        sa.insert(t.login_links).values(
            token_sha256=token_sha256,
            user_name=user_name,
            t_expires_utc_ms=to_ms(t_expires_utc),
        )
    )


def take_link(tx: sa.Connection, token_sha256: str, *, now_utc: datetime) -> str | None:
    """Use up a link; its user, or None when there is no such link in force."""
    links = t.login_links
    row = tx.execute(sa.select(links).where(links.c.token_sha256 == token_sha256)).one_or_none()
    if row is None:
        return None
    tx.execute(sa.delete(links).where(links.c.token_sha256 == token_sha256))
    return str(row.user_name) if row.t_expires_utc_ms > to_ms(now_utc) else None


def get_answer(tx: sa.Connection, *, user_name: str, key: str) -> tuple[str, str] | None:
    """(hash of the request, answer) kept for this user's idempotency key."""
    i = t.idempotency
    query = sa.select(i.c.request_sha256, i.c.answer_json).where(
        i.c.user_name == user_name, i.c.idempotency_key == key
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else (row.request_sha256, row.answer_json)


def keep_answer(
    tx: sa.Connection,
    *,
    user_name: str,
    key: str,
    request_sha256: str,
    answer_json: str,
    now_utc: datetime,
) -> None:
    """Keep an answer, in the transaction of what it answers."""
    tx.execute(
        sa.insert(t.idempotency).values(
            user_name=user_name,
            idempotency_key=key,
            request_sha256=request_sha256,
            answer_json=answer_json,
            t_utc_ms=to_ms(now_utc),
        )
    )
