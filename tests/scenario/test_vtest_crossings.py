"""Real film, real network, real node, real station: who crossed the line, when and which way."""

import json
import random
from datetime import datetime

import pytest

from edge.app import Devices
from edge.config import NodeConfig
from edge.detector import open_detector
from edge.devices import camera_source
from ground_station.store import incidents, intake
from hardware.camera_opencv import OpenCvCamera
from models.registry import Registry
from runtime.clock import ManualClock
from runtime.ids import UlidSource
from simulations.bus import NodeLine
from simulations.joined import join
from tests.scenario import vtest

pytestmark = [pytest.mark.data, pytest.mark.slow]


def node_config(film, camera):
    """The node's config for the film and its fitted camera."""
    lens, place = camera.lens, camera.position
    return {
        "node": {"site_id": "vtest", "node_id": "mast-1", "simulated": True},
        "clock": {},
        "camera": [
            {
                "sensor_id": "cam-1",
                "source": str(film),
                "pace": "fast",
                "film_rate_hz": vtest.FILM_RATE_HZ,
                "mount": {
                    "lon_deg": place.lon_deg,
                    "lat_deg": place.lat_deg,
                    "alt_hae_m": place.alt_hae_m,
                    "azimuth_deg": camera.azimuth_deg,
                    "pitch_deg": camera.pitch_deg,
                    "roll_deg": camera.roll_deg,
                    "horizontal_sigma_m": camera.horizontal_sigma_m,
                    "vertical_sigma_m": camera.vertical_sigma_m,
                    "azimuth_sigma_deg": camera.azimuth_sigma_deg,
                    "pitch_sigma_deg": camera.pitch_sigma_deg,
                    "roll_sigma_deg": camera.roll_sigma_deg,
                },
                "lens": {
                    "width_px": lens.width_px,
                    "height_px": lens.height_px,
                    "fx_px": lens.fx_px,
                    "fy_px": lens.fy_px,
                    "cx_px": lens.cx_px,
                    "cy_px": lens.cy_px,
                    "sigma_px": camera.lens_sigma_px,
                },
                "ground": {"alt_hae_m": vtest.ORIGIN.alt_hae_m, "sigma_m": 0.02},
            }
        ],
        "mqtt": {},
    }


def crossings(store):
    """What the station has on record, as events in film time."""
    with store.read() as tx:
        rows = [json.loads(text) for text in incidents.list_findings(tx, limit=10_000)]
    events = []
    for row in rows:
        if row["rule"] != "crossing":
            continue
        at = datetime.fromisoformat(row["t_event_utc"].replace("Z", "+00:00"))
        events.append(
            vtest.Event(
                t_s=(at - vtest.START_UTC).total_seconds(),
                # Our side lies north of the line, towards greater y.
                direction={"in": 1, "out": -1}[row["direction"]],
                who=row["target_id"],
            )
        )
    return events


def test_the_truth_has_32_crossings(data_dir):
    """The measure itself: 19 people, 32 passages of y = -9.1 m."""
    events = vtest.true_events(vtest.truth_table(data_dir))
    assert 32 == len(events)


@pytest.mark.timeout(2400)
def test_crossings_on_real_film_are_found_once_each(data_dir, tmp_path, capsys):
    """Pixels to findings in the station's store: precision and recall of at least .85."""
    table = vtest.truth_table(data_dir)
    camera = vtest.fitted_camera(table)
    site_file = tmp_path / "site.geojson"
    site_file.write_text(json.dumps(vtest.site_geojson()))
    clock = ManualClock(vtest.START_UTC)
    both = join(
        tmp_path, site_id="vtest", site_file=site_file, clock=clock,
        ids=UlidSource(clock, random.Random(1)), keep_log=True,
    )  # fmt: skip
    tables = node_config(data_dir / "films" / "vtest.avi", camera)
    tables["node"] |= {
        "data_dir": str(tmp_path / "node"), "station_key_file": str(both.public_key_file)
    }  # fmt: skip
    config = NodeConfig.model_validate(tables)
    node = both.add_node(
        config,
        Devices(
            cameras={"cam-1": OpenCvCamera(camera_source(config.camera[0]), clock)},
            detectors={"cam-1": open_detector(Registry.load().default("day"))},
            transport=NodeLine(both.bus),
        ),
    )
    both.exchange()
    try:
        for frame in range(vtest.FRAMES):
            clock.advance(max(0.0, frame / vtest.FILM_RATE_HZ - clock.monotonic_s()))
            both.step()
        both.drain()
        measured = vtest.score(crossings(both.store), vtest.true_events(table))
        counters = node.book.health().outbox
        with both.store.read() as tx:
            stored = intake.count_observations(tx)
        said = {json.loads(payload)["id"] for topic, payload in both.bus.log if "/obs/" in topic}
    finally:
        both.close()
    with capsys.disabled():
        print(f"\nvtest.avi, y = {vtest.LINE_Y_M} m: {measured}")
        print(f"extra {measured.extra}\nmissed {measured.missed}")
    assert (0, 0, 0) == (counters.depth, counters.lost_key, counters.dropped_plain)
    assert len(said) == stored
    assert measured.precision >= 0.85
    assert measured.recall >= 0.85
