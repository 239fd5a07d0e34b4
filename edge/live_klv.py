"""The pose of a camera whose live stream brings its own metadata."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from edge.config_recorded import RecordedSettings
from edge.film_telemetry import FILM, klv_position, klv_view
from edge.pose import NoPose, Pose
from edge.pose_buffer import PoseBuffer
from edge.vehicle_camera import TimeOffset, VehicleCamera
from geo.frames import geodetic_to_ecef
from hardware.klv_st0601 import KlvMetadata
from hardware.ports import PositionSample, VehicleId, VehicleState
from hardware.udp_tee import LiveKlv, UdpTee
from runtime.clock import Clock
from runtime.errors import RetryLater
from runtime.log import Repeated, get_logger

_READ_S = 0.2
_TIME_SIGMA_S = 0.1
"""The decoder holds pictures back by about so much, and nothing in the stream tells how long."""
_JUMP_M, _JUMP_M_S = 60.0, 100.0
_BELIEVED_AFTER = 5
"""So many places that agree with each other are a new flight, not a fault."""


class LiveKlvPoses:
    """A `PoseSource`, and the worker that feeds it.

    Args:
        tee: receives the stream.
        rules: of the config.
        clock: of the node.
        name: of the worker.
        latency_sigma_s: doubt about the moment of capture.
        undulation_m: of the geoid at (lon, lat), for senders that tell heights above the sea.
    """

    def __init__(
        self,
        tee: UdpTee,
        rules: RecordedSettings,
        *,
        clock: Clock,
        name: str = "klv",
        latency_sigma_s: float = 0.0,
        undulation_m: Callable[[float, float], float] | None = None,
    ) -> None:
        self.name = name
        self._tee = tee
        self._rules = rules
        self._undulation_m = undulation_m
        sigma_s = _TIME_SIGMA_S if rules.time_sigma_s is None else rules.time_sigma_s
        offset = TimeOffset(offset_s=rules.time_offset_s, sigma_s=sigma_s)
        self._buffer = PoseBuffer(
            VehicleCamera(
                vehicle=FILM,
                on="gimbal",
                heading_sigma_deg=rules.azimuth_sigma_deg,
                gimbal_sigma_deg=max(rules.pitch_sigma_deg, rules.roll_sigma_deg),
                horizontal_sigma_m=rules.horizontal_sigma_m,
                vertical_sigma_m=rules.vertical_sigma_m,
                latency_sigma_s=latency_sigma_s,
                max_age_s=0.5 * rules.max_gap_s,
            ),
            clock=clock,
            offset=lambda: offset,
        )
        self.refused: Counter[str] = Counter()
        """What was not used, by reason, for the node's health."""
        self._hfov_deg: float | None = None
        self._lacks: Counter[str] = Counter()
        self._lack = ""
        self._told: KlvMetadata | None = None
        self._last: PositionSample | None = None
        self._strayed: list[PositionSample] = []
        self._fault = Repeated(get_logger(worker=name), "klv_fault")

    # --- PoseSource -------------------------------------------------------------------------------
    def at(self, t_monotonic_s: float) -> Pose | NoPose:
        """The pose at a frame's capture; while the metadata lacks something, what that is."""
        found = self._buffer.at(t_monotonic_s)
        if isinstance(found, Pose):
            return replace(found, hfov_deg=self._hfov_deg)
        if self._lack:
            return NoPose(reason=self._lack)
        who = f" of vehicle {FILM[0]}"
        return NoPose(reason=found.reason.replace(who, " in the stream's metadata"))

    @property
    def counters(self) -> Mapping[str, int]:
        """What came and what was refused, by reason."""
        return {**self._tee.counters, **self._lacks, **self._buffer.counters}

    def vehicle(self, who: VehicleId, now_s: float) -> VehicleState | None:
        """The aircraft for the map, as the stream tells it now; None while it tells no place."""
        pose, told = self.at(now_s), self._told
        if isinstance(pose, NoPose) or told is None:
            return None
        east_m_s, north_m_s, up_m_s = pose.velocity_enu_m_s.tolist()
        return VehicleState(
            vehicle=who,
            t_monotonic_s=now_s,
            lon_deg=pose.position.lon_deg,
            lat_deg=pose.position.lat_deg,
            alt_hae_m=pose.position.alt_hae_m,
            alt_msl_m=told.alt_msl_m,
            velocity_enu_m_s=(east_m_s, north_m_s, up_m_s),
            heading_deg=told.platform_heading_deg,
            roll_deg=told.platform_roll_deg,
            pitch_deg=told.platform_pitch_deg,
            mode="KLV",
            fix_status="fix_3d",
            horizontal_sigma_m=float(np.sqrt(pose.cov_position_enu_m2[0, 0])),
        )

    # --- Worker -----------------------------------------------------------------------------------
    def step(self, now_s: float) -> float:  # noqa: ARG002  # packets carry their own time
        """Read for a short while."""
        try:
            packets = self._tee.read(_READ_S)
        except RetryLater as error:
            self._fault.fault(why=error.what)
            return error.retry_after_s
        self._fault.over()
        for packet in packets:
            self.take(packet)
        self._tell_refused()
        return 0.0

    def close(self) -> None:
        """The composition root closes the stream."""

    def take(self, packet: LiveKlv) -> None:
        """Put one packet's place and view where its time belongs."""
        read, t_s = packet.metadata, packet.t_monotonic_s
        self._told = read
        position = klv_position(read, t_s, self._rules, self._undulation_m)
        view = klv_view(read, t_s, self._rules)
        told = [lack for lack in (position, view) if isinstance(lack, str)]
        for lack in told:
            self._lacks[lack] += 1
        self._lack = "; ".join(told)
        if isinstance(position, PositionSample) and self._flown(position):
            self._buffer.add([position])
        if not isinstance(view, str):
            self._buffer.add([view])
        if self._rules.lens == "told" and read.hfov_deg is not None and read.hfov_deg > 0.1:
            self._hfov_deg = min(read.hfov_deg, 170.0)

    def _tell_refused(self) -> None:
        told = self._tee.counters
        found = {
            "klv_damaged": self._tee.refused,
            "klv_incomplete": sum(self._lacks.values()),
            **{f"klv_{name}": told.get(name, 0) for name in ("not_handed_on", "receive_failed")},
            **self._buffer.refused,
        }
        self.refused.update(
            {name: count - self.refused[name] for name, count in found.items() if count}
        )

    def _flown(self, position: PositionSample) -> bool:
        """Whether a flight leads to this place; several in a row that agree are a new one."""
        if self._last is None or _reachable(self._last, position):
            self._last = position
            self._strayed.clear()
            return True
        self._lacks["a place that no flight explains"] += 1
        if self._strayed and not _reachable(self._strayed[-1], position):
            self._strayed.clear()
        self._strayed.append(position)
        if len(self._strayed) < _BELIEVED_AFTER:
            return False
        self._last = position
        self._strayed.clear()
        return True


def _reachable(a: PositionSample, b: PositionSample) -> bool:
    places = [
        geodetic_to_ecef(place.lon_deg, place.lat_deg, place.alt_hae_m or 0.0) for place in (a, b)
    ]
    away_m = float(np.linalg.norm(places[1] - places[0]))
    return away_m <= _JUMP_M + _JUMP_M_S * abs(b.t_monotonic_s - a.t_monotonic_s)
