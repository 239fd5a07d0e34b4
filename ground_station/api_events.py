"""Server-sent events: what changes, as it changes; a page that slept goes on where it stopped."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from ground_station.api_base import COOKIE, Parts, PartsDep, Refusal, SessionDep, problems
from ground_station.auth import NotLoggedIn
from ground_station.hub import Event
from ground_station.store import StoreUnavailable

router = APIRouter(prefix="/api/v1", tags=["events"])
MAX_LISTENERS = 128
MAX_LISTENERS_EACH = 16
"""Of one person, on all screens: nobody can take the places of the others."""
CHECK_LOGIN_EVERY_S = 60.0
RETRY_MS = 2000


def event_text(event: Event) -> str:
    """One event in the form of the event stream; the data is JSON in one line."""
    return f"id: {event.number}\nevent: {event.name}\ndata: {event.data}\n\n"


async def _stream(parts: Parts, token: str, after: int, *, who: str = "") -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(woken.set)

    key = parts.hub.listen(wake, who=who)
    try:
        yield f"retry: {RETRY_MS}\n\n"
        check_s = parts.clock.monotonic_s() + CHECK_LOGIN_EVERY_S
        while not parts.hub.closed:
            woken.clear()
            events = parts.hub.after(after)
            if events:
                after = events[-1].number
                yield "".join(event_text(event) for event in events)
                continue
            now_s = parts.clock.monotonic_s()
            if now_s >= check_s:
                check_s = now_s + CHECK_LOGIN_EVERY_S
                try:
                    await run_in_threadpool(partial(parts.people.session, token))
                except NotLoggedIn:
                    return
                except StoreUnavailable:
                    # Nobody can say now; the page keeps its stream and is checked again later.
                    pass
            try:
                await asyncio.wait_for(woken.wait(), timeout=CHECK_LOGIN_EVERY_S)
            except asyncio.TimeoutError:
                continue
    finally:
        parts.hub.leave(key)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses=problems(401, 422, 503)
    | {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(
    request: Request,
    session: SessionDep,
    parts: PartsDep,
    last_event_id: Annotated[str | None, Header(max_length=32)] = None,
) -> StreamingResponse:
    """`station`, `node`, `vehicle`, `target`, `target_gone`, `alert`, `resync`; ids grow.

    Without `Last-Event-ID` it begins with what happens next. An id that is too old, or unknown,
    is answered with `resync`: read everything again.
    """
    who = session.user.name
    if parts.hub.listeners_of(who) >= MAX_LISTENERS_EACH:
        too_many = f"{MAX_LISTENERS_EACH} pages of {who} listen already"
    elif parts.hub.listeners >= MAX_LISTENERS:
        too_many = f"{MAX_LISTENERS} pages listen already"
    else:
        too_many = ""
    if too_many:
        raise Refusal(
            503,
            "listeners",
            "Too many pages",
            too_many,
            next_step="close a page",
            retry_after_s=10.0,
        )
    after = parts.hub.newest
    if last_event_id is not None:
        digits = last_event_id.isascii() and last_event_id.isdigit()
        after = int(last_event_id) if digits and len(last_event_id) <= 18 else -1
    return StreamingResponse(
        _stream(parts, request.cookies.get(COOKIE, ""), after, who=who),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
