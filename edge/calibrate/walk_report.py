"""The certificate of an acceptance walk: in words, as data, and as a page."""

import math
from dataclasses import asdict
from pathlib import Path

from edge.calibrate import page
from edge.calibrate.chart import Chart, reach
from edge.calibrate.page import Words, words
from edge.calibrate.walk_certificate import Band, Certificate, Errors

_TELLING = 2.0
"""A correction is advised when it is so many sigmas away from nothing."""


def advice(found: Certificate, azimuth_deg: float | None, pitch_deg: float | None) -> list[Words]:
    """What to change in the config, if anything."""
    match, sigma = found.match, found.match.sigma
    said = []
    for name, key, error, doubt, now in (
        ("phương vị", "azimuth_deg", match.heading_deg, sigma["heading_deg"], azimuth_deg),
        ("góc tà", "pitch_deg", match.pitch_deg, sigma["pitch_deg"], pitch_deg),
    ):
        if key == "pitch_deg" and not match.pitch_told:
            continue
        if abs(error) < _TELLING * doubt:
            said.append(
                words(
                    f"{name}: không cần sửa ({error:+.2f} ± {doubt:.2f}°).",
                    f"{key}: leave it ({error:+.2f} ± {doubt:.2f} deg is no telling error).",
                )
            )
            continue
        change = f"{-error:+.2f} ± {doubt:.2f}"
        to = ""
        if now is not None:
            fixed = (now - error) % 360.0 if key == "azimuth_deg" else now - error
            to = f" -> {key} = {fixed:.2f}"
        said.append(words(f"{name}: sửa {change}°{to}.", f"{key}: change it by {change} deg{to}."))
    return said


def certificate_data(
    found: Certificate, azimuth_deg: float | None, pitch_deg: float | None
) -> dict[str, object]:
    """The same for a program."""
    match, sigma = found.match, found.match.sigma
    return {
        "tracks": list(match.tracks),
        "other_tracks": len(match.others),
        "observations": found.observations,
        "places": found.places,
        "heading_error_deg": match.heading_deg,
        "heading_error_sigma_deg": sigma["heading_deg"],
        "pitch_error_deg": match.pitch_deg if match.pitch_told else None,
        "pitch_error_sigma_deg": sigma["pitch_deg"] if match.pitch_told else None,
        "phone_offset_s": match.offset_s,
        "phone_offset_sigma_s": sigma["offset_s"],
        "stretch": match.stretch,
        "suggested": {
            "azimuth_deg": None
            if azimuth_deg is None
            else (azimuth_deg - match.heading_deg) % 360.0,
            "pitch_deg": None
            if pitch_deg is None or not match.pitch_told
            else pitch_deg - match.pitch_deg,
        },
        "told": None if found.told is None else asdict(found.told),
        "after_correction": None if found.after is None else asdict(found.after),
        "detection_by_distance": [_band_data(band) for band in found.by_distance],
        "detection_by_height_px": [_band_data(band) for band in found.by_height],
        "entries": [asdict(entry) for entry in found.entries],
        "delay_s": _quantiles(found.delays_s),
    }


def _band_data(band: Band) -> dict[str, float | int | None]:
    return {
        "from": band.start,
        "to": band.end if math.isfinite(band.end) else None,
        "seconds": band.seconds,
        "seen": band.seen,
        "share": band.share,
        "low95": band.low,
        "high95": band.high,
    }


