"""The whole copter: bytes in, bytes out, and simulated time that somebody else moves."""

import math
from collections import deque
from collections.abc import Sequence

from simulations.vehicle.arming import Arming
from simulations.vehicle.auto import Auto
from simulations.vehicle.battery import Battery
from simulations.vehicle.body import Body, quaternion_of
from simulations.vehicle.camera import Camera
from simulations.vehicle.channel import Channel
from simulations.vehicle.commands import FlightCommands
from simulations.vehicle.commands_link import CommandLink
from simulations.vehicle.control import Controller
from simulations.vehicle.craft import Craft
from simulations.vehicle.defaults import STREAM_CHANNELS, specs
from simulations.vehicle.estimator import Estimator
from simulations.vehicle.failsafes import Failsafes
from simulations.vehicle.fence import Fence
from simulations.vehicle.flight import Flight, Refusal
from simulations.vehicle.gimbal import Gimbal
from simulations.vehicle.making import Media, Setup, Truth
from simulations.vehicle.messages import FlightMessages
from simulations.vehicle.parameter_link import ParameterLink
from simulations.vehicle.parameters import Parameters
from simulations.vehicle.parts import Parts
from simulations.vehicle.plane import LocalPlane
from simulations.vehicle.ports import (
    Command,
    CommandResult,
    Message,
    Organ,
    Peer,
    Place,
    Reply,
    Text,
    VehicleState,
)
from simulations.vehicle.radio import Radio
from simulations.vehicle.requests import Requests
from simulations.vehicle.router import goes_on_to, is_for
from simulations.vehicle.signing import Signing
from simulations.vehicle.status import StatusTelemetry
from simulations.vehicle.streams import HEARTBEAT, Streams
from simulations.vehicle.telemetry import MotionTelemetry
from simulations.vehicle.texts import TextNumbers
from simulations.vehicle.transfers import Transfers
from simulations.vehicle.wind import Wind

TICK_S = 0.01
_FIRST_WORD_S = 0.9
"""The first heartbeat comes so long after power."""
_READY_S = 2.4
_INFO, _WARNING = 6, 4
_TEXTS_HELD = 200
"""Lines of one tick; more would be a storm, and the newest go."""


