"""A MAVLink link from plain values, as a config gives them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hardware.autopilot_mavlink.driver import (
    SILENT_LINK_S,
    MavlinkAutopilot,
    MavlinkSettings,
)
from hardware.autopilot_mavlink.links import Connect, address_of, connector
from hardware.autopilot_mavlink.signing import Signer, key_of
from hardware.autopilot_mavlink.streams import Rates
from hardware.autopilot_mavlink.tlog import TlogLink
from hardware.autopilot_mavlink.vehicle import Geoid
from runtime.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a link is opened with; see `edge.config_autopilot` for each.

    Attributes:
        url: of a live link; None replays `log_file`.
        signing_key: text of the key's file.
    """

    url: str | None
    log_file: Path | None
    log_fast: bool
    baud: int
    system_id: int
    component_id: int
    vehicles: frozenset[int]
    signing_key: str | None
    signing_link_id: int
    signing_state_file: Path | None
    transmit: bool
    attitude_rate_hz: float
    position_rate_hz: float
    status_rate_hz: float


def open_mavlink(
    opening: Opening,
    clock: Clock,
    *,
    geoid: Geoid | None = None,
    connect: Connect | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> MavlinkAutopilot:
    """The driver; its line is opened by its first `read`, a log at once.

    Raises:
        AskOperator: an address, key or log that can never work.
    """
    settings = MavlinkSettings(
        system_id=opening.system_id,
        component_id=opening.component_id,
        vehicles=opening.vehicles,
        rates=Rates(
            attitude_hz=opening.attitude_rate_hz,
            position_hz=opening.position_rate_hz,
            status_hz=opening.status_rate_hz,
        ),
        transmit=opening.transmit,
        recorded=opening.log_file is not None,
    )
    if opening.log_file is not None:
        # A log was written by somebody else, with or without our key: it is read as it is.
        log = TlogLink(opening.log_file, clock, fast=opening.log_fast, pause=pause)
        return MavlinkAutopilot(lambda: log, settings, clock, geoid=geoid, pause=pause)
    address = address_of(opening.url or "")
    if connect is None:
        connect = connector(address, baud=opening.baud, clock=clock)
    if address.kind == "tcp":
        settings = replace(settings, silent_link_s=SILENT_LINK_S)
    signer = None
    if opening.signing_key is not None:
        signer = Signer(
            key_of(opening.signing_key),
            link_id=opening.signing_link_id,
            clock=clock,
            state_file=opening.signing_state_file,
        )
    return MavlinkAutopilot(connect, settings, clock, signer=signer, geoid=geoid, pause=pause)
