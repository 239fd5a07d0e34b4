"""Who may do what: passwords with argon2, roles, logins in cookies, and a wait after wrong ones."""

import contextlib
import hashlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Literal, get_args

import argon2

from ground_station.config import HttpSettings
from ground_station.store import Store, StoreUnavailable, Transaction, chain, people
from ground_station.store.people import Session, User
from ground_station.views import Role
from runtime.clock import Clock
from runtime.errors import AskOperator

ROLES: tuple[str, ...] = get_args(Role)
MIN_PASSWORD = 10
MAX_PASSWORD = 256
LINK_LIVES_S = 3600.0
TOUCH_EVERY_S = 60.0
MAX_WAIT_S = 3600.0
MAX_TRACKED = 4096

Deed = Literal["watch", "handle_alerts", "command_sensors"]
MAY: dict[Deed, frozenset[str]] = {
    "watch": frozenset(ROLES),
    "handle_alerts": frozenset({"guard", "operator", "administrator"}),
    "command_sensors": frozenset({"operator", "technician", "administrator"}),
}
"""Which roles may do which deed."""


class NotLoggedIn(Exception):
    """No login in force."""


class LoginRefused(Exception):
    """Wrong user or password (which of them is never said)."""


class TooManyAttempts(Exception):
    """Wait first."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many failed logins; wait {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A new login: the token goes into the cookie and is kept nowhere."""

    token: str
    session: Session

    def __repr__(self) -> str:
        return f"Login(user={self.session.user.name!r})"


@dataclass(slots=True, kw_only=True)
class _Failures:
    count: int = 0
    until_s: float = 0.0
    last_s: float = 0.0


class Throttle:
    """Failed logins per user and address: a few are free, then each costs twice the wait.

    Args:
        attempts: free ones.
        wait_s: the first wait.
    """

    def __init__(self, *, attempts: int, wait_s: float) -> None:
        self._attempts = attempts
        self._wait_s = wait_s
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, user: str, address: str, now_s: float) -> float:
        """How long this user at this address still waits; 0 when it may try."""
        found = self._failures.get((user, address))
        return 0.0 if found is None else max(0.0, found.until_s - now_s)

    def failed(self, user: str, address: str, now_s: float) -> None:
        """Count a failure; failures are forgotten after an hour without one."""
        key = (user, address)
        with self._lock:
            self._count(key, self._failures.pop(key, _Failures()), now_s)

    def _count(self, key: tuple[str, str], found: _Failures, now_s: float) -> None:
        if now_s - found.last_s > MAX_WAIT_S:
            found.count = 0
        found.count += 1
        found.last_s = now_s
        if found.count >= self._attempts:
            doubled = self._wait_s * 2.0 ** min(20, found.count - self._attempts)
            found.until_s = now_s + min(MAX_WAIT_S, doubled)
        self._failures[key] = found
        while len(self._failures) > MAX_TRACKED:
            self._failures.popitem(last=False)

    def succeeded(self, user: str, address: str) -> None:
        """Forget the failures."""
        with self._lock:
            self._failures.pop((user, address), None)


