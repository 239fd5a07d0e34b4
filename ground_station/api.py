"""The HTTP side put together: routes, errors as problems, security headers, the page."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from ground_station import api_alerts, api_events, api_read, api_session
from ground_station.api_base import Parts, Refusal
from ground_station.config import is_loopback
from ground_station.store import StoreUnavailable
from ground_station.views import Problem
from runtime.errors import AskOperator

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; worker-src 'self' blob:; style-src 'self'; "
    "img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
MAX_BODY_BYTES = 65_536


class Guard:
    """Adds the security headers, refuses foreign host names on loopback and bodies without end.

    Args:
        app: what is guarded.
        loopback_only: the station listens on loopback, so any other host name in a request is a
            page of somebody else that rebinds its name to us.
        tls: tell browsers to come by TLS only.
    """

    def __init__(self, app: Any, *, loopback_only: bool, tls: bool) -> None:
        self._app = app
        self._loopback_only = loopback_only
        self._headers = _HEADERS
        if tls:
            self._headers += ((b"strict-transport-security", b"max-age=31536000"),)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded_send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                more = [pair for pair in self._headers if pair[0] not in given]
                if b"cache-control" not in given:
                    more.append((b"cache-control", _caching(scope["path"])))
                message["headers"] = [*message["headers"], *more]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal.response()(scope, receive, guarded_send)
            return
        await self._app(scope, _bounded(receive), guarded_send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        host = headers.get(b"host", b"").decode("latin-1")
        name = host[: host.rfind("]") + 1].strip("[]") if "]" in host else host.split(":")[0]
        if self._loopback_only and not is_loopback(name):
            return Refusal(
                400,
                "host",
                "Wrong host",
                f"this station answers on loopback only, not as {host[:100]!r}",
                field="Host",
                allowed="127.0.0.1 or localhost",
                next_step="open http://127.0.0.1 with the station's port",
            )
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            return Refusal(
                400,
                "too-large",
                "Too large",
                f"a request's body has at most {MAX_BODY_BYTES} bytes",
                field="Content-Length",
            )
        return None


def _caching(path: str) -> bytes:
    if path.startswith("/assets/"):
        return b"public, max-age=31536000, immutable"
    return b"no-store" if path.startswith(("/api/", "/metrics")) else b"no-cache"


def _bounded(receive: Receive) -> Receive:
    """A body without a stated length is cut off at the limit, which makes it invalid."""
    seen = 0

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > MAX_BODY_BYTES:
                return {"type": "http.request", "body": b"\x00", "more_body": False}
        return message

    return bounded


async def _on_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # registered for this class
    return error.response()


async def _on_ask_operator(_request: Request, error: Exception) -> Response:
    """The decision core refused an act: it knows no such alert, or the act does not fit."""
    assert isinstance(error, AskOperator)  # registered for this class
    status = 404 if error.field == "alert_id" else 409
    return Refusal(
        status,
        "not-found" if status == 404 else "state",
        "Not found" if status == 404 else "Does not fit",
        str(error),
        field=error.field,
        allowed=error.allowed,
        next_step=error.next_step,
    ).response()


async def _on_unavailable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StoreUnavailable)  # registered for this class
    return Refusal(
        503,
        "store",
        "Try later",
        "the database does not take this now",
        next_step="try again; if it lasts, look at the station's disk and log",
        retry_after_s=error.retry_after_s,
    ).response()


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # registered for this class
    found = error.errors()
    first = found[0] if found else {"loc": ("body",), "msg": "not valid", "type": ""}
    status = 400 if first["type"] == "json_invalid" else 422
    where = ".".join(str(part) for part in first["loc"])
    said = "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in found[:10]
    )
    return Refusal(
        status,
        "invalid",
        "Not valid",
        said[:1000],
        field=where[:200],
        allowed=str(first["msg"])[:300],
        next_step="correct the field; /api/openapi.json describes it",
    ).response()


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # registered for this class
    response = Refusal(error.status_code, "http", str(error.detail), str(error.detail)).response()
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


async def _on_broken(_request: Request, _error: Exception) -> Response:
    """A fault of ours; the server logs it with its traceback after this answer."""
    return Refusal(
        500,
        "broken",
        "Fault of the station",
        "the station met a fault of its own; nothing was changed",
        next_step="try again; if it lasts, send the station's log to whoever looks after it",
    ).response()


def _no_page() -> PlainTextResponse:
    return PlainTextResponse(
        "The page was not built. Run: make page (needs Node 20 or newer), then restart.\n",
        status_code=503,
    )


def create_app(parts: Parts) -> Any:
    """The ASGI application of one station."""
    app = FastAPI(
        title="Border Watch ground station",
        version=parts.version,
        license_info={"name": api_read.LICENCE, "identifier": api_read.LICENCE},
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.parts = parts
    for router in (api_session.router, api_alerts.router, api_read.router, api_events.router):
        app.include_router(router)
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(AskOperator, _on_ask_operator)
    app.add_exception_handler(StoreUnavailable, _on_unavailable)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_broken)
    made = app.openapi

    def with_problem() -> dict[str, Any]:
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault(
            "Problem",
            Problem.model_json_schema(ref_template="#/components/schemas/{model}"),
        )
        return document

    app.openapi = with_problem  # type: ignore[method-assign]
    if parts.page_dir is None:
        app.add_api_route("/", _no_page, include_in_schema=False)
    else:
        app.mount("/", StaticFiles(directory=parts.page_dir, html=True), name="page")
    http = parts.config.http
    return Guard(
        app,
        loopback_only=is_loopback(http.listen_address),
        tls=http.certificate_file is not None,
    )
