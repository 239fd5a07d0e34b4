"""Small drawings for reports, as SVG text."""

import math
from collections.abc import Iterable, Sequence
from html import escape

_MARGIN_PX = 52


class Chart:
    """Axes with things drawn on them, in the order they were asked for.

    Args:
        x: least and greatest value across.
        y: least and greatest value upwards (or downwards with ``flip``).
        labels: of the two axes.
        size_px: of the whole drawing.
        flip: y grows downwards, as in a picture.
        equal: one unit is as long across as upwards.
    """

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        labels: tuple[str, str],
        *,
        size_px: tuple[int, int] = (640, 360),
        flip: bool = False,
        equal: bool = False,
    ) -> None:
        self._x, self._y = _widened(x), _widened(y)
        self._size, self._flip = size_px, flip
        if equal:
            self._make_equal()
        self._parts: list[str] = []
        self._axes(labels)

    def _make_equal(self) -> None:
        across = (self._x[1] - self._x[0]) / (self._size[0] - 2 * _MARGIN_PX)
        upwards = (self._y[1] - self._y[0]) / (self._size[1] - 2 * _MARGIN_PX)
        if across < upwards:
            self._x = _scaled(self._x, upwards / across)
        else:
            self._y = _scaled(self._y, across / upwards)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        wide, high = self._size[0] - 2 * _MARGIN_PX, self._size[1] - 2 * _MARGIN_PX
        right = _MARGIN_PX + wide * (x - self._x[0]) / (self._x[1] - self._x[0])
        share = (y - self._y[0]) / (self._y[1] - self._y[0])
        return right, _MARGIN_PX + high * (share if self._flip else 1.0 - share)

    def _axes(self, labels: tuple[str, str]) -> None:
        width, height = self._size
        low, right = height - _MARGIN_PX, width - _MARGIN_PX
        self._parts.append(
            f'<path class="axis" d="M{_MARGIN_PX} {_MARGIN_PX}V{low}H{right}V{_MARGIN_PX}Z"/>'
        )
        for value in ticks(*self._x):
            at, _ = self._at(value, self._y[0])
            self._parts.append(
                f'<path class="axis" d="M{at:.1f} {low}v5"/>'
                f'<text x="{at:.1f}" y="{low + 18}" text-anchor="middle">{value:g}</text>'
            )
        for value in ticks(*self._y):
            _, at = self._at(self._x[0], value)
            self._parts.append(
                f'<path class="axis" d="M{_MARGIN_PX} {at:.1f}h-5"/>'
                f'<text x="{_MARGIN_PX - 8}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>'
            )
        across, upwards = (escape(label) for label in labels)
        self._parts.append(
            f'<text class="quiet" x="{width / 2}" y="{height - 14}" text-anchor="middle">{across}</text>'
            f'<text class="quiet" x="{_MARGIN_PX}" y="{_MARGIN_PX - 12}">{upwards}</text>'
        )

    def points(
        self, rows: Iterable[tuple[float, float]], *, style: str = "mark", radius_px: float = 3.0
    ) -> None:
        """Draw dots; what is not finite is passed over."""
        for x, y in rows:
            if math.isfinite(x) and math.isfinite(y):
                right, down = self._at(x, y)
                self._parts.append(
                    f'<circle class="{style}" cx="{right:.1f}" cy="{down:.1f}" r="{radius_px:g}"/>'
                )

    def line(self, rows: Iterable[tuple[float, float]], *, style: str = "line") -> None:
        """Draw a line through points; a point that is not finite breaks it."""
        path, pen = [], "M"
        for x, y in rows:
            if not (math.isfinite(x) and math.isfinite(y)):
                pen = "M"
                continue
            right, down = self._at(x, y)
            path.append(f"{pen}{right:.1f} {down:.1f}")
            pen = "L"
        self._parts.append(f'<path class="{style}" d="{"".join(path)}"/>')

    def bar(self, x1: float, x2: float, y: float, *, opacity: float = 0.85) -> None:
        """Draw a box from the axis to a height."""
        self.cell(x1, x2, self._y[0], y, opacity=opacity)

    def cell(self, x1: float, x2: float, y1: float, y2: float, *, opacity: float) -> None:
        """Draw a filled box."""
        (left, up), (right, down) = self._at(x1, y1), self._at(x2, y2)
        self._parts.append(
            f'<rect class="mark" x="{min(left, right):.1f}" y="{min(up, down):.1f}" '
            f'width="{abs(right - left):.1f}" height="{abs(down - up):.1f}" '
            f'fill-opacity="{opacity:.2f}"/>'
        )

    def text(self, x: float, y: float, said: str, *, style: str = "") -> None:
        """Write beside a point."""
        right, down = self._at(x, y)
        self._parts.append(
            f'<text class="{style}" x="{right + 6:.1f}" y="{down - 5:.1f}">{escape(said)}</text>'
        )

    @property
    def svg(self) -> str:
        """The drawing."""
        width, height = self._size
        return (
            f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'xmlns="http://www.w3.org/2000/svg">{"".join(self._parts)}</svg>'
        )


def ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return round values between two ends, at most so many."""
    span = high - low
    step = 10.0 ** math.floor(math.log10(span / most))
    step *= next(factor for factor in (1, 2, 5, 10, 20) if span / (step * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def reach(values: Sequence[float], *, zero: bool = False) -> tuple[float, float]:
    """Return ends that hold all finite values with a little room."""
    known = [value for value in values if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if zero:
        low = min(low, 0.0)
    room = 0.06 * (high - low)
    return (low if zero and low == 0.0 else low - room), high + room


def _widened(ends: tuple[float, float]) -> tuple[float, float]:
    low, high = ends
    return (low - 0.5, high + 0.5) if high - low < 1e-9 else ends


def _scaled(ends: tuple[float, float], factor: float) -> tuple[float, float]:
    middle, half = (ends[0] + ends[1]) / 2, factor * (ends[1] - ends[0]) / 2
    return middle - half, middle + half
