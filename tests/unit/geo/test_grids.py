"""Map sheets and MGRS read as the survey papers print them."""

import pytest

from geo.grids import (
    VN2000_TM3_104_30,
    VN2000_TM3_104_45,
    VN2000_UTM_48N,
    GridPoint,
    from_mgrs,
    from_vn2000,
    to_mgrs,
    to_vn2000,
)

MARKER_314 = (104.440722, 10.423528)


@pytest.mark.parametrize(
    ("epsg", "east", "north"),
    [
        (VN2000_TM3_104_30, 493313.4, 1152697.5),
        (VN2000_TM3_104_45, 465942.4, 1152713.6),
        (VN2000_UTM_48N, 438589.3, 1152405.4),
    ],
)
def test_vn2000_of_the_last_marker(epsg, east, north):
    """Marker 314 lies within the metre by which EPSG's two transformations differ."""
    point = to_vn2000(*MARKER_314, epsg=epsg)
    assert point.easting_m == pytest.approx(east, abs=1.0)
    assert point.northing_m == pytest.approx(north, abs=1.0)


def test_vn2000_comes_back():
    """There and back is a centimetre at most."""
    assert from_vn2000(to_vn2000(*MARKER_314)) == pytest.approx(MARKER_314, abs=1e-7)


def test_the_seven_parameter_operation_is_pinned():
    """The second operation of EPSG, by its own numbers, is the one in use."""
    from geo.grids import _transformer

    assert "VN-2000 to WGS 84 (2)" in _transformer(VN2000_TM3_104_30).description


def test_mgrs_reads_as_radios_say_it():
    """The reference is grouped, to the metre, and comes back."""
    assert to_mgrs(*MARKER_314) == "48P VS 38785 52293"
    assert from_mgrs("48p vs 38785 52293") == pytest.approx(MARKER_314, abs=2e-5)


@pytest.mark.parametrize("epsg", [9210, 4326])
def test_a_foreign_sheet_is_refused(epsg):
    """A neighbour's meridian is refused with the list of what is allowed."""
    with pytest.raises(ValueError, match="9207"):
        from_vn2000(GridPoint(epsg=epsg, easting_m=5e5, northing_m=1.15e6))


def test_a_broken_reference_is_shown():
    """The error repeats what was typed and shows what is right."""
    with pytest.raises(ValueError, match=r"'xx'.*48P"):
        from_mgrs("xx")