def _quantiles(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return {"p50": middle, "max": ordered[-1]}


def lines(found: Certificate, azimuth_deg: float | None, pitch_deg: float | None) -> list[str]:
    """The certificate as text for a terminal."""
    match, sigma = found.match, found.match.sigma
    said = [
        f"{found.observations} observations of the walker",
        f"in {len(match.tracks)} track(s); {len(match.others)} track(s) of others",
        f"phone clock  {match.offset_s:+.1f} ± {sigma['offset_s']:.1f} s",
        f"heading off  {match.heading_deg:+.2f} ± {sigma['heading_deg']:.2f} deg",
    ]
    if match.pitch_told:
        said.append(f"pitch off    {match.pitch_deg:+.2f} ± {sigma['pitch_deg']:.2f} deg")
    for name, errors in (("as told", found.told), ("corrected", found.after)):
        if errors is not None:
            said.append(
                f"{name:12} median {errors.p50_m:.1f} m, 95 % {errors.p95_m:.1f} m; bias east "
                f"{errors.east_m:+.1f}, north {errors.north_m:+.1f}, along {errors.along_m:+.1f}, "
                f"across {errors.across_m:+.1f} m; {100 * errors.in_ellipse90:.0f} % in the 90 % "
                "ellipse"
            )
    said += [
        f"detection    {_span(band, 'm'):>14}: {100 * band.share:3.0f} % of {band.seconds} s "
        f"({100 * band.low:.0f}..{100 * band.high:.0f} %)"
        for band in found.by_distance
    ]
    if found.entries:
        delays = _quantiles(found.delays_s)
        told = (
            "never seen" if delays is None else f"{delays['p50']:.1f} s, most {delays['max']:.1f} s"
        )
        said.append(
            f"first seen   {told}; {len(found.delays_s)} of {len(found.entries)} entries seen"
        )
    return said + [line.en for line in advice(found, azimuth_deg, pitch_deg)]


def _span(band: Band, unit: str) -> str:
    if math.isinf(band.end):
        return f"over {band.start:.0f} {unit}"
    return f"{band.start:.0f} to {band.end:.0f} {unit}"


def write_report(
    path: Path,
    found: Certificate,
    *,
    source: str,
    azimuth_deg: float | None,
    pitch_deg: float | None,
    dropped: dict[str, int],
) -> None:
    """Write the page."""
    match, sigma = found.match, found.match.sigma
    telling = abs(match.heading_deg) > _TELLING * sigma["heading_deg"]
    delays = _quantiles(found.delays_s)
    first = "-" if delays is None else f"{delays['p50']:.1f} s"
    body = [
        *(page.verdict(line, "warn" if telling else "") for line in advice(found, azimuth_deg, pitch_deg)),
        page.tiles(
            [
                (f"{match.heading_deg:+.2f} ± {sigma['heading_deg']:.2f}°",
                 words("lệch phương vị", "heading error")),
                (f"{match.pitch_deg:+.2f} ± {sigma['pitch_deg']:.2f}°" if match.pitch_told else "-",
                 words("lệch góc tà", "pitch error")),
                (_metres(found.told, "p50_m"), words("sai số giữa", "median error")),
                (_metres(found.told, "p95_m"), words("sai số 95 %", "95 % error")),
                (first, words("thấy lần đầu sau", "until first seen")),
                (f"{match.offset_s:+.1f} s", words("đồng hồ điện thoại", "phone's clock")),
            ]
        ),
        *_detection(found),
        page.heading(words("Sai số vị trí", "Errors of places")),
        page.table(
            [words("", ""), words("số lần", "count"), words("đông", "east"), words("bắc", "north"),
             words("dọc tia", "along"), words("ngang tia", "across"), words("giữa", "median"),
             words("95 %", "95 %"), words("trong elip 90 %", "in the 90 % ellipse")],
            [_error_cells("như đã báo / as told", found.told),
             _error_cells("sau khi sửa / corrected", found.after)],
        ),
        page.figure(
            _scatter(found),
            words("Sai lệch ngang theo cự ly; đường chéo là lệch phương vị.",
                  "Across the ray over distance: a slope is a heading error."),
        ),
        page.figure(
            _scatter(found, along=True),
            words("Sai lệch dọc theo cự ly; cong là lệch góc tà.",
                  "Along the ray over distance: a bend is a pitch error."),
        ),
        *_entry_table(found),
        page.notes(_notes(found, dropped)),
    ]  # fmt: skip
    title = words("Biên bản đi thử nghiệm thu", "Acceptance walk")
    page.write(path, page.page(title, source, body))


def _metres(errors: Errors | None, name: str) -> str:
    return "-" if errors is None else f"{getattr(errors, name):.1f} m"


def _detection(found: Certificate) -> list[str]:
    if not found.by_distance:
        return [
            page.notes(
                [
                    words(
                        "Không có cấu hình camera: không biết khi nào người đi ở trong khung hình, "
                        "nên không tính xác suất phát hiện.",
                        "Without the camera's config nobody knows when the walker was in the "
                        "picture: no detection probability is told.",
                    )
                ]
            )
        ]
    parts = [page.heading(words("Xác suất phát hiện", "Detection"))]
    for bands, unit, label in (
        (found.by_distance, "m", words("cự ly", "distance")),
        (found.by_height, "px", words("chiều cao trong ảnh", "height in the picture")),
    ):
        parts.append(
            page.table(
                [label, words("giây", "seconds"), words("thấy", "seen"), words("95 %", "95 %")],
                [
                    [
                        _span(band, unit),
                        f"{band.seconds}",
                        f"{100 * band.share:.0f} %",
                        f"{100 * band.low:.0f}..{100 * band.high:.0f} %",
                    ]
                    for band in bands
                ],
            )
        )
    return parts


def _error_cells(name: str, errors: Errors | None) -> list[str]:
    if errors is None:
        return [name, *["-"] * 8]
    return [
        name,
        f"{errors.count}",
        *(f"{v:+.1f} m" for v in (errors.east_m, errors.north_m, errors.along_m, errors.across_m)),
        f"{errors.p50_m:.1f} m",
        f"{errors.p95_m:.1f} m",
        f"{100 * errors.in_ellipse90:.0f} %",
    ]


def _scatter(found: Certificate, *, along: bool = False) -> str:
    rows = [(row[0], row[1] if along else row[2]) for row in found.rows]
    label = "along m" if along else "across m"
    drawing = Chart(
        reach([x for x, _ in rows], zero=True), reach([0.0, *(y for _, y in rows)]),
        ("distance m", label), size_px=(640, 280),
    )  # fmt: skip
    far = max((x for x, _ in rows), default=1.0)
    drawing.line([(0.0, 0.0), (far, 0.0)], style="soft")
    drawing.points(rows, radius_px=2.0)
    if not along:
        slope = math.tan(math.radians(found.match.heading_deg))
        drawing.line([(0.0, 0.0), (far, slope * far)])
    return drawing.svg


def _entry_table(found: Certificate) -> list[str]:
    if not found.entries:
        return []
    return [
        page.heading(words("Mỗi lần vào khung hình", "Each time into the picture")),
        page.table(
            [words("lần", "no."), words("cự ly", "distance"), words("chiều cao", "height"),
             words("ở lại", "stayed"), words("thấy sau", "seen after")],
            [
                [f"{k}", f"{e.distance_m:.0f} m", f"{e.height_px:.0f} px", f"{e.stayed_s:.0f} s",
                 "không thấy / never" if e.delay_s is None else f"{e.delay_s:.1f} s"]
                for k, e in enumerate(found.entries, 1)
            ],
            out=[k for k, e in enumerate(found.entries) if e.delay_s is None],
        ),
    ]  # fmt: skip


def _notes(found: Certificate, dropped: dict[str, int]) -> list[Words]:
    rules = found.rules
    said = [
        words(
            f"Điện thoại được coi là sai {rules.phone_sigma_m:g} m, trôi chậm trong "
            f"{rules.phone_wander_s:g} s.",
            f"The phone is taken to err by {rules.phone_sigma_m:g} m per axis, wandering over "
            f"{rules.phone_wander_s:g} s; part of every error above is the phone's.",
        ),
        words(
            f"{len(found.match.others)} vệt của người khác không tính.",
            f"{len(found.match.others)} tracks of other people were left out.",
        ),
    ]
    said += [
        words(f"Bỏ {count} điểm GPX.", f"{count} GPX points {reason} were dropped.")
        for reason, count in dropped.items()
    ]
    if found.match.stretch > 1.3:
        said.append(
            words(
                f"Sai lệch lớn gấp {found.match.stretch:.1f} lần khai báo.",
                f"Residuals are {found.match.stretch:.1f} times what camera and phone state; the "
                "sigmas were stretched by that.",
            )
        )
    return said