class Copter:
    """One vehicle, to be stepped by hand or by a server.

    Power is on when `power_on` is called (a server does it when the first client is there).

    Args:
        setup: what it is made of.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.firmware = setup.firmware
        self.parameters = Parameters(specs(setup.firmware), setup.parameters)
        self._system_id = self._read_system_id()
        self.now_s = 0.0
        self.reboots = 0
        self.powered = False
        self.links_dropped = False
        """A reboot has begun: the server closes its links and clears this."""
        self._reboot_asked = False
        self._texts: deque[Text] = deque(maxlen=_TEXTS_HELD)
        self._numbers = TextNumbers()
        self._snapshot: VehicleState | None = None
        self._said_ready = False
        plane = LocalPlane.around(setup.home.lat_deg, setup.home.lon_deg)
        level_m = setup.home.alt_msl_m
        self.body = Body(
            setup.ground or (lambda _north, _east: level_m),
            yaw_rad=math.radians(setup.heading_deg),
        )
        estimator = Estimator(self.body, plane, self.parameters, setup.seed)
        self._craft = Craft(
            parameters=self.parameters, plane=plane, body=self.body, estimator=estimator,
            controller=Controller(self.parameters), radio=Radio(self.parameters), say=self.say,
            estimate=estimator.estimate(), dt_s=TICK_S,
        )  # fmt: skip
        self._battery = Battery(self.parameters)
        self._wind = Wind(self.parameters, setup.seed)
        self._build()

    def _build(self) -> None:
        craft = self._craft
        self.transfers = Transfers(self)
        self.fence = Fence(self, store=self.transfers.fence)
        self.gimbal = Gimbal(self)
        self.camera = Camera(self, self.gimbal)
        self.signing = Signing(self)
        craft.rally = self._rally
        auto = Auto(craft, self.transfers.mission, self._give)
        arming = Arming(
            craft, blocks=self._blocks, missions=lambda: self.transfers.mission.count, say=self.say
        )
        self.flight = Flight(craft, auto, arming, self._mode_changed)
        self.failsafes = Failsafes(craft, self.flight, self._battery, self._explain)
        self._parts = Parts(
            view=self, craft=craft, flight=self.flight, arming=arming, failsafes=self.failsafes,
            battery=self._battery, mission=self.transfers.mission, reboot=self._ask_reboot,
            undulation_m=self.setup.undulation_m,
        )  # fmt: skip
        self._streams = {
            link: Streams(link, self.firmware, self.parameters) for link in range(STREAM_CHANNELS)
        }
        self._status = StatusTelemetry(self._parts)
        self._requests = Requests(self._parts, self._streams, self._status)
        core: list[Organ] = [
            FlightCommands(self._parts, self._status), self._requests, self._status,
            MotionTelemetry(self._parts), FlightMessages(self._parts, self._status),
            ParameterLink(self.parameters),
        ]  # fmt: skip
        others: list[Organ] = [
            self.transfers, self.fence, self.gimbal, self.camera, self.signing,
        ]  # fmt: skip
        self._commands = CommandLink([*core, *others], self._texts.append)
        self._parts.organs.extend([*core, *others, self._commands])
        self.channels = tuple(
            Channel(
                link, system_id=self.system_id, guard=self.signing, parameters=self.parameters,
                seed=self.setup.seed + link, down=media.down, up=media.up,
            )
            for link in range(STREAM_CHANNELS)
            for media in (self.setup.media.get(link, Media()),)
        )  # fmt: skip

    # VehicleView

    @property
    def system_id(self) -> int:
        """MAVLink system id: as the parameter was at boot, one byte."""
        return self._system_id

    def _read_system_id(self) -> int:
        return max(1, min(255, int(self.parameters.first("MAV_SYSID", "SYSID_THISMAV"))))

    @property
    def state(self) -> VehicleState:
        """Snapshot of this tick."""
        if self._snapshot is None:
            self._snapshot = self._look()
        return self._snapshot

    def _look(self) -> VehicleState:
        craft, now = self._craft, self._craft.estimate
        estimator = craft.estimator
        euler = self.body.euler_rad()
        unix_s = self.setup.start_unix_s + self.now_s if estimator.gps_fix else None
        return VehicleState(
            now_s=self.now_s, time_boot_s=estimator.boot_s, time_unix_s=unix_s,
            position=estimator.place(), relative_alt_m=now.alt_m - craft.home_alt_m,
            velocity_ned_m_s=(now.velocity_north_m_s, now.velocity_east_m_s, -now.climb_m_s),
            quaternion=quaternion_of(euler), euler_rad=euler,
            rates_rad_s=(0.0, 0.0, self.body.yaw_rate_rad_s), home=craft.home, armed=craft.armed,
            mode=self.flight.mode.number, landed_state=self.flight.landed_state,
            system_status=self._status.system_status, position_ok=estimator.position_ok,
            mission_seq=self.flight.auto.sequencer.seq, battery_v=self._battery.voltage_v,
        )  # fmt: skip

    def parameter(self, name: str) -> float:
        """Value of a parameter."""
        return self.parameters[name]

    def say(self, text: str, severity: int) -> None:
        """Queue a line for all links."""
        self._texts.append(Text(severity=severity, text=text))

    def set_mode(self, mode: int, *, reason: str) -> bool:  # noqa: ARG002  # the Protocol's; the texts are the caller's
        """Change the mode as a failsafe does."""
        refusal = self.flight.set_mode(mode)
        if refusal is not None:
            self._explain(refusal)
        return refusal is None

    # Truth

    def truth(self) -> Truth:
        """Where it truly is."""
        body = self.body
        return Truth(
            now_s=self.now_s,
            place=self._craft.plane.to_place(body.north_m, body.east_m, body.alt_m),
            velocity_ned_m_s=(body.velocity_north_m_s, body.velocity_east_m_s, -body.climb_m_s),
            euler_rad=body.euler_rad(), on_ground=body.on_ground, armed=self._craft.armed,
        )  # fmt: skip

    # Links

    def power_on(self) -> None:
        """Begin to boot."""
        self.powered = True

    def connect(self, link: int) -> None:
        """A client is on a link."""
        self.channels[link].connect()

    def disconnect(self, link: int) -> None:
        """A client has left; the flight goes on."""
        self.channels[link].disconnect()

    def receive(self, data: bytes, link: int) -> None:
        """Bytes from a client; handled in the next tick."""
        self.channels[link].feed(data, self.now_s)

    def outgoing(self, link: int) -> list[bytes]:
        """Frames for a client since the last call, oldest first."""
        return self.channels[link].take()

    # Time

    def step(self, seconds: float) -> None:
        """Move simulated time on, in ticks of `TICK_S`.

        Args:
            seconds: at least one tick is made.
        """
        for _ in range(max(1, round(seconds / TICK_S))):
            self._tick()

    def _tick(self) -> None:
        self.now_s += TICK_S
        self._snapshot = None
        if not self.powered:
            return
        craft = self._craft
        craft.now_s = self.now_s
        self._take_messages()
        craft.estimator.step(TICK_S)
        craft.estimate = craft.estimator.estimate()
        self._boot_words()
        self._fly()
        for organ in self._parts.organs:
            self._send_all(organ.step(self.now_s))
        self._flush_texts()
        self._stream()
        for channel in self.channels:
            channel.settle(self.now_s)
        if self._reboot_asked:
            self._reboot()

    def _boot_words(self) -> None:
        estimator = self._craft.estimator
        if not self._said_ready and estimator.boot_s >= _READY_S:
            self._said_ready = True
            self.say("ArduPilot Ready", _INFO)
        for text, severity in estimator.events:
            self.say(text, severity)
        craft = self._craft
        if craft.home is None and not craft.armed:
            place = estimator.place()
            if place is not None:
                craft.home = place

    def _fly(self) -> None:
        craft, body = self._craft, self.body
        self.failsafes.step()
        self._parts.arming.step(armed=craft.armed)
        self.flight.auto.sequencer.watch()
        thrust = self.flight.step()
        wind = self._wind.step(body.alt_m - body.ground_alt_m, TICK_S)
        self._parts.wind_ne_m_s = wind
        body.step(thrust, wind, TICK_S)
        if body.hit_m_s is not None:
            self.say(f"SIM Hit ground at {body.hit_m_s:.2f} m/s", _WARNING)
        tilt = math.hypot(body.tilt_north_m_s2, body.tilt_east_m_s2)
        load = math.hypot(9.80665 + body.lift_m_s2, tilt) / 9.80665
        self._battery.step(spinning=craft.armed, flying=not body.on_ground, load=load, dt_s=TICK_S)
        self._snapshot = None
        auto = self.flight.auto
        if auto.reached_pending:
            # One message per loop: of several items done at once only the last is reported.
            auto.reached_pending = False
            self._broadcast(self._status.item_reached())

    def _mode_changed(self) -> None:
        self._snapshot = None
        for streams in self._streams.values():
            streams.now(HEARTBEAT, self.now_s)

    # Messages

    def _take_messages(self) -> None:
        for channel in self.channels:
            for frame, message in channel.arrived(self.now_s):
                channel.heard.add((message.get_srcSystem(), message.get_srcComponent()))
                for other in goes_on_to(message, channel, self.channels, self.system_id):
                    other.pass_on(frame, self.now_s)
                if is_for(message, self.system_id):
                    self._handle(message, channel)

    def _handle(self, message: Message, channel: Channel) -> None:
        sender = Peer(
            system_id=message.get_srcSystem(),
            component_id=message.get_srcComponent(),
            link=channel.number,
        )
        for organ in self._parts.organs:
            self._send_all(organ.handle(message, sender, self.now_s))
            self._snapshot = None
        self._flush_texts()

    def _give(self, command: Command) -> CommandResult | None:
        result = self._commands.carry_out(command, self.now_s)
        self._send_all([*result.before, *result.after])
        return result

    def _send_all(self, replies: Sequence[Reply]) -> None:
        for reply in replies:
            if reply.to is None:
                self._broadcast(reply.message)
            else:
                self.channels[reply.to.link].send(reply.message, self.now_s)

    def _broadcast(self, message: Message) -> None:
        for channel in self.channels:
            channel.send(message, self.now_s)

    def _flush_texts(self) -> None:
        while self._texts:
            for message in self._numbers.statustexts(self._texts.popleft()):
                self._broadcast(message)

    def _stream(self) -> None:
        if self._craft.estimator.boot_s < _FIRST_WORD_S:
            return
        for channel in self.channels:
            if not channel.connected:
                continue
            for message_id in self._streams[channel.number].due(self.now_s):
                message = self._requests.build(message_id, self.now_s)
                if message is not None:
                    channel.send(message, self.now_s)

    # Odds

    def _blocks(self) -> list[str]:
        found = self.failsafes.blocks()
        for organ in self._parts.organs:
            found.extend(organ.arming_blocks())
        return found

    def _rally(self) -> list[Place]:
        return [
            Place(
                lat_deg=item.x_e7 / 1e7, lon_deg=item.y_e7 / 1e7,
                alt_msl_m=item.z_m + self._craft.home_alt_m,
            )
            for item in self.transfers.rally.items
        ]  # fmt: skip

    def _explain(self, refusal: Refusal) -> None:
        for text, severity in refusal.texts:
            self.say(text, severity)

    def _ask_reboot(self) -> None:
        self._reboot_asked = True

    def _reboot(self) -> None:
        """Storage stays (missions, fence, parameters, key); everything else begins anew."""
        self._reboot_asked = False
        self.reboots += 1
        self.links_dropped = True
        self.powered = False
        craft = self._craft
        craft.home, craft.home_locked = None, False
        craft.radio.forget()
        craft.estimator.reboot()
        self._texts.clear()
        self._said_ready = False
        self._parts.arming.reboot()
        self.failsafes.reboot()
        self.flight.reboot()
        for organ in self._parts.organs:
            organ.reboot(self.now_s)
        self._system_id = self._read_system_id()
        for channel in self.channels:
            channel.speak_as(self._system_id)
        for streams in self._streams.values():
            streams.forget()
