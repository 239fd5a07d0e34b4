"""The one table of all topics: name, direction, quality, size limit, period, body.

Permissions of the broker, subscriptions, liveness on the map and the reference are derived from it.
"""

import re
from dataclasses import dataclass
from typing import Literal

from wire import commands, messages
from wire.values import NAME_PATTERN, SHA256_PATTERN, ULID_PATTERN, WireModel

ROOT = "bw/v1"
Direction = Literal["up", "down", "in", "out"]

_PARAMETER = {
    "site": NAME_PATTERN,
    "node": NAME_PATTERN,
    "sensor": NAME_PATTERN,
    "hash": SHA256_PATTERN,
    "friend": NAME_PATTERN,
    "alert": ULID_PATTERN,
}


class UnknownTopic(ValueError):
    """A topic that is not in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """One row: everything that anybody may know of a topic.

    Attributes:
        name: the short name used in code.
        template: levels under the root, parameters in braces.
        direction: `up` node to station, `down` station to node, `in` others to the station, `out`
            station to others.
        qos: MQTT quality of service.
        retained: whether the broker keeps the last one.
        body: model of the envelope's body.
        max_bytes: largest payload that is read or sent.
        period_s: how often it comes by itself; None when it does not.
        outbox: whether it waits on disk for the station's receipt.
        description: one sentence.
    """

    name: str
    template: str
    direction: Direction
    qos: Literal[0, 1]
    retained: bool
    body: type[WireModel]
    max_bytes: int
    description: str
    period_s: float | None = None
    outbox: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the braces, in order."""
        return tuple(re.findall(r"\{(\w+)\}", self.template))

    def format(self, **values: str) -> str:
        """The topic for these values, each checked."""
        if set(values) != set(self.parameters):
            raise UnknownTopic(f"topic {self.name} takes {self.parameters}, got {tuple(values)}")
        for key, value in values.items():
            if not re.fullmatch(_PARAMETER[key].removesuffix("$"), value):
                raise UnknownTopic(
                    f"{key} {value!r} cannot stand in a topic: allowed is {_PARAMETER[key]}"
                )
        return f"{ROOT}/{self.template.format(**values)}"

    def filter(self, **values: str) -> str:
        """A subscription: given values in place, `+` for the rest."""
        wild = {key: values.get(key, "+") for key in self.parameters}
        return f"{ROOT}/{self.template.format(**wild)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic as received: its row and its values."""

    spec: TopicSpec
    values: dict[str, str]


