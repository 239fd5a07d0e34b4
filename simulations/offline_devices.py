"""What a node of an offline run listens to: its receiver and its drone, by the bytes of the wire."""

from edge.app import Node
from edge.config import NodeConfig
from edge.devices import open_autopilot, open_position
from edge.telemetry import AutopilotWorker, PositionWorker
from hardware.ports import AutopilotPort, PositionPort
from runtime.clock import Clock
from runtime.workers import Worker
from simulations.drone_link import FlightLink
from simulations.flight import Flight
from simulations.gpsd_bytes import GpsdBytes
from simulations.gpsd_daemon import GpsdDaemon
from simulations.gpsd_post import receiver_of
from simulations.scenario import Scenario
from simulations.world import World


def position(
    world: World, node_id: str, config: NodeConfig, clock: Clock, true_clock: Clock
) -> PositionPort | None:
    """Return a node's own place; of one with a receiver, by what a gpsd says of it.

    Args:
        world: where the receiver stands.
        node_id: of the node.
        config: what it is told.
        clock: its own.
        true_clock: the world's.
    """
    told = next((one for one in world.scenario.gpsd if one.node == node_id), None)
    if told is None:
        return open_position(config, clock)
    daemon = GpsdDaemon(
        receiver_of(told, world), true_clock, true_clock.monotonic_s, faults=told.fault,
        rate_hz=told.rate_hz,
    )  # fmt: skip
    return open_position(config, clock, connect=GpsdBytes(daemon, true_clock))


def flight_at(scenario: Scenario, node_id: str) -> Flight | None:
    """Return the drone of a node, hovering at its first place; None where it has none."""
    if all(drone.id != node_id for drone in scenario.drone):
        return None
    return Flight(scenario, node_id)


def autopilot(
    flight: Flight, config: NodeConfig, clock: Clock, true_clock: Clock
) -> AutopilotPort | None:
    """Return the link to a node's drone, which flies as far as it is heard.

    Args:
        flight: of the drone.
        config: what the node is told.
        clock: its own.
        true_clock: the world's.
    """
    return open_autopilot(config, clock, connect=lambda: FlightLink(flight, true_clock))


def telemetry(node: Node) -> tuple[Worker, ...]:
    """Return the workers that listen to where things are."""
    return tuple(
        worker
        for worker, _ in node.workers
        if isinstance(worker, (AutopilotWorker, PositionWorker))
    )
