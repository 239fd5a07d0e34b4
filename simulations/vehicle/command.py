"""``border-sim vehicle``: one simulated copter on TCP or UDP, until Ctrl-C."""

from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from runtime.errors import AskOperator

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.vehicle.copter import Copter
    from simulations.vehicle.line_distance import NearestToLine
    from simulations.vehicle.making import Setup, Truth
    from simulations.vehicle.ports import Place
    from simulations.vehicle.server import Fault


def vehicle(
    tcp: Annotated[
        int, typer.Option(help="first TCP port; two more open beside it (+2, +3); -1 for none")
    ] = 5760,
    udp: Annotated[
        str, typer.Option(help="HOST:PORT of a client that gets everything over UDP")
    ] = "",
    udp_listen: Annotated[str, typer.Option(help="HOST:PORT to answer UDP clients on")] = "",
    host: Annotated[str, typer.Option(help="address of the TCP ports")] = "127.0.0.1",
    speedup: Annotated[float, typer.Option(help="simulated seconds per second")] = 1.0,
    home: Annotated[
        str, typer.Option(help="lat,lon,metres above the sea,heading")
    ] = "10.4200,104.4600,2,0",
    scenario: Annotated[
        str, typer.Option(help="take home, weather and faults from this scenario")
    ] = "",
    drone: Annotated[str, typer.Option(help="id of a drone in the scenario")] = "",
    seed: Annotated[int, typer.Option(help="of wind, noise and losses")] = 1,
    firmware: Annotated[str, typer.Option(help="4.7 or 4.6")] = "4.7",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of a parameter; may be repeated")
    ] = None,
    lost: Annotated[float, typer.Option(help="share of frames lost, each way")] = 0.0,
    doubled: Annotated[float, typer.Option(help="share of frames doubled, each way")] = 0.0,
    delay_s: Annotated[float, typer.Option(help="delay of every frame, each way")] = 0.0,
    truth: Annotated[
        Path | None, typer.Option(help="write the true position here, one JSON object a line")
    ] = None,
) -> None:
    """Fly a simulated ArduPilot copter that mission programs and ground stations can connect to."""
    from simulations.vehicle.server import VehicleServer

    if tcp < 0 and not udp and not udp_listen:
        raise AskOperator(
            field="tcp", value=tcp, allowed="a port, or -1 beside --udp or --udp-listen",
            next_step="give the vehicle at least one link",
        )  # fmt: skip
    setup, fault = _setup(
        home=home, scenario=scenario, drone=drone, seed=seed, firmware=firmware,
        parameters={"SIM_SPEEDUP": speedup, **_assignments(set_ or [])},
        radio=(lost, doubled, delay_s),
    )  # fmt: skip
    with ExitStack() as stack:
        stream = stack.enter_context(truth.open("w", buffering=1)) if truth is not None else None
        nearest = _nearest(scenario) if scenario else None
        server = VehicleServer(
            _copter(setup), host=host, tcp=tcp if tcp >= 0 else None,
            udp_to=_address(udp) if udp else None,
            udp_listen=_address(udp_listen) if udp_listen else None, fault=fault,
            observe=_observer(stream, nearest),
        )  # fmt: skip
        stack.callback(server.close)
        typer.echo(
            f"copter {firmware} waits on "
            + ", ".join(f"port {port}" for port in server.ports.values()),
            err=True,
        )
        _serve(server.step)
        if nearest is not None and nearest.distance_m < float("inf"):
            typer.echo(f"it came within {nearest.distance_m:.1f} m of the line", err=True)


def _nearest(scenario: str) -> "NearestToLine":
    from simulations.scenario import load_scenario
    from simulations.site import load_site
    from simulations.vehicle.line_distance import NearestToLine

    return NearestToLine(load_site(load_scenario(scenario).model))


def _observer(
    stream: IO[str] | None, nearest: "NearestToLine | None"
) -> "Callable[[Truth], None] | None":
    from simulations.vehicle.server import truth_line

    if stream is None and nearest is None:
        return None

    def observe(truth: "Truth") -> None:
        if stream is not None:
            stream.write(truth_line(truth))
        if nearest is not None:
            nearest.see(truth)

    return observe


def _copter(setup: "Setup") -> "Copter":
    from simulations.vehicle.copter import Copter

    try:
        return Copter(setup)
    except KeyError as error:
        raise AskOperator(
            field="set", value=error.args[0], allowed="names of this vehicle's parameters",
            next_step="read them over MAVLink or in docs/technician.md",
        ) from None  # fmt: skip


def _serve(step: "Callable[[float], float]") -> None:
    from runtime.clock import SystemClock

    clock = SystemClock()
    try:
        while True:
            step(clock.monotonic_s())
    except KeyboardInterrupt:
        return


def _setup(
    *, home: str, scenario: str, drone: str, seed: int, firmware: str,
    parameters: dict[str, float], radio: tuple[float, float, float],
) -> "tuple[Setup, Fault | None]":  # fmt: skip
    from dataclasses import replace

    from simulations.vehicle.lossy import Losses, LossyMedium
    from simulations.vehicle.making import Media, Setup

    if firmware not in ("4.7", "4.6"):
        raise AskOperator(
            field="firmware", value=firmware, allowed="4.7, 4.6", next_step="choose one of them"
        )
    try:
        losses = Losses(lost=radio[0], doubled=radio[1], delay_s=radio[2], in_order=True)
    except ValueError as error:
        raise AskOperator(
            field="lost, doubled, delay_s", value=radio, allowed=str(error),
            next_step="give shares between 0 and 1 and a delay in seconds",
        ) from None  # fmt: skip
    media = {}
    if any(radio):
        media = {
            link: Media(
                down=LossyMedium(seed=seed + 10 * link, losses=losses),
                up=LossyMedium(seed=seed + 10 * link + 5, losses=losses),
            )
            for link in range(3)
        }
    if not scenario:
        place, heading_deg = _home(home)
        return Setup(
            home=place, heading_deg=heading_deg, seed=seed, firmware=firmware,
            parameters=parameters, media=media,
        ), None  # fmt: skip
    from simulations.scenario import load_scenario
    from simulations.vehicle.from_scenario import Faults, drone_of, setup_of

    world = load_scenario(scenario).model
    made = setup_of(world, drone, seed=seed)
    merged = replace(
        made, firmware=firmware, media=media, parameters={**made.parameters, **parameters}
    )
    return merged, Faults(drone_of(world, drone))


def _home(text: str) -> "tuple[Place, float]":
    from simulations.vehicle.ports import Place

    try:
        lat, lon, alt, *rest = (float(part) for part in text.split(","))
    except ValueError:
        lat, lon, alt, rest = 99.0, 0.0, 0.0, []
    if abs(lat) > 90 or abs(lon) > 180 or len(rest) > 1:
        raise AskOperator(
            field="home", value=text, allowed="lat,lon,alt or lat,lon,alt,heading",
            next_step="write degrees, degrees, metres above the sea, degrees",
        )  # fmt: skip
    return Place(lat_deg=lat, lon_deg=lon, alt_msl_m=alt), rest[0] if rest else 0.0


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise AskOperator(
            field="udp", value=text, allowed="HOST:PORT", next_step="such as 127.0.0.1:14550"
        )
    return host, int(port)


def _assignments(entries: list[str]) -> dict[str, float]:
    found = {}
    for entry in entries:
        name, _, value = entry.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            raise AskOperator(
                field="set", value=entry, allowed="NAME=NUMBER",
                next_step="such as --set SIM_WIND_SPD=5",
            ) from None  # fmt: skip
    return found