_KB = 1024
TABLE: tuple[TopicSpec, ...] = (
    TopicSpec(
        name="birth", template="{site}/{node}/birth", direction="up", qos=1, retained=True,
        body=messages.Birth, max_bytes=256 * _KB,
        description="Who I am: sensors with pose, lens and accuracy, network and config hash.",
    ),
    TopicSpec(
        name="state", template="{site}/{node}/state", direction="up", qos=1, retained=True,
        body=messages.State, max_bytes=4 * _KB, period_s=60.0,
        description="Online, degraded, storage_full, goodbye; offline as last will.",
    ),
    TopicSpec(
        name="health", template="{site}/{node}/health", direction="up", qos=0, retained=False,
        body=messages.Health, max_bytes=64 * _KB, period_s=10.0,
        description="Cameras, clock, fix, temperature, disk, outbox, hashes in force.",
    ),
    TopicSpec(
        name="obs", template="{site}/{node}/obs/{sensor}", direction="up", qos=1, retained=False,
        body=messages.Observation, max_bytes=8 * _KB, outbox=True,
        description="What a node says about a track: new, update, end; at most 2 Hz per track.",
    ),
    TopicSpec(
        name="media", template="{site}/{node}/media/{sensor}", direction="up", qos=1,
        retained=False, body=messages.Media, max_bytes=16 * _KB, outbox=True,
        description="Best crop of a track, or the announcement of a clip.",
    ),
    TopicSpec(
        name="clip", template="{site}/{node}/clip/{hash}", direction="up", qos=1, retained=False,
        body=messages.ClipChunk, max_bytes=48 * _KB, outbox=True,
        description="One chunk of a clip, on command only.",
    ),
    TopicSpec(
        name="vehicle", template="{site}/{node}/vehicle", direction="up", qos=0, retained=False,
        body=messages.VehicleReport, max_bytes=16 * _KB, period_s=1.0,
        description="A drone: position, attitude, footprint, battery, mode.",
    ),
    TopicSpec(
        name="mission", template="{site}/{node}/mission", direction="up", qos=1, retained=True,
        body=messages.MissionStatus, max_bytes=8 * _KB,
        description="Mission state and progress.",
    ),
    TopicSpec(
        name="cmd", template="{site}/{node}/cmd", direction="down", qos=1, retained=False,
        body=commands.SignedDocument, max_bytes=256 * _KB,
        description="A signed Command with an end to its life.",
    ),
    TopicSpec(
        name="ack", template="{site}/{node}/ack", direction="up", qos=1, retained=False,
        body=commands.CommandAck, max_bytes=8 * _KB, outbox=True,
        description="ACCEPTED, REJECTED, COMPLETED or FAILED, with the reason in words.",
    ),
    TopicSpec(
        name="receipt", template="{site}/{node}/receipt", direction="down", qos=0, retained=False,
        body=messages.Receipt, max_bytes=2 * _KB,
        description="Highest seq committed without a gap; at most once a second.",
    ),
    TopicSpec(
        name="zones", template="{site}/{node}/zones", direction="down", qos=1, retained=True,
        body=commands.SignedDocument, max_bytes=2048 * _KB,
        description="Line, zones, markers and permits: signed, versioned.",
    ),
    TopicSpec(
        name="friend", template="{site}/_friend/{friend}", direction="in", qos=0, retained=False,
        body=messages.FriendReport, max_bytes=4 * _KB,
        description="Our own patrols.",
    ),
    TopicSpec(
        name="station_alert", template="{site}/_station/alert/{alert}", direction="out", qos=1,
        retained=True, body=messages.StationAlert, max_bytes=16 * _KB,
        description="An alert for sirens, lights and other systems, until it is closed.",
    ),
)  # fmt: skip
BY_NAME: dict[str, TopicSpec] = {spec.name: spec for spec in TABLE}


def _pattern(spec: TopicSpec) -> re.Pattern[str]:
    body = re.escape(spec.template).replace(r"\{", "{").replace(r"\}", "}")
    for key in spec.parameters:
        inner = _PARAMETER[key].removeprefix("^").removesuffix("$")
        body = body.replace(f"{{{key}}}", f"(?P<{key}>{inner})")
    return re.compile(f"{ROOT}/{body}")


_PATTERNS = tuple((spec, _pattern(spec)) for spec in TABLE)


def topic(name: str, **values: str) -> str:
    """The full topic of a row, for example `topic("state", site="ha-tien", node="mast-1")`."""
    return BY_NAME[name].format(**values)


def parse(text: str) -> Topic:
    """The row and values of a received topic.

    Raises:
        UnknownTopic: it is not in the table, or a value is not allowed.
    """
    for spec, pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            return Topic(spec=spec, values=match.groupdict())
    raise UnknownTopic(f"topic {text[:200]!r} is not in the table of wire.topics")


def station_filters(site: str) -> tuple[tuple[str, int], ...]:
    """What a station subscribes to: (filter, qos)."""
    return tuple(
        (spec.filter(site=site), spec.qos) for spec in TABLE if spec.direction in {"up", "in"}
    )


def node_filters(site: str, node: str) -> tuple[tuple[str, int], ...]:
    """What a node subscribes to: its own down topics, (filter, qos)."""
    return tuple(
        (spec.filter(site=site, node=node), spec.qos) for spec in TABLE if spec.direction == "down"
    )
