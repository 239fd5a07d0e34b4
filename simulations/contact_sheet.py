"""One page of pictures: the demonstration's cameras under every light and weather of the film.

``python -m simulations.contact_sheet docs/pictures/film.jpg`` writes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import typer

from runtime.errors import AskOperator
from simulations.film import Film
from simulations.ground import Image
from simulations.scenario import Scenario, load_scenario
from simulations.scenario_place import LightSettings, WaterSettings, WeatherSettings
from simulations.world import World

_PANEL_PX = (480, 270)
_ACROSS = 4
_QUALITY = 72
_MOST_BYTES = 300_000
_UTC_OFFSET = timedelta(hours=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture of the sheet: what differs from the demonstration.

    Attributes:
        camera: which of the demonstration's cameras.
        local: time of day; None keeps the demonstration's fixed sun.
        t_s: instant of the scenario.
    """

    label: str
    camera: int = 0
    local: str | None = None
    t_s: float = 26.0
    look: str = "rice"
    weather: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    water: tuple[WaterSettings, ...] = ()
    lamps: bool = False


_FAR = ((100.0, -9.0), (900.0, -9.0), (900.0, -400.0), (100.0, -400.0))
PANELS = (
    Panel(label="10:00, rice", local="10:00"),
    Panel(label="17:20, low sun", local="17:20", look="grass"),
    Panel(label="22:00, moon", local="22:00", weather={"cloud": 0.0}),
    Panel(label="22:00, lamps", local="22:00", lamps=True),
    Panel(label="fog, 150 m", local="07:00", weather={"visibility_m": 150.0}),
    Panel(label="rain, 40 mm/h", local="15:00", weather={"rain_mm_h": 40.0, "cloud": 1.0, "wind_m_s": 7.0}),
    Panel(label="insects", local="09:00", look="scrub", weather={"insects_per_min": 300.0}),
    Panel(label="dry season, shimmer", local="13:00", look="dry", weather={"shimmer_px": 2.0}),
    Panel(
        label="canal", local="09:30",
        water=(WaterSettings(id="canal", path_along_across_m=((200.0, -16.0), (800.0, -16.0)), width_m=12.0),),
    ),
    Panel(
        label="flood", local="16:00",
        water=(WaterSettings(id="flood", kind="flood", level_m=-0.05, ring_along_across_m=_FAR),),
    ),
    Panel(label="lens, k1 = -0.25", local="10:00", settings={"hfov_deg": 60.0, "k1": -0.25, "k2": 0.05}),
    Panel(label="mud", local="11:00", look="mud"),
    Panel(label="thermal, 02:40", camera=1, local="02:40", t_s=84.0, weather={"air_c": 24.0}),
    Panel(
        label="thermal, black-hot", camera=1, local="02:40", t_s=84.0,
        settings={"polarity": "black_hot"},
    ),
    Panel(
        label="thermal, noon, 34 C", camera=1, local="12:40", t_s=84.0, look="dry",
        weather={"air_c": 34.0, "cloud": 0.0},
    ),
    Panel(
        label="thermal, insects", camera=1, local="20:00", t_s=84.0,
        weather={"insects_per_min": 240.0},
    ),
)  # fmt: skip


def panel(demo: Scenario, wanted: Panel) -> Image:
    """Return one labelled picture, (h, w, 3) BGR."""
    camera = demo.camera[wanted.camera].model_copy(update=dict(wanted.settings))
    update: dict[str, Any] = {
        "camera": (camera,),
        "weather": (WeatherSettings(**{"cloud": 0.25, "wind_m_s": 3.0, **wanted.weather}),),
        "water": wanted.water,
        "ground": demo.ground.model_copy(update={"look": wanted.look}),
    }
    if wanted.local is not None:
        clock = datetime.strptime(wanted.local, "%H:%M").replace(
            tzinfo=demo.start_utc.tzinfo
        )  # the zone follows at once
        day = demo.start_utc.replace(hour=0, minute=0, second=0, microsecond=0)
        local = timedelta(hours=clock.hour, minutes=clock.minute)
        update["start_utc"] = day + local - _UTC_OFFSET
        update["light"] = LightSettings(lamps=wanted.lamps)
    film = Film(World(demo.model_copy(update=update)), camera)
    seen = cv2.resize(film.received(wanted.t_s, 7), _PANEL_PX, interpolation=cv2.INTER_AREA)
    cv2.rectangle(seen, (0, 0), (_PANEL_PX[0], 24), (24, 24, 24), -1)
    cv2.putText(
        seen, wanted.label, (8, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (240, 240, 240), 1, cv2.LINE_AA
    )
    return np.asarray(seen, dtype=np.uint8)


def write(out: Path) -> int:
    """Write the sheet as JPEG; returns its size in bytes."""
    demo = load_scenario("demo").model
    made = [panel(demo, wanted) for wanted in PANELS]
    rows = [np.hstack(made[k : k + _ACROSS]) for k in range(0, len(made), _ACROSS)]
    done, data = cv2.imencode(".jpg", np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done or out.suffix != ".jpg" or data.nbytes > _MOST_BYTES:
        raise AskOperator(
            field="OUT", value=f"{out} ({data.nbytes} bytes)",
            allowed=f"a .jpg of at most {_MOST_BYTES} bytes", next_step="lower the quality",
        )  # fmt: skip
    out.write_bytes(data.tobytes())
    return int(data.nbytes)


def main(out: Path) -> None:
    """Write the contact sheet of the film to OUT, a .jpg file."""
    typer.echo(f"{out}: {write(out)} bytes", err=True)


if __name__ == "__main__":
    typer.run(main)
