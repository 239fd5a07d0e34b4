"""Tables that people write by hand: CSV and GeoJSON, every error with file, line, value, next step."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.errors import AskOperator

MAX_BYTES = 20_000_000
MAX_ROWS = 100_000
_STRIPPED_UNITS = ("_deg", "_px", "_m", "_s", "_utc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table, with where it stands.

    Attributes:
        place: file and line, for messages.
        cells: by column, as text; empty cells are absent.
    """

    place: str
    cells: Mapping[str, str]

    def text(self, name: str) -> str:
        """A cell, empty where there is none."""
        return self.cells.get(name, "")

    def number(self, name: str, low: float, high: float) -> float:
        """A cell as a number between two ends.

        Raises:
            AskOperator: it is absent, no number, or outside.
        """
        value = self.maybe(name, low, high)
        if value is None:
            raise self.wrong(name, "", f"a number {low:g}..{high:g}", "fill in this column")
        return value

    def maybe(self, name: str, low: float, high: float) -> float | None:
        """The same, None where the cell is absent."""
        text = self.text(name)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            step = "correct this line"
            if name in ("lat", "lon"):
                step += "; degrees with a decimal point; was lat given for lon?"
            raise self.wrong(name, text, f"a number {low:g}..{high:g}", step)
        return value

    def wrong(self, name: str, value: object, allowed: str, next_step: str) -> AskOperator:
        """Return the error of a cell of this row."""
        return AskOperator(
            field=f"{self.place}: {name}", value=value, allowed=allowed, next_step=next_step
        )


def read_bytes(path: Path, *, what: str) -> bytes:
    """Return a file's bytes.

    Raises:
        AskOperator: it cannot be read, or is far too large.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise AskOperator(
                field=str(path),
                value=f"{path.stat().st_size} bytes",
                allowed=f"{what} of at most {MAX_BYTES} bytes",
                next_step="is it the right file? cut it to the time of the calibration",
            )
        return path.read_bytes()
    except OSError as error:
        raise AskOperator(
            field=str(path),
            value=error.strerror,
            allowed=f"{what} that this user may read",
            next_step="correct the path",
        ) from None


def read_rows(path: Path, *, needed: Sequence[str], known: Sequence[str]) -> list[Row]:
    """Read a CSV with a heading line, or a GeoJSON of points.

    Columns may carry their unit (`lat_deg`, `u_px`, `alt_hae_m`); a GeoJSON gives `lon`, `lat` and
    `alt_hae` by its coordinates and the rest by its properties.

    Args:
        path: the file; `.json` and `.geojson` are GeoJSON.
        needed: columns that must be there.
        known: columns that may be there beside those.

    Raises:
        AskOperator: names what is wrong and where.
    """
    data = read_bytes(path, what="a table (CSV or GeoJSON)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AskOperator(
            field=str(path),
            value=f"byte {error.start} is no UTF-8",
            allowed="CSV or GeoJSON in UTF-8",
            next_step="save it as CSV UTF-8",
        ) from None
    names = (*needed, *known)
    if path.suffix.lower() in (".json", ".geojson"):
        rows = _geojson(path, text, names)
    else:
        rows = _csv(path, text, needed, names)
    if not rows:
        raise AskOperator(
            field=str(path), value="no rows", allowed="at least one", next_step="fill in the table"
        )
    return rows


def _column(name: str, names: Sequence[str]) -> str:
    """Our name of a column: as it is, or without its unit."""
    plain = name.strip().lower()
    if plain in names:
        return plain
    for unit in _STRIPPED_UNITS:
        if plain.endswith(unit) and plain.removesuffix(unit) in names:
            return plain.removesuffix(unit)
    return plain


def _csv(path: Path, text: str, needed: Sequence[str], names: Sequence[str]) -> list[Row]:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    # A sheet saved where the comma is the decimal sign separates by semicolons.
    separator = max(",;\t", key=first.count)
    lines = csv.reader(text.splitlines(), delimiter=separator)
    header: list[str] = []
    rows: list[Row] = []
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            if not header:
                header = [_column(cell, names) for cell in cells]
                _check_header(path, header, needed, names)
                continue
            place = f"{path} line {lines.line_num}"
            if len(cells) > len(header) or len(rows) >= MAX_ROWS:
                raise AskOperator(
                    field=place,
                    value=f"{len(cells)} cells" if len(rows) < MAX_ROWS else "one row too many",
                    allowed=f"{len(header)} cells per line, {MAX_ROWS} lines",
                    next_step="decimal points, not commas; one point per line",
                )
            found = {n: c.strip() for n, c in zip(header, cells, strict=False) if c.strip()}
            rows.append(Row(place=place, cells=found))
    except csv.Error as error:
        raise AskOperator(
            field=f"{path} line {lines.line_num}",
            value=str(error),
            allowed="CSV",
            next_step="correct this line",
        ) from None
    return rows


def _check_header(
    path: Path, header: Sequence[str], needed: Sequence[str], names: Sequence[str]
) -> None:
    missing = [name for name in needed if name not in header]
    strange = [name for name in header if name not in names]
    if missing or strange or len(set(header)) != len(header):
        raise AskOperator(
            field=f"{path} line 1",
            value=",".join(header)[:200],
            allowed=f"a heading with {', '.join(needed)} and perhaps "
            f"{', '.join(name for name in names if name not in needed)}",
            next_step=f"add {', '.join(missing)}"
            if missing
            else f"take out or rename {', '.join(strange) or 'the doubled column'}",
        )


def _geojson(path: Path, text: str, names: Sequence[str]) -> list[Row]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AskOperator(
            field=str(path), value=str(error)[:200], allowed="GeoJSON", next_step="export it again"
        ) from None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise AskOperator(
            field=str(path),
            value=type(document).__name__,
            allowed="a FeatureCollection of points",
            next_step="export the layer as GeoJSON points",
        )
    return [_feature(f"{path} feature {k}", f, names) for k, f in enumerate(features, 1)]


def _feature(place: str, feature: Any, names: Sequence[str]) -> Row:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    position = geometry.get("coordinates") if isinstance(geometry, dict) else None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind != "Point" or not isinstance(position, list) or not 2 <= len(position) <= 3:
        raise AskOperator(
            field=f"{place}: geometry",
            value=kind,
            allowed="a Point with [lon, lat] or [lon, lat, height above the ellipsoid]",
            next_step="keep points only in this layer",
        )
    given = feature.get("properties")
    cells = {
        _column(str(key), names): str(value)
        for key, value in (given if isinstance(given, dict) else {}).items()
        if value is not None and str(value).strip()
    }
    cells |= dict(zip(("lon", "lat", "alt_hae"), map(str, position), strict=False))
    return Row(place=place, cells=cells)