def token_sha256(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def check_new_password(password: str, *, user: str) -> None:
    """Refuse what is guessed first.

    Raises:
        AskOperator: too short, too long, or made of the user's name.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise AskOperator(
            field="password",
            value=f"{len(password)} characters",
            allowed=f"{MIN_PASSWORD} to {MAX_PASSWORD} characters",
            next_step="choose a longer one; a sentence is easy to keep",
        )
    if user.lower() in password.lower() or len(set(password)) < 5:
        raise AskOperator(
            field="password",
            value="(hidden)",
            allowed="not the user's name and not one character repeated",
            next_step="choose another one",
        )


class People:
    """Users and their logins.

    Args:
        store: where they are kept.
        clock: for expiry and waits.
        settings: how long logins last.
    """

    def __init__(self, *, store: Store, clock: Clock, settings: HttpSettings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._hasher = argon2.PasswordHasher()
        self._throttle = Throttle(attempts=settings.login_attempts, wait_s=settings.login_wait_s)
        self._address_throttle = Throttle(
            attempts=settings.login_attempts * 4, wait_s=settings.login_wait_s
        )
        """Somebody at one address who tries name after name."""
        self._hashing = threading.Semaphore(2)
        """Argon2 takes 64 MB each time: never more than two at once, whoever knocks."""

    @cached_property
    def _nobody_hash(self) -> str:
        """Checked when there is no such user, so that the time taken tells nothing."""
        return self._hasher.hash(secrets.token_urlsafe(16))

    # --- users ------------------------------------------------------------------------------------
    def add_user(
        self, *, name: str, display_name: str, role: str, password: str | None, actor: str
    ) -> None:
        """Add a user; without a password only a one-time link logs in.

        Raises:
            AskOperator: the name is taken or not allowed, the role unknown, the password weak.
        """
        plain = name.replace("-", "").replace("_", "").replace(".", "")
        if not (1 <= len(name) <= 64 and plain.isascii() and plain.isalnum()):
            raise AskOperator(
                field="user",
                value=name,
                allowed="1 to 64 letters, digits, '-', '_' or '.'",
                next_step="choose another name; --name keeps the full name with diacritics",
            )
        if role not in ROLES:
            raise AskOperator(
                field="role",
                value=role,
                allowed=", ".join(ROLES),
                next_step="choose one of them",
            )
        if password is not None:
            check_new_password(password, user=name)
        chosen = password if password is not None else secrets.token_urlsafe(32)
        user = User(
            name=name,
            display_name=display_name[:100] or name,
            role=role,
            password_hash=self._hasher.hash(chosen),
            active=True,
        )
        now_utc = self._clock.utc()
        with self._store.write() as tx:
            if people.get_user(tx, name) is not None:
                raise AskOperator(
                    field="user",
                    value=name,
                    allowed="a name that is not taken",
                    next_step=f"choose another, or run: border-ground user passwd {name}",
                )
            people.save_user(tx, user, now_utc=now_utc)
            self._audit(tx, actor, "user.added", name, role=role)

    def first_role(self) -> str:
        """What a user becomes without a stated role: the first one an administrator, nobody else.

        Raises:
            AskOperator: there are users already.
        """
        with self._store.read() as tx:
            if not people.list_users(tx):
                return "administrator"
        raise AskOperator(
            field="--role",
            value="(not given)",
            allowed=", ".join(ROLES),
            next_step="say which; only the first user is an administrator by itself",
        )

    def set_password(self, *, name: str, password: str, actor: str) -> None:
        """Change a password; every login of that user ends."""
        check_new_password(password, user=name)
        hashed = self._hasher.hash(password)
        with self._store.write() as tx:
            user = self._known(tx, name)
            people.save_user(tx, replace(user, password_hash=hashed), now_utc=self._clock.utc())
            ended = people.end_sessions_of(tx, name)
            self._audit(tx, actor, "user.password_changed", name, logins_ended=ended)

    def set_active(self, *, name: str, active: bool, actor: str) -> None:
        """Lock a user out, or let one in again; every login of a locked one ends."""
        with self._store.write() as tx:
            user = self._known(tx, name)
            people.save_user(tx, replace(user, active=active), now_utc=self._clock.utc())
            if not active:
                people.end_sessions_of(tx, name)
            self._audit(tx, actor, "user.enabled" if active else "user.disabled", name)

    def make_link(self, *, name: str, actor: str) -> str:
        """A token that logs this user in once, within the hour, from this machine."""
        token = secrets.token_urlsafe(32)
        now_utc = self._clock.utc()
        with self._store.write() as tx:
            self._known(tx, name)
            people.add_link(
                tx,
                token_sha256=token_sha256(token),
                user_name=name,
                t_expires_utc=now_utc + timedelta(seconds=LINK_LIVES_S),
            )
            self._audit(tx, actor, "user.link_made", name)
        return token

    def _known(self, tx: Transaction, name: str) -> User:
        user = people.get_user(tx, name)
        if user is None:
            raise AskOperator(
                field="user",
                value=name,
                allowed="a user of this station",
                next_step="run: border-ground user list",
            )
        return user

    # --- logins -----------------------------------------------------------------------------------
    def login(self, *, name: str, password: str, address: str) -> Login:
        """Check a password and begin a login.

        Raises:
            TooManyAttempts: wait first.
            LoginRefused: wrong, whatever it is.
        """
        now_s = self._clock.monotonic_s()
        wait_s = max(
            self._throttle.wait_s(name, address, now_s),
            self._address_throttle.wait_s("", address, now_s),
        )
        if wait_s > 0:
            raise TooManyAttempts(wait_s)
        with self._store.read() as tx:
            user = people.get_user(tx, name)
        try:
            with self._hashing:
                self._hasher.verify(
                    self._nobody_hash if user is None else user.password_hash, password
                )
            right = user is not None and user.active
        except argon2.exceptions.VerificationError:
            right = False
        if user is None or not right:
            self._throttle.failed(name, address, now_s)
            self._address_throttle.failed("", address, now_s)
            if user is not None:  # Names that nobody has are counted, not recorded without end.
                with self._store.write() as tx:
                    self._audit(tx, name, "login.refused", address)
            raise LoginRefused
        self._throttle.succeeded(name, address)
        self._address_throttle.succeeded("", address)
        with self._store.write() as tx:
            if self._hasher.check_needs_rehash(user.password_hash):
                rehashed = replace(user, password_hash=self._hasher.hash(password))
                people.save_user(tx, rehashed, now_utc=self._clock.utc())
            return self._begin(tx, user, how="password", address=address)

    def login_by_link(self, *, token: str, address: str) -> Login:
        """Use up a one-time link.

        Raises:
            TooManyAttempts: wait first.
            LoginRefused: no such link in force.
        """
        now_s = self._clock.monotonic_s()
        wait_s = self._throttle.wait_s("(link)", address, now_s)
        if wait_s > 0:
            raise TooManyAttempts(wait_s)
        with self._store.write() as tx:
            name = people.take_link(tx, token_sha256(token), now_utc=self._clock.utc())
            user = None if name is None else people.get_user(tx, name)
            if user is not None and user.active:
                return self._begin(tx, user, how="link", address=address)
        self._throttle.failed("(link)", address, now_s)
        raise LoginRefused

    def _begin(self, tx: Transaction, user: User, *, how: str, address: str) -> Login:
        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        now_utc = self._clock.utc()
        expires = now_utc + timedelta(hours=self._settings.session_hours)
        people.add_session(
            tx,
            token_sha256=token_sha256(token),
            user_name=user.name,
            csrf_token=csrf,
            t_now_utc=now_utc,
            t_expires_utc=expires,
        )
        self._audit(tx, user.name, "login", address, how=how)
        return Login(
            token=token,
            session=Session(user=user, csrf_token=csrf, t_expires_utc=expires, t_seen_utc=now_utc),
        )

    def session(self, token: str | None) -> Session:
        """The login that a cookie stands for.

        Raises:
            NotLoggedIn: none, expired, idle for too long, or the user is no longer active.
        """
        if not token or len(token) > 128:
            raise NotLoggedIn
        hashed, now_utc = token_sha256(token), self._clock.utc()
        with self._store.read() as tx:
            found = people.get_session(tx, hashed)
        if found is None or not found.user.active or found.t_expires_utc <= now_utc:
            raise NotLoggedIn
        idle_s = (now_utc - found.t_seen_utc).total_seconds()
        if idle_s > self._settings.idle_minutes * 60.0:
            raise NotLoggedIn
        if idle_s > TOUCH_EVERY_S:
            # A full disk must not lock out the guards who watch: the login holds all the same.
            with contextlib.suppress(StoreUnavailable), self._store.write() as tx:
                people.touch_session(tx, hashed, t_now_utc=now_utc)
        return found

    def logout(self, token: str, *, user: str) -> None:
        """End a login."""
        with self._store.write() as tx:
            people.end_session(tx, token_sha256(token))
            self._audit(tx, user, "logout", "")

    def _audit(self, tx: Transaction, actor: str, act: str, subject: str, **detail: object) -> None:
        chain.append(
            tx, t_utc=self._clock.utc(), actor=actor, act=act, subject=subject, detail=detail
        )
