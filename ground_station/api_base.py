"""What every route shares: the parts it works on, who asks, and errors as problems (RFC 9457)."""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import Response

from ground_station.auth import MAY, Deed, NotLoggedIn, People
from ground_station.command import Commander
from ground_station.config import GroundConfig
from ground_station.desk import Desk
from ground_station.hub import Hub
from ground_station.metrics import Metrics
from ground_station.pictures import Pictures
from ground_station.store import Store, Transaction, people
from ground_station.store.people import Session
from ground_station.views import AlertView, Problem, SiteView
from runtime.clock import Clock
from runtime.workers import Supervisor

COOKIE = "bw_session"
CSRF_HEADER = "X-CSRF-Token"
PROBLEM_TYPE = "application/problem+json"
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that routes work on, made by the composition root.

    Attributes:
        site: what is drawn; its `simulated` is filled in per request.
        page_dir: the built page, or None when it was not built.
    """

    config: GroundConfig
    clock: Clock
    store: Store
    desk: Desk
    hub: Hub
    people: People
    commander: Commander
    pictures: Pictures
    metrics: Metrics
    supervisor: Supervisor
    site: SiteView
    version: str
    page_dir: Path | None


class Refusal(Exception):
    """A request that is answered with a problem."""

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        *,
        field: str = "",
        allowed: str = "",
        next_step: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.problem = Problem(
            type=f"urn:border-watch:{kind}",
            title=title,
            status=status,
            detail=detail,
            field=field,
            allowed=allowed,
            next_step=next_step,
        )

    def response(self) -> Response:
        """The answer; ASCII, so that whatever was sent can be told back."""
        headers = {}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, round(self.retry_after_s)))
        return Response(
            json.dumps(self.problem.model_dump()),
            status_code=self.problem.status,
            media_type=PROBLEM_TYPE,
            headers=headers,
        )


def not_found(what: str, name: str) -> Refusal:
    """404."""
    return Refusal(404, "not-found", "Not found", f"there is no {what} {name[:80]!r}", field=what)


def parts_of(request: Request) -> Parts:
    """The parts of the application that serves this request."""
    found: Parts = request.app.state.parts
    return found


PartsDep = Annotated[Parts, Depends(parts_of)]


def client_address(request: Request) -> str:
    """Address of the other end of the socket; headers of proxies are not believed."""
    return request.client.host if request.client is not None else ""


def current_session(request: Request, parts: PartsDep) -> Session:
    """The login of who asks.

    Raises:
        Refusal: 401.
    """
    try:
        return parts.people.session(request.cookies.get(COOKIE))
    except NotLoggedIn:
        raise Refusal(
            401,
            "not-logged-in",
            "Not logged in",
            "this needs a login in force",
            next_step="POST /api/v1/login",
        ) from None


SessionDep = Annotated[Session, Depends(current_session)]


def posting_session(
    session: SessionDep,
    x_csrf_token: Annotated[str | None, Header(max_length=200)] = None,
) -> Session:
    """The login of who changes something: it must show the token that only our own page knows.

    Raises:
        Refusal: 403.
    """
    if not hmac.compare_digest((x_csrf_token or "").encode(), session.csrf_token.encode()):
        raise Refusal(
            403,
            "csrf",
            "Token missing",
            f"the header {CSRF_HEADER} does not carry this login's token",
            field=CSRF_HEADER,
            allowed="csrf_token of GET /api/v1/session",
            next_step="read the session again and repeat the request",
        )
    return session


PostingDep = Annotated[Session, Depends(posting_session)]


def need(session: Session, deed: Deed) -> None:
    """Refuse who may not.

    Raises:
        Refusal: 403.
    """
    if session.user.role not in MAY[deed]:
        raise Refusal(
            403,
            "role",
            "Not allowed",
            f"the role {session.user.role} may not do this",
            field="role",
            allowed=", ".join(sorted(MAY[deed])),
            next_step="ask somebody with that role",
        )


class Once:
    """An idempotency key: the same request again gets the same answer and does nothing.

    Args:
        parts: the store and the clock.
        session: keys belong to a user.
        key: as sent; None when the client sent none.
        request_text: what was asked, whole.
    """

    def __init__(
        self, parts: Parts, session: Session, *, key: str | None, request_text: str
    ) -> None:
        self._parts = parts
        self._user = session.user.name
        self._key = key
        self._sha256 = hashlib.sha256(request_text.encode("utf-8", "surrogatepass")).hexdigest()
        if key is not None and not _KEY.fullmatch(key):
            raise Refusal(
                422,
                "idempotency-key",
                "Bad key",
                "the header Idempotency-Key is not a key",
                field="Idempotency-Key",
                allowed="8 to 64 letters, digits, '-' or '_'",
                next_step="send a fresh random key, or none",
            )

    def kept(self) -> AlertView | None:
        """The answer given before, if this is a repetition.

        Raises:
            Refusal: 422, the key was used for another request.
        """
        if self._key is None:
            return None
        with self._parts.store.read() as tx:
            found = people.get_answer(tx, user_name=self._user, key=self._key)
        if found is None:
            return None
        if found[0] != self._sha256:
            raise Refusal(
                422,
                "idempotency-key",
                "Key used before",
                "this Idempotency-Key belongs to another request",
                field="Idempotency-Key",
                allowed="one key per act",
                next_step="send a fresh random key",
            )
        return AlertView.model_validate_json(found[1])

    def keep(self, tx: Transaction, view: AlertView) -> None:
        """Keep the answer in the transaction of the act."""
        if self._key is None:
            return
        if people.get_answer(tx, user_name=self._user, key=self._key) is not None:
            return  # The same request overtook itself; the first answer stays.
        people.keep_answer(
            tx,
            user_name=self._user,
            key=self._key,
            request_sha256=self._sha256,
            answer_json=view.model_dump_json(),
            now_utc=self._parts.clock.utc(),
        )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of the errors of a route."""
    said = {
        400: "Not a request",
        401: "Not logged in",
        403: "Not allowed",
        404: "Not found",
        409: "Does not fit the state",
        422: "Not valid",
        429: "Wait first",
        503: "Try later",
    }
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": said[status], "content": {PROBLEM_TYPE: schema}}
        for status in statuses
    }
