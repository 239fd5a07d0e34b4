"""A whole node on a hill: its tiles reach its observations, its birth and its log."""

import numpy as np
import pytest
import structlog

from runtime.errors import AskOperator
from tests.unit.edge import test_node as level
from tests.unit.edge.test_ground import write_tile

LEVEL = "alt_hae_m = 0.0"


def told(tmp_path, monkeypatch, ground):
    """A node whose camera has this ground table, heard for three seconds, and what it logged."""
    assert level.CONFIG.count(LEVEL) == 1
    monkeypatch.setattr(level, "CONFIG", level.CONFIG.replace(LEVEL, ground))
    with structlog.testing.capture_logs() as logs:
        world = level.World(tmp_path)
    world.transport.connect()
    world.pass_(3.0)
    world.node.close()
    return world, [entry["says"] for entry in logs if entry["event"] == "ground"]


def test_observations_on_tiles_say_terrain_and_the_slope_brings_them_nearer(tmp_path, monkeypatch):
    """Ground that rises a metre in ten towards the view: the same box stands nearer and higher."""
    south = np.arange(120)[::-1, None] * 0.001 * 110_600.0 / 10.0
    rising = np.tile(south - 60 * 0.001 * 110_600.0 / 10.0, (1, 120))
    write_tile(tmp_path / "t.tif", rising, west=104.39, north=10.42 + 59 * 0.001)
    flat, said_flat = told(tmp_path / "a", monkeypatch, LEVEL)
    monkeypatch.undo()
    ground = f'dem = ["{tmp_path / "t.tif"}"]\ndem_datum = "hae"'
    hill, said_hill = told(tmp_path / "b", monkeypatch, ground)
    on_flat = flat.spoken("obs")[-1].body.position
    on_hill = hill.spoken("obs")[-1].body.position
    assert ("plane", "terrain") == (on_flat.method, on_hill.method)
    # The mast stands 8 m over both; the ray falls by h at 8 / (tan + 1/10) instead of 8 / tan.
    north_flat, north_hill = ((place.lat_deg - 10.42) * 110_600.0 for place in (on_flat, on_hill))
    tangent = 8.0 / north_flat
    assert 8.0 / (tangent + 0.1) == pytest.approx(north_hill, rel=0.02)
    assert on_hill.alt_hae_m == pytest.approx(north_hill / 10.0, abs=0.1)
    assert np.trace(on_hill.cov_enu_m2) < np.trace(on_flat.cov_enu_m2)
    assert "assumed level at 0 m" in said_flat[0]
    assert "t.tif" in said_hill[0]
    # The slope hides what lies beyond; the ring of the birth ends on it.
    far_flat, far_hill = (
        max(lat for _, lat in world.spoken("birth")[0].body.sensors[0].field_of_view_lonlat)
        for world in (flat, hill)
    )
    assert far_hill < far_flat


def test_a_node_without_its_tile_does_not_start(tmp_path, monkeypatch):
    """A missing file is told at once with its key; nobody watches a night without positions."""
    with pytest.raises(AskOperator, match=r"ground.dem is .*gone\.tif"):
        told(tmp_path, monkeypatch, 'dem = ["gone.tif"]\ndem_datum = "hae"')
