"""Settings of the decision core: fusion, rules, alerts. Every figure has a unit, a limit and a reason."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from runtime.settings import Settings
from wire.values import ObjectClass

PositiveM = Annotated[float, Field(gt=0.0, le=100_000.0)]
PositiveS = Annotated[float, Field(gt=0.0, le=86_400.0)]
Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]
Classes = tuple[ObjectClass, ...]

MOVING: Classes = ("Human", "Boat", "Vehicle", "Unknown")


class FuseSettings(Settings):
    """From observations to targets."""

    reorder_window_s: PositiveS = Field(
        default=5.0,
        le=60.0,
        title="Observations that arrive out of order within this time are put in their place; older ones are counted and ignored",
    )
    coast_after_s: PositiveS = Field(
        default=2.0, title="A target unseen this long is shown as coasting"
    )
    die_after_s: PositiveS = Field(
        default=12.0, title="A target unseen this long is no longer shown"
    )
    rebirth_within_s: PositiveS = Field(
        default=6.0,
        title="A new track this soon after a lost one, at its predicted place, continues the target",
    )
    rebirth_gate_m: PositiveM = Field(
        default=4.0, title="Largest distance between the predicted place and a re-birth"
    )
    rebirth_silent_s: PositiveS = Field(
        default=1.3,
        title="A track that has not ended counts as lost after this silence (a node speaks at 2 Hz)",
    )
    handover_within_s: PositiveS = Field(
        default=10.0,
        title="Another sensor's new track this soon after everybody lost a target continues it",
    )
    handover_gate_m: PositiveM = Field(
        default=6.0, title="Largest distance between the predicted place and such a hand-over"
    )
    join_after_s: PositiveS = Field(
        default=1.0,
        title="Targets of different sensors that were at the same place this long are one",
    )
    join_gate_m: PositiveM = Field(
        default=6.0, title="Largest distance between two sensors' places of one object"
    )
    moving_bias_s: PositiveS = Field(
        default=10.0,
        title="Shared error of a moving sensor is another one after this time; a fixed one's never changes",
    )
    forget_after_s: PositiveS = Field(
        default=300.0, title="A target is forgotten this long after its last word"
    )
    max_targets: int = Field(default=4096, ge=16, le=1_000_000, title="Targets kept in memory")
    max_journal: int = Field(
        default=20_000,
        ge=64,
        le=1_000_000,
        title="Observations kept for putting late ones right; the oldest go first",
    )
    tail_s: PositiveS = Field(default=60.0, title="Length of the shown tail")
    human_accel_psd_m2_s3: float = Field(
        default=0.2, gt=0.0, le=100.0, title="Process noise of a person"
    )
    boat_accel_psd_m2_s3: float = Field(
        default=0.8, gt=0.0, le=100.0, title="Process noise of a boat"
    )
    vehicle_accel_psd_m2_s3: float = Field(
        default=4.0, gt=0.0, le=100.0, title="Process noise of a vehicle"
    )
    min_sigma_m: PositiveM = Field(
        default=0.05, title="No single observation is believed better than this"
    )
    outlier_sigmas: float = Field(
        default=3.0, gt=1.0, le=20.0, title="Beyond this an observation counts with less weight"
    )
    jump_sigmas: float = Field(
        default=8.0,
        gt=2.0,
        le=100.0,
        title="Beyond this it is not believed; three in a row start the target anew, without a side",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.coast_after_s <= self.die_after_s <= self.forget_after_s:
            raise ValueError("coast_after_s <= die_after_s <= forget_after_s is needed")
        if self.outlier_sigmas >= self.jump_sigmas:
            raise ValueError("outlier_sigmas is below jump_sigmas")
        return self


class CrossingSettings(Settings):
    """The line was passed: P(other side) went from below `low` to above `high`."""

    enabled: bool = True
    classes: Classes = MOVING
    low: Fraction = Field(default=0.1, title="P below this settles a side")
    high: Fraction = Field(default=0.9, title="P above this settles the other side")
    settle_s: float = Field(
        default=0.4,
        ge=0.0,
        le=30.0,
        title="A side is settled after P stood beyond the limit this long",
    )
    travel_sigmas: float = Field(
        default=6.0,
        ge=0.0,
        le=20.0,
        title="The way across must exceed this many sigmas of the target's own jitter, so that a person who stands at the line never crosses by noise",
    )
    min_travel_m: float = Field(default=0.8, ge=0.0, le=100.0, title="Shortest way across")
    memory_s: PositiveS = Field(default=60.0, title="How long the way across may take")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low is below high")
        return self


class ApproachingSettings(Settings):
    """Predicted to reach the line within `horizon_s` with `probability`."""

    enabled: bool = True
    classes: Classes = MOVING
    horizon_s: PositiveS = Field(default=30.0, title="T: how far ahead")
    probability: Fraction = Field(default=0.8, title="p: how sure")
    sustain_s: float = Field(
        default=2.0, ge=0.0, le=60.0, title="The prediction must stand this long"
    )
    min_speed_m_s: float = Field(
        default=0.3, ge=0.0, le=30.0, title="Slowest speed towards the line"
    )
    max_distance_m: PositiveM = Field(default=500.0, title="Farther away nothing is predicted")
    turn_sigma_m_s: float = Field(
        default=0.3, ge=0.0, le=10.0, title="How much a target changes its mind, per horizon"
    )


class NearBorderSettings(Settings):
    """Inside the doubt about the line: "near the border", never "crossed"."""

    enabled: bool = True
    classes: Classes = MOVING
    after_s: PositiveS = Field(default=15.0, title="Inside the doubt this long")


class AppearedSettings(Settings):
    """Born at the line or on our side of it, moving inwards, unexplained."""

    enabled: bool = True
    classes: Classes = MOVING
    within_m: PositiveM = Field(default=50.0, title="Born this near to the line")
    caution_after_m: PositiveM = Field(default=5.0, title="Caution after this way inwards")
    warning_after_m: PositiveM = Field(default=20.0, title="Warning after this way inwards")
    edge_fraction: float = Field(
        default=0.02, ge=0.0, le=0.3, title="A box this near to the picture's edge walked in"
    )
    lost_within_s: PositiveS = Field(
        default=300.0,
        title="A target lost this long ago may be the one that appears, if it could have walked there",
    )
    lost_within_m: float = Field(
        default=20.0, ge=0.0, le=1000.0, title="and was lost this near at most"
    )
    near_other_m: float = Field(
        default=5.0,
        ge=0.0,
        le=100.0,
        title="Born this near to another target: came out from behind it",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.caution_after_m > self.warning_after_m:
            raise ValueError("caution_after_m is at most warning_after_m")
        return self


class ZoneRuleSettings(Settings):
    """Inside a restricted (warning) or watch (information) zone."""

    enabled: bool = True
    classes: Classes = MOVING
    enter: Fraction = Field(default=0.9, title="P(inside) above this is inside")
    leave: Fraction = Field(default=0.1, title="P(inside) below this is outside")
    settle_s: float = Field(default=0.4, ge=0.0, le=60.0, title="Inside this long")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.leave >= self.enter:
            raise ValueError("leave is below enter")
        return self


class JudgeSettings(Settings):
    """The rules."""

    crossing: CrossingSettings = CrossingSettings()
    approaching: ApproachingSettings = ApproachingSettings()
    near_border: NearBorderSettings = NearBorderSettings()
    appeared: AppearedSettings = AppearedSettings()
    in_restricted: ZoneRuleSettings = ZoneRuleSettings()
    in_watch: ZoneRuleSettings = ZoneRuleSettings()
    friend_within_m: PositiveM = Field(default=25.0, title="Own patrol this near lowers the rank")
    friend_within_s: PositiveS = Field(
        default=60.0, title="A patrol's report is believed this long"
    )


class AlertSettings(Settings):
    """From findings to what a guard handles."""

    group_within_m: float = Field(
        default=15.0,
        ge=0.0,
        le=1000.0,
        title="Findings of one rule this near to each other are one event",
    )
    group_within_s: float = Field(default=20.0, ge=0.0, le=600.0, title="and this near in time")
    again_after_s: PositiveS = Field(
        default=60.0, title="The same target doing the same again after this long is a new event"
    )
    escalate_after_s: tuple[PositiveS, ...] = Field(
        default=(60.0, 300.0), title="An unacknowledged warning rings again at these ages"
    )
    late_ring_within_s: PositiveS = Field(
        default=900.0,
        title="A late crossing younger than this rings once; an older one stands silent",
    )
    keep_closed_s: PositiveS = Field(
        default=3600.0, title="A closed alert stays in memory this long (the store keeps all)"
    )
    max_alerts: int = Field(default=2000, ge=16, le=100_000, title="Alerts kept in memory")
    max_reasons: int = Field(default=24, ge=4, le=200, title="Reasons kept per alert")
    language: Literal["vi", "en"] = Field(default="vi", title="Language of what is printed first")


class DecideSettings(Settings):
    """The decision core."""

    fuse: FuseSettings = FuseSettings()
    judge: JudgeSettings = JudgeSettings()
    alert: AlertSettings = AlertSettings()
