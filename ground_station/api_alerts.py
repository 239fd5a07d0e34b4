"""Alerts and what people do with them."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel

from ground_station.api_base import (
    Once,
    PartsDep,
    PostingDep,
    SessionDep,
    need,
    not_found,
    problems,
)
from ground_station.store import incidents
from ground_station.store.people import Session
from ground_station.views import (
    AcknowledgeBody,
    AlertView,
    AssignBody,
    CloseBody,
    ReopenBody,
)
from wire.values import ULID_PATTERN

router = APIRouter(prefix="/api/v1", tags=["alerts"])
AlertId = Annotated[str, Path(pattern=ULID_PATTERN)]
IdempotencyKey = Annotated[str | None, Header(max_length=200)]
_ACT = problems(400, 401, 403, 404, 409, 422, 503)


@router.get("/alerts", responses=problems(401, 422, 503))
def alerts(
    _session: SessionDep,
    parts: PartsDep,
    *,
    open: bool | None = None,  # noqa: A002  # the word in the URL
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[AlertView]:
    """Alerts, the newest first; `open=true` for those that wait for somebody."""
    with parts.store.read() as tx:
        return incidents.list_alerts(tx, open_only=open, limit=limit)


@router.get("/alerts/{alert_id}", responses=problems(401, 404, 422, 503))
def alert(alert_id: AlertId, _session: SessionDep, parts: PartsDep) -> AlertView:
    """One alert with its acts."""
    with parts.store.read() as tx:
        found = incidents.get_alert(tx, alert_id)
    if found is None:
        raise not_found("alert_id", alert_id)
    return found


def _once(
    parts: PartsDep, session: Session, key: str | None, act: str, alert_id: str, body: BaseModel
) -> Once:
    need(session, "handle_alerts")
    return Once(parts, session, key=key, request_text=f"{act} {alert_id} {body.model_dump_json()}")


@router.post("/alerts/{alert_id}/acknowledge", responses=_ACT)
def acknowledge(
    alert_id: AlertId,
    body: AcknowledgeBody,
    session: PostingDep,
    parts: PartsDep,
    idempotency_key: IdempotencyKey = None,
) -> AlertView:
    """I have seen it."""
    once = _once(parts, session, idempotency_key, "acknowledge", alert_id, body)
    return once.kept() or parts.desk.acknowledge(
        alert_id, by=session.user.name, note=body.note, answer=once.keep
    )


@router.post("/alerts/{alert_id}/assign", responses=_ACT)
def assign(
    alert_id: AlertId,
    body: AssignBody,
    session: PostingDep,
    parts: PartsDep,
    idempotency_key: IdempotencyKey = None,
) -> AlertView:
    """This team goes."""
    once = _once(parts, session, idempotency_key, "assign", alert_id, body)
    return once.kept() or parts.desk.assign(
        alert_id, team=body.team, by=session.user.name, note=body.note, answer=once.keep
    )


@router.post("/alerts/{alert_id}/close", responses=_ACT)
def close(
    alert_id: AlertId,
    body: CloseBody,
    session: PostingDep,
    parts: PartsDep,
    idempotency_key: IdempotencyKey = None,
) -> AlertView:
    """This is what it was."""
    once = _once(parts, session, idempotency_key, "close", alert_id, body)
    return once.kept() or parts.desk.close(
        alert_id, outcome=body.outcome, by=session.user.name, note=body.note, answer=once.keep
    )


@router.post("/alerts/{alert_id}/reopen", responses=_ACT)
def reopen(
    alert_id: AlertId,
    body: ReopenBody,
    session: PostingDep,
    parts: PartsDep,
    idempotency_key: IdempotencyKey = None,
) -> AlertView:
    """It is not over."""
    once = _once(parts, session, idempotency_key, "reopen", alert_id, body)
    return once.kept() or parts.desk.reopen(
        alert_id, by=session.user.name, note=body.note, answer=once.keep
    )
