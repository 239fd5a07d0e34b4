"""COMMAND_LONG and COMMAND_INT in, COMMAND_ACK out: no memory, a repeated command runs again."""

from collections.abc import Callable, Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.commands import UNSUPPORTED
from simulations.vehicle.missions_mapping import has_place
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

_RELATIVE = 3
_MORE_PLACES = frozenset({192, 195, 201, 179, 43003})
"""Commands with a place that are no mission items, or not only."""

Say = Callable[[Text], None]


def with_place(command_id: int) -> bool:
    """Whether parameters 5 and 6 of a command are degrees."""
    return command_id in _MORE_PLACES or has_place(command_id)


class CommandLink(Organ):
    """The command protocol.

    Args:
        organs: asked one after the other.
        say: sends a text after what is being answered.
    """

    def __init__(self, organs: Sequence[Subsystem], say: Say) -> None:
        self._organs = organs
        self._say = say

    def handle(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:
        """Carry out a command and acknowledge it to its sender."""
        number = message.get_msgId()
        if number == mav.MAVLINK_MSG_ID_COMMAND_LONG:
            command = _from_long(message, sender)
        elif number == mav.MAVLINK_MSG_ID_COMMAND_INT:
            command = _from_int(message, sender)
        else:
            return ()
        result = self.carry_out(command, now_s)
        ack = mav.MAVLink_command_ack_message(
            command.id, result.result, 0, 0, sender.system_id, sender.component_id
        )
        for text in result.texts:
            self._say(text)
        return (*result.before, Reply(message=ack, to=sender), *result.after)

    def carry_out(self, command: Command, now_s: float) -> CommandResult:
        """Ask every organ; UNSUPPORTED when none knows the command."""
        for organ in self._organs:
            result = organ.command(command, now_s)
            if result is not None:
                return result
        return UNSUPPORTED


def _from_long(message: Message, sender: Peer) -> Command:
    return Command(
        id=int(message.command),
        params=(message.param1, message.param2, message.param3, message.param4),
        x=message.param5, y=message.param6, z=message.param7, frame=_RELATIVE, is_int=False,
        sender=sender, target_component=int(message.target_component),
        confirmation=int(message.confirmation),
    )  # fmt: skip


def _from_int(message: Message, sender: Peer) -> Command:
    scale = 1e-7 if with_place(int(message.command)) else 1.0
    return Command(
        id=int(message.command),
        params=(message.param1, message.param2, message.param3, message.param4),
        x=message.x * scale, y=message.y * scale, z=message.z, frame=int(message.frame),
        is_int=True, raw_x=int(message.x), raw_y=int(message.y), sender=sender,
        target_component=int(message.target_component),
    )  # fmt: skip
