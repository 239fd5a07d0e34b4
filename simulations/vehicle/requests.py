"""Commands about messages: intervals, one-time requests, and the old data streams."""

from collections.abc import Callable, Mapping, Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.commands import ACCEPTED, DENIED, FAILED
from simulations.vehicle.numbers import whole
from simulations.vehicle.parts import Parts
from simulations.vehicle.ports import (
    Command,
    CommandResult,
    Message,
    Organ,
    Peer,
    Reply,
    Subsystem,
    Text,
)
from simulations.vehicle.status import StatusTelemetry
from simulations.vehicle.streams import Streams

_WARNING, _INFO = 4, 6
_AVAILABLE_MODES = 435


class Requests(Organ):
    """Who wants to hear what.

    Args:
        parts: of the vehicle.
        streams: of each link.
        status: lists the modes.
    """

    def __init__(
        self, parts: Parts, streams: Mapping[int, Streams], status: StatusTelemetry
    ) -> None:
        self._parts = parts
        self._streams = streams
        self._status = status
        self._owners: dict[int, Subsystem] = {}
        self._owners_of_changes = -1
        self._known: dict[int, Callable[[Command, Peer, float], CommandResult]] = {
            mav.MAV_CMD_SET_MESSAGE_INTERVAL: self._set_interval,
            mav.MAV_CMD_GET_MESSAGE_INTERVAL: self._get_interval,
            mav.MAV_CMD_REQUEST_MESSAGE: self._request,
            mav.MAV_CMD_REQUEST_AUTOPILOT_CAPABILITIES: self._capabilities,
            mav.MAV_CMD_GET_HOME_POSITION: self._get_home,
        }

    def owner_of(self, message_id: int) -> Subsystem | None:
        """The organ that can build a message; parameters may add and remove organs' devices."""
        changes = self._parts.craft.parameters.changes
        if changes != self._owners_of_changes:
            self._owners_of_changes = changes
            self._owners = {
                known: organ
                for organ in reversed(self._parts.organs)
                for known in organ.telemetry_ids
            }
        return self._owners.get(message_id)

    def build(self, message_id: int, now_s: float) -> Message | None:
        """Build a message by number; None when nobody can or there is nothing to say."""
        owner = self.owner_of(message_id)
        return owner.telemetry(message_id, now_s) if owner is not None else None

    def handle(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # the Protocol's
        """REQUEST_DATA_STREAM."""
        if message.get_msgId() == mav.MAVLINK_MSG_ID_REQUEST_DATA_STREAM:
            self._streams[sender.link].ask_group(
                message.req_stream_id, message.req_message_rate, start=message.start_stop == 1
            )
        return ()

    def command(self, command: Command, now_s: float) -> CommandResult | None:
        """Carry out one of ours."""
        known = self._known.get(command.id)
        if known is None or command.sender is None:
            return None
        return known(command, command.sender, now_s)

    def _set_interval(self, command: Command, sender: Peer, now_s: float) -> CommandResult:  # noqa: ARG002  # as all
        message_id, interval_us = whole(command.params[0]), command.params[1]
        if self.owner_of(message_id) is None:
            text = f"No ap_message for mavlink id ({message_id})"
            return CommandResult(result=DENIED.result, texts=(Text(severity=_INFO, text=text),))
        streams = self._streams[sender.link]
        if streams.too_fast(interval_us):
            text = f"Requested rate for message ID {message_id} too fast. Increase SCHED_LOOP_RATE"
            return CommandResult(result=DENIED.result, texts=(Text(severity=_WARNING, text=text),))
        streams.ask(message_id, interval_us)
        return ACCEPTED

    def _get_interval(self, command: Command, sender: Peer, now_s: float) -> CommandResult:  # noqa: ARG002  # as all
        message_id = whole(command.params[0])
        known = self.owner_of(message_id) is not None
        interval = self._streams[sender.link].interval_us(message_id) if known else 0
        reply = Reply(
            message=mav.MAVLink_message_interval_message(message_id & 0xFFFF, interval), to=sender
        )
        return CommandResult(result=ACCEPTED.result if known else FAILED.result, before=(reply,))

    def _request(self, command: Command, sender: Peer, now_s: float) -> CommandResult:
        message_id = whole(command.params[0])
        if self.owner_of(message_id) is None:
            return FAILED
        if message_id == _AVAILABLE_MODES:
            message = self._status.available_mode(whole(command.params[1]))
        else:
            message = self.build(message_id, now_s)
        if message is None:
            return ACCEPTED
        reply = Reply(message=message, to=sender)
        if message_id == mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION:
            return CommandResult(result=ACCEPTED.result, before=(reply,))
        return CommandResult(result=ACCEPTED.result, after=(reply,))

    def _capabilities(self, command: Command, sender: Peer, now_s: float) -> CommandResult:
        del command
        version = self.build(mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION, now_s)
        return CommandResult(result=ACCEPTED.result, before=(Reply(message=version, to=sender),))

    def _get_home(self, command: Command, sender: Peer, now_s: float) -> CommandResult:
        del command
        home = self.build(mav.MAVLINK_MSG_ID_HOME_POSITION, now_s)
        if home is None:
            return FAILED
        return CommandResult(result=ACCEPTED.result, after=(Reply(message=home, to=sender),))
