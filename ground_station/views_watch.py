"""What the page sees beside single alerts: silences, the alarm budget, the week and its proposals.

The same rules as in `views`: frozen JSON shapes, units in names, RFC 3339 UTC with milliseconds.
"""

from typing import Annotated, Literal

from pydantic import Field

from ground_station.views import NO_NUL, Outcome, View

SILENCE_LONGEST_MINUTES = 24 * 60
SilenceScope = Literal["alert", "sensor", "zone", "rule"]
ProposalKind = Literal["threshold", "schedule", "mask"]
ProposalState = Literal["open", "applied", "dismissed"]


class SilenceView(View):
    """A period in which something does not ring; it is still shown and still recorded."""

    silence_id: str
    scope: SilenceScope
    subject: str
    """The alert's, sensor's or zone's id, or the rule's name."""
    t_from_utc: str
    t_until_utc: str
    reason: str
    by: str
    ended_by: str | None = None
    """Who ended it before its time."""
    kept_quiet: int = 0
    """How many alerts would have rung."""


class BudgetView(View):
    """Is the desk's load bearable? Measures of ISA-18.2."""

    per_hour: float
    """What was agreed for one desk."""
    rang_last_hour: int
    rang_last_ten_minutes: int
    level: Literal["within", "near", "over", "flood"]
    flood_since_utc: str | None = None
    folded: int = 0
    """Alerts that a group alert holds now."""
    standing: int = 0
    """Alerts open for longer than a day."""
    chattering: tuple[str, ...] = ()
    """Sensors, zones and rules that repeat themselves: three and more in a minute."""


class ShareView(View):
    """How much one camera, zone or rule gave people to do."""

    kind: Literal["sensor", "zone", "rule"]
    subject: str
    name_vi: str
    name_en: str
    alerts: int
    true: int
    false: int
    undecided: int


class ProposalView(View):
    """One change of rules that a person may make; its effect was computed on what was stored."""

    proposal_id: str
    kind: ProposalKind
    state: ProposalState
    title_vi: str
    title_en: str
    why_vi: str
    why_en: str
    effect_vi: str
    effect_en: str
    """For example: removes 37 of 41 false, 0 of 12 true."""
    change: dict[str, object]
    """What would be set: paths of the rules or of the zones with their new values."""
    false_before: int
    false_removed: int
    true_before: int
    true_removed: int
    t_replayed_from_utc: str
    t_replayed_to_utc: str
    t_made_utc: str
    decided_by: str | None = None
    note: str = ""


class WeekView(View):
    """The weekly page: how many alarms, who made them, and what could be better."""

    t_from_utc: str
    t_to_utc: str
    alerts: int
    rang: int
    rang_per_hour_p50: float
    rang_per_hour_worst: float
    budget_per_hour: float
    hours_over_budget: int
    time_in_flood_fraction: float
    acknowledged_after_s_p50: float | None = None
    acknowledged_after_s_p95: float | None = None
    outcomes: dict[Outcome, int] = Field(default_factory=dict)
    undecided: int = 0
    worst: tuple[ShareView, ...] = ()
    proposals: tuple[ProposalView, ...] = ()


# --- what a client sends --------------------------------------------------------------------------
class SilenceBody(View):
    """For how long, and why; the scope says whether only this alert or all that its cause makes."""

    minutes: Annotated[float, Field(ge=1.0, le=SILENCE_LONGEST_MINUTES)]
    reason: Annotated[str, Field(min_length=3, max_length=500, pattern=NO_NUL)]
    scope: SilenceScope = "alert"
    subject: Annotated[str, Field(max_length=64, pattern=NO_NUL)] = ""
    """Which sensor or zone; empty: that of the alert's first reason."""


class EndSilenceBody(View):
    """Why it may ring again."""

    note: Annotated[str, Field(max_length=500, pattern=NO_NUL)] = ""


class HandOverBody(View):
    """To whom, with what he must know."""

    to: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)]
    note: Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]


class DecideProposalBody(View):
    """Why; it stands in the audit."""

    note: Annotated[str, Field(max_length=500, pattern=NO_NUL)] = ""
