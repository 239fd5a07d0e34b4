"""The node's only queue: on disk, kept until the station's receipt."""

from edge.outbox.items import Counters, Due, Item, Kind
from edge.outbox.queue import Outbox

__all__ = ["Counters", "Due", "Item", "Kind", "Outbox"]
