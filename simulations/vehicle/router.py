"""Which message is ours, which belongs to somebody on another link."""

from collections.abc import Sequence

from simulations.vehicle.channel import Channel
from simulations.vehicle.ports import Message

_RADIO_STATUS = 109


def is_for(message: Message, system_id: int) -> bool:
    """Whether this vehicle handles a message: without a target, to all, or to it.

    The component does not matter: what is sent to component 0, 1 or 190 is carried out.
    """
    target = getattr(message, "target_system", 0)
    return target in (0, system_id)


def goes_on_to(
    message: Message, source: Channel, channels: Sequence[Channel], system_id: int
) -> list[Channel]:
    """Other links that get a copy of a message.

    Args:
        message: as it came.
        source: where it came from.
        channels: all links.
        system_id: of this vehicle.

    Returns:
        All others for a message to everybody, those where the target was heard for one to another
        system, none for one to us.
    """
    if message.get_srcSystem() == system_id or message.get_msgId() == _RADIO_STATUS:
        return []
    target = getattr(message, "target_system", 0)
    others = [channel for channel in channels if channel is not source and channel.connected]
    if target == 0:
        return others
    if target == system_id:
        return []
    return [c for c in others if any(system == target for system, _ in c.heard)]
