"""Logging in and out. The token lives in a cookie that no script can read."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from ground_station.api_base import (
    COOKIE,
    PartsDep,
    PostingDep,
    Refusal,
    SessionDep,
    client_address,
    problems,
)
from ground_station.auth import Login, LoginRefused, TooManyAttempts
from ground_station.config import is_loopback
from ground_station.store.people import Session
from ground_station.views import LinkLoginBody, LoginBody, SessionView
from wire.values import rfc3339_ms

router = APIRouter(prefix="/api/v1", tags=["session"])


def session_view(session: Session) -> SessionView:
    """What the page may know of its login."""
    return SessionView.model_validate(
        {
            "user": session.user.name,
            "display_name": session.user.display_name,
            "role": session.user.role,
            "csrf_token": session.csrf_token,
            "expires_utc": rfc3339_ms(session.t_expires_utc),
        }
    )


def _begun(parts: PartsDep, login: Login, response: Response) -> SessionView:
    http = parts.config.http
    response.set_cookie(
        COOKIE,
        login.token,
        max_age=int(http.session_hours * 3600),
        httponly=True,
        samesite="strict",
        secure=http.certificate_file is not None,
        path="/",
    )
    return session_view(login.session)


def _refused(parts: PartsDep, error: LoginRefused | TooManyAttempts) -> Refusal:
    parts.metrics.logins_refused.inc()
    if isinstance(error, TooManyAttempts):
        return Refusal(
            429,
            "wait",
            "Wait first",
            str(error),
            next_step="wait, then try again; an administrator can set a new password",
            retry_after_s=error.wait_s,
        )
    return Refusal(
        401,
        "login-refused",
        "Login refused",
        "user or password is wrong, or the link was used or is too old",
        next_step="try again, or ask an administrator: border-ground user passwd NAME",
    )


@router.post("/login", responses=problems(400, 401, 422, 429, 503))
def login(body: LoginBody, request: Request, response: Response, parts: PartsDep) -> SessionView:
    """Log in with name and password."""
    try:
        found = parts.people.login(
            name=body.user, password=body.password, address=client_address(request)
        )
    except (LoginRefused, TooManyAttempts) as error:
        raise _refused(parts, error) from None
    return _begun(parts, found, response)


@router.post("/login/link", responses=problems(400, 401, 403, 422, 429, 503))
def login_by_link(
    body: LinkLoginBody, request: Request, response: Response, parts: PartsDep
) -> SessionView:
    """Log in with a one-time link, from this machine only."""
    address = client_address(request)
    if not is_loopback(address):
        raise Refusal(
            403,
            "loopback",
            "Only from this machine",
            "a link logs in from the station's own machine only",
            next_step="log in with name and password",
        )
    try:
        found = parts.people.login_by_link(token=body.token, address=address)
    except (LoginRefused, TooManyAttempts) as error:
        raise _refused(parts, error) from None
    return _begun(parts, found, response)


@router.get("/session", responses=problems(401, 503))
def session(found: SessionDep) -> SessionView:
    """Who is logged in."""
    return session_view(found)


def _token(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


@router.post("/logout", status_code=204, responses=problems(401, 403, 422, 503))
def logout(found: PostingDep, token: Annotated[str, Depends(_token)], parts: PartsDep) -> Response:
    """Log out here."""
    parts.people.logout(token, user=found.user.name)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response
