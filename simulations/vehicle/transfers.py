"""The mission protocol as ArduPilot speaks it: it asks with MISSION_REQUEST, forgives little, undoes nothing.

Three transfers (mission, fence, rally) run apart from each other. Nothing is ever repeated but the
request for an item: a final acknowledgement that gets lost is lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.missions import FenceItems, Mission, Rally, Store, is_place
from simulations.vehicle.missions_mapping import WireItem
from simulations.vehicle.ports import Item, Message, Organ, Peer, Reply, VehicleView

REPEAT_S = 1.0
TIMEOUT_S = 8.0
_ALL_KINDS = int(mav.MAV_MISSION_TYPE_ALL)
_WARNING = int(mav.MAV_SEVERITY_WARNING)


@dataclass(slots=True)
class _Upload:
    """One running upload.

    Attributes:
        client: who sends; another component of the same system is somebody else.
        next_seq: item that is asked for.
        last_seq: last item of this transfer.
        good_s: when the last good item (or the count) came.
        asked_s: when the item was last asked for.
    """

    client: Peer
    next_seq: int
    last_seq: int
    good_s: float
    asked_s: float

    def is_of(self, sender: Peer) -> bool:
        return (self.client.system_id, self.client.component_id) == (
            sender.system_id,
            sender.component_id,
        )


class Transfers(Organ):
    """Uploads and downloads of the three stores.

    Args:
        view: the vehicle.

    Attributes:
        mission: the flight plan that AUTO reads.
        fence: polygons and circles.
        rally: places to return to.
    """

    def __init__(self, view: VehicleView) -> None:
        self._view = view
        self.mission = Mission(view)
        self.fence = FenceItems(view)
        self.rally = Rally()
        self._stores: dict[int, Store] = {
            store.kind: store for store in (self.mission, self.fence, self.rally)
        }
        self._uploads: dict[int, _Upload] = {}
        self._warned_of_float = False
        self._handlers: dict[int, Callable[[Message, Peer, float], Sequence[Reply]]] = {
            mav.MAVLINK_MSG_ID_MISSION_COUNT: self._count,
            mav.MAVLINK_MSG_ID_MISSION_WRITE_PARTIAL_LIST: self._partial,
            mav.MAVLINK_MSG_ID_MISSION_ITEM_INT: self._item_int,
            mav.MAVLINK_MSG_ID_MISSION_ITEM: self._item_float,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST_LIST: self._list,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST_INT: self._request,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST: self._request,
            mav.MAVLINK_MSG_ID_MISSION_CLEAR_ALL: self._clear,
        }

    def handle(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:
        """Answer a message of the mission protocol; a client's MISSION_ACK is ignored, cancelled too."""
        handler = self._handlers.get(message.get_msgId())
        return () if handler is None else handler(message, sender, now_s)

    def step(self, now_s: float) -> Sequence[Reply]:
        """Ask again each second; give up eight seconds after the last good item."""
        replies: list[Reply] = []
        for kind, upload in list(self._uploads.items()):
            if now_s - upload.good_s >= TIMEOUT_S:
                store = self._stores[kind]
                self._end(kind)
                replies.append(_ack(kind, upload.client, mav.MAV_MISSION_OPERATION_CANCELLED))
                self._view.say(f"{store.name} upload timeout", _WARNING)
            elif now_s - upload.asked_s >= REPEAT_S:
                replies.append(self._ask(kind, upload, now_s))
        return replies

    def reboot(self, now_s: float) -> None:  # noqa: ARG002  # of the Protocol
        """Forget transfers under way; the stores are in the autopilot's storage."""
        for kind in list(self._uploads):
            self._end(kind)
        self._warned_of_float = False
        for store in self._stores.values():
            store.boot()

    def _count(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:
        kind = message.mission_type
        store = self._stores.get(kind)
        if store is None:
            return [_ack(kind, sender, mav.MAV_MISSION_UNSUPPORTED)]
        if message.count > store.capacity:
            self._view.say(f"Only {store.capacity} items are supported", _WARNING)
            return [_ack(kind, sender, mav.MAV_MISSION_NO_SPACE)]
        upload = self._uploads.get(kind)
        if upload is not None and not upload.is_of(sender):
            return [_ack(kind, sender, mav.MAV_MISSION_DENIED)]
        self._end(kind)
        store.begin(message.count)
        if message.count == 0:
            return [self._finish(kind, sender)]
        return [self._begin(kind, sender, 0, message.count - 1, now_s)]

    def _partial(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:
        kind = message.mission_type
        store = self._stores.get(kind)
        if store is None:
            return [_ack(kind, sender, mav.MAV_MISSION_UNSUPPORTED)]
        upload = self._uploads.get(kind)
        if upload is not None and not upload.is_of(sender):
            return [_ack(kind, sender, mav.MAV_MISSION_DENIED)]
        if not 0 <= message.start_index <= message.end_index < store.count:
            self._view.say("Flight plan update rejected", _WARNING)
            return [_ack(kind, sender, mav.MAV_MISSION_ERROR)]
        self._end(kind)
        return [self._begin(kind, sender, message.start_index, message.end_index, now_s)]

    def _begin(self, kind: int, client: Peer, first: int, last: int, now_s: float) -> Reply:
        upload = _Upload(client, first, last, good_s=now_s, asked_s=now_s)
        self._uploads[kind] = upload
        return self._ask(kind, upload, now_s)

    def _ask(self, kind: int, upload: _Upload, now_s: float) -> Reply:
        upload.asked_s = now_s
        client = upload.client
        return Reply(
            message=mav.MAVLink_mission_request_message(
                client.system_id, client.component_id, upload.next_seq, kind
            ),
            to=client,
        )

    def _item_float(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:
        if message.mission_type in self._uploads and not self._warned_of_float:
            self._warned_of_float = True
            self._view.say("got MISSION_ITEM; GCS should send MISSION_ITEM_INT", _WARNING)
        scale = 1e7 if is_place(message.mission_type, message.command) else 1.0
        return self._item(
            message, _whole(message.x * scale), _whole(message.y * scale), sender, now_s
        )

    def _item_int(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:
        return self._item(message, message.x, message.y, sender, now_s)

    def _item(
        self, message: Message, x_e7: int, y_e7: int, sender: Peer, now_s: float
    ) -> Sequence[Reply]:
        kind = message.mission_type
        if kind not in self._stores:
            return [_ack(kind, sender, mav.MAV_MISSION_UNSUPPORTED)]
        upload = self._uploads.get(kind)
        if upload is None:
            return [_ack(kind, sender, mav.MAV_MISSION_ERROR)]
        if not upload.is_of(sender):
            return [_ack(kind, sender, mav.MAV_MISSION_DENIED)]
        if message.seq != upload.next_seq:
            # Not the end of it: the item is asked for again when its second is over.
            return [_ack(kind, sender, mav.MAV_MISSION_INVALID_SEQUENCE)]
        result = self._stores[kind].put(
            WireItem(
                seq=message.seq,
                command=message.command,
                frame=message.frame,
                params=(message.param1, message.param2, message.param3, message.param4),
                x_e7=x_e7,
                y_e7=y_e7,
                z_m=message.z,
            ),
            announced=upload.last_seq + 1,
        )
        if result != mav.MAV_MISSION_ACCEPTED:
            self._end(kind)
            return [_ack(kind, sender, result)]
        upload.good_s = now_s
        upload.next_seq += 1
        if upload.next_seq > upload.last_seq:
            return [self._finish(kind, sender)]
        return [self._ask(kind, upload, now_s)]

    def _finish(self, kind: int, client: Peer) -> Reply:
        result, texts = self._stores[kind].finish()
        self._uploads.pop(kind, None)
        for text in texts:
            self._view.say(text.text, text.severity)
        return _ack(kind, client, result)

    def _end(self, kind: int) -> None:
        if self._uploads.pop(kind, None) is not None:
            self._stores[kind].abandon()

    def _list(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # as all handlers
        kind = message.mission_type
        store = self._stores.get(kind)
        if store is None:
            return [_ack(kind, sender, mav.MAV_MISSION_UNSUPPORTED)]
        if kind in self._uploads:
            return [_ack(kind, sender, mav.MAV_MISSION_DENIED)]
        return [_announce(store, sender)]

    def _request(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # as all handlers
        kind = message.mission_type
        store = self._stores.get(kind)
        if store is None:
            return [_ack(kind, sender, mav.MAV_MISSION_UNSUPPORTED)]
        item = store.read(message.seq)
        if item is None:
            if self._view.firmware == "4.6":
                return [_ack(kind, sender, mav.MAV_MISSION_ERROR)]
            return [
                _announce(store, sender),
                _ack(kind, sender, mav.MAV_MISSION_INVALID_SEQUENCE),
            ]
        flying = kind == self.mission.kind and message.seq == self._view.state.mission_seq
        as_int = message.get_msgId() == mav.MAVLINK_MSG_ID_MISSION_REQUEST_INT
        return [_item_message(kind, message.seq, item, sender, current=flying, as_int=as_int)]

    def _clear(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # as all handlers
        kind = message.mission_type
        store = self._stores.get(kind)
        if store is None:
            # No answer at all, and nothing cleared: _ALL_KINDS is meant here most of the time.
            return () if kind == _ALL_KINDS else [_ack(kind, sender, mav.MAV_MISSION_UNSUPPORTED)]
        upload = self._uploads.get(kind)
        if upload is not None and not upload.is_of(sender):
            return [
                _ack(kind, sender, mav.MAV_MISSION_DENIED),
                _ack(kind, sender, mav.MAV_MISSION_ERROR),
            ]
        self._end(kind)
        cleared = store.clear()
        return [_ack(kind, sender, mav.MAV_MISSION_ACCEPTED if cleared else mav.MAV_MISSION_ERROR)]


def _ack(kind: int, to: Peer, result: int) -> Reply:
    return Reply(
        message=mav.MAVLink_mission_ack_message(to.system_id, to.component_id, int(result), kind),
        to=to,
    )


def _announce(store: Store, to: Peer) -> Reply:
    return Reply(
        message=mav.MAVLink_mission_count_message(
            to.system_id, to.component_id, store.count, store.kind
        ),
        to=to,
    )


def _item_message(
    kind: int, seq: int, item: Item, to: Peer, *, current: bool, as_int: bool
) -> Reply:
    scale = 1e-7 if is_place(kind, item.command) else 1.0
    build = mav.MAVLink_mission_item_int_message if as_int else mav.MAVLink_mission_item_message
    return Reply(
        message=build(
            to.system_id,
            to.component_id,
            seq,
            item.frame,
            item.command,
            int(current),
            1,
            *item.params,
            item.x_e7 if as_int else item.x_e7 * scale,
            item.y_e7 if as_int else item.y_e7 * scale,
            item.z_m,
            kind,
        ),
        to=to,
    )


def _whole(value: float) -> int:
    """Cut to an integer of 32 bits; what does not fit becomes the largest, which no check accepts."""
    return int(value) if abs(value) < 0x7FFFFFFF else 0x7FFFFFFF
