"""Alerts with their acts, the findings behind them, and which track belongs to which target."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ground_station.store import tables as t
from ground_station.store.rows import chunks, from_ms, to_ms, upsert
from ground_station.views import ActView, AlertView
from wire.values import rfc3339_ms

_OPEN = ("raised", "acknowledged", "assigned")


def _ms(text: str) -> int:
    return to_ms(datetime.fromisoformat(text.replace("Z", "+00:00")))


def save_alert(tx: sa.Connection, view: AlertView, *, t_changed_utc: datetime) -> None:
    """The alert's newest revision; its acts stand in `alert_acts`, so they are not kept twice."""
    upsert(
        tx,
        t.alerts,
        {
            "alert_id": view.alert_id,
            "revision": view.revision,
            "level": view.level,
            "state": view.state,
            "outcome": view.outcome,
            "t_event_utc_ms": _ms(view.t_event_utc),
            "t_raised_utc_ms": _ms(view.t_raised_utc),
            "t_changed_utc_ms": to_ms(t_changed_utc),
            "view_json": view.model_copy(update={"acts": []}).model_dump_json(),
        },
    )


def add_act(
    tx: sa.Connection,
    *,
    alert_id: str,
    revision: int,
    t_utc: datetime,
    act: str,
    by: str,
    detail: str,
) -> None:
    """One act on an alert; acts are only ever added."""
    a = t.alert_acts
    last = tx.execute(sa.select(sa.func.max(a.c.number)).where(a.c.alert_id == alert_id)).scalar()
    tx.execute(
        sa.insert(a).values(
            alert_id=alert_id,
            number=(last or 0) + 1,
            revision=revision,
            t_utc_ms=to_ms(t_utc),
            act=act,
            by_whom=by,
            detail=detail,
        )
    )


def _with_acts(tx: sa.Connection, rows: Iterable[Any]) -> list[AlertView]:
    views = [AlertView.model_validate_json(row.view_json) for row in rows]
    acts: dict[str, list[ActView]] = {view.alert_id: [] for view in views}
    for piece in chunks(list(acts)):
        query = (
            sa.select(t.alert_acts)
            .where(t.alert_acts.c.alert_id.in_(piece))
            .order_by(t.alert_acts.c.alert_id, t.alert_acts.c.number)
        )
        for row in tx.execute(query):
            acts[row.alert_id].append(
                ActView(
                    t_utc=rfc3339_ms(from_ms(row.t_utc_ms)),
                    act=row.act,
                    by=row.by_whom,
                    detail=row.detail,
                )
            )
    return [view.model_copy(update={"acts": acts[view.alert_id]}) for view in views]


def list_alerts(tx: sa.Connection, *, open_only: bool | None, limit: int) -> list[AlertView]:
    """Alerts, the newest first.

    Args:
        tx: a reading transaction.
        open_only: True for open ones, False for closed ones, None for all.
        limit: at most this many.
    """
    query = sa.select(t.alerts.c.view_json)
    if open_only is not None:
        is_open = t.alerts.c.state.in_(_OPEN)
        query = query.where(is_open if open_only else sa.not_(is_open))
    query = query.order_by(t.alerts.c.t_raised_utc_ms.desc(), t.alerts.c.alert_id.desc())
    return _with_acts(tx, tx.execute(query.limit(limit)))


def get_alert(tx: sa.Connection, alert_id: str) -> AlertView | None:
    """One alert."""
    query = sa.select(t.alerts.c.view_json).where(t.alerts.c.alert_id == alert_id)
    found = _with_acts(tx, tx.execute(query))
    return found[0] if found else None


def alerts_to_restore(tx: sa.Connection, *, closed_since_utc: datetime) -> list[AlertView]:
    """Open alerts, and those closed since an instant, the oldest first."""
    query = (
        sa.select(t.alerts.c.view_json)
        .where(
            sa.or_(
                t.alerts.c.state.in_(_OPEN),
                t.alerts.c.t_changed_utc_ms >= to_ms(closed_since_utc),
            )
        )
        .order_by(t.alerts.c.t_raised_utc_ms, t.alerts.c.alert_id)
    )
    return _with_acts(tx, tx.execute(query))


def count_open(tx: sa.Connection) -> int:
    """How many alerts wait for somebody."""
    query = sa.select(sa.func.count()).select_from(t.alerts).where(t.alerts.c.state.in_(_OPEN))
    return int(tx.execute(query).scalar_one())


def save_link(tx: sa.Connection, *, track_id: str, target_id: str, t_utc: datetime) -> None:
    """Which target a track belongs to."""
    upsert(
        tx,
        t.links,
        {"track_id": track_id, "target_id": target_id, "t_utc_ms": to_ms(t_utc)},
    )


def links_since(tx: sa.Connection, since_utc: datetime) -> dict[str, str]:
    """Track to target, for links made since an instant, the oldest first."""
    made = t.links
    query = (
        sa.select(made)
        .where(made.c.t_utc_ms >= to_ms(since_utc))
        .order_by(made.c.t_utc_ms, made.c.track_id)
    )
    return {row.track_id: row.target_id for row in tx.execute(query)}


def save_finding(
    tx: sa.Connection,
    *,
    finding_id: str,
    target_id: str,
    alert_id: str | None,
    rule: str,
    t_event_utc: datetime,
    body_json: str,
) -> None:
    """A rule's verdict; the same verdict again replaces itself."""
    upsert(
        tx,
        t.findings,
        {
            "finding_id": finding_id,
            "target_id": target_id,
            "alert_id": alert_id,
            "rule": rule,
            "t_event_utc_ms": to_ms(t_event_utc),
            "body_json": body_json,
        },
    )


def list_findings(tx: sa.Connection, *, limit: int) -> list[str]:
    """The newest findings as JSON texts, the oldest of them first."""
    query = (
        sa.select(t.findings.c.body_json)
        .order_by(t.findings.c.t_event_utc_ms.desc(), t.findings.c.finding_id.desc())
        .limit(limit)
    )
    return list(tx.execute(query).scalars())[::-1]
