"""What a guard reads: one sentence per alert and one per reason, in Vietnamese and in English.

Order: level · what · where by marker · side and motion · event time · state. The machine states
class, place, motion and doubt; it never says who somebody is or what somebody intends.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from ground_station.decision import Direction, Rule
from ground_station.views import AlertState, Level, Outcome
from ground_station.zones import MarkerFix
from wire.values import ObjectClass

LEVEL_VI: dict[Level, str] = {"warning": "KHẨN CẤP", "caution": "CAO", "information": "THƯỜNG"}
LEVEL_EN: dict[Level, str] = {
    "warning": "WARNING", "caution": "CAUTION", "information": "INFORMATION",
}  # fmt: skip
CLASS_VI: dict[ObjectClass, str] = {
    "Human": "người", "Boat": "xuồng, ghe", "Vehicle": "phương tiện", "Animal": "động vật",
    "Unknown": "vật thể chưa rõ",
}  # fmt: skip
CLASS_EN: dict[ObjectClass, tuple[str, str]] = {
    "Human": ("person", "people"), "Boat": ("boat", "boats"), "Vehicle": ("vehicle", "vehicles"),
    "Animal": ("animal", "animals"), "Unknown": ("unidentified object", "unidentified objects"),
}  # fmt: skip
COMPASS_VI = ("Bắc", "Đông Bắc", "Đông", "Đông Nam", "Nam", "Tây Nam", "Tây", "Tây Bắc")
COMPASS_EN = (
    "north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west",
)  # fmt: skip
STATE_VI: dict[AlertState, str] = {
    "raised": "Chưa tiếp nhận", "acknowledged": "Đã tiếp nhận", "assigned": "Đã giao tổ tuần tra",
    "closed": "Đã kết thúc",
}  # fmt: skip
STATE_EN: dict[AlertState, str] = {
    "raised": "Not acknowledged", "acknowledged": "Acknowledged", "assigned": "Team assigned",
    "closed": "Closed",
}  # fmt: skip
OUTCOME_VI: dict[Outcome, str] = {
    "confirmed": "Đã xác nhận", "local_people": "Dân sản xuất", "permitted": "Được phép",
    "own_patrol": "Lực lượng ta", "animal": "Động vật", "weather": "Thời tiết",
    "device_fault": "Lỗi thiết bị", "nothing": "Không có gì",
}  # fmt: skip
OUTCOME_EN: dict[Outcome, str] = {
    "confirmed": "confirmed", "local_people": "local people", "permitted": "permitted",
    "own_patrol": "own patrol", "animal": "animal", "weather": "weather",
    "device_fault": "device fault", "nothing": "nothing found",
}  # fmt: skip
AT_THE_MARKER_M = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an alert's sentence is made from.

    Attributes:
        marker: Nearest marker; None where none is drawn.
        distance_to_line_m: Signed, positive on our side; None beyond the line's ends.
        error_m: Half width of the 90 % doubt across the line: target and line together.
        in_doubt: The line cannot be told from the target's place.
        who: Of the state: who acknowledged, which team goes, or empty.
        zone_vi: Name of the zone the rule speaks of, or empty.
        time_by_arrival: The node's clock was not believed; the time is that of arrival.
    """

    level: Level
    rule: Rule
    direction: Direction
    object_class: ObjectClass
    count: int
    marker: MarkerFix | None
    distance_to_line_m: float | None
    error_m: float
    in_doubt: bool
    t_event_utc: datetime
    time_zone: str
    state: AlertState
    who: str = ""
    outcome: Outcome | None = None
    zone_vi: str = ""
    zone_en: str = ""
    late: bool = False
    lowered_vi: str = ""
    lowered_en: str = ""
    lead_s: float | None = None
    time_by_arrival: bool = False


def rounded_m(distance_m: float) -> float:
    """A distance as people say it: whole metres to 20, fives to 100, tens above, hundreds from 1 km."""
    step = (
        1.0
        if distance_m < 20
        else 5.0
        if distance_m < 100
        else 10.0
        if distance_m < 1000
        else 100.0
    )
    return math.floor(distance_m / step + 0.5) * step


def distance_vi(distance_m: float) -> str:
    """As in "180 m", "1,2 km": the decimal comma of Vietnamese."""
    value = rounded_m(distance_m)
    if value < 1.0:
        return "dưới 1 m"
    return f"{value:.0f} m" if value < 1000 else f"{value / 1000:.1f} km".replace(".", ",")


def distance_en(distance_m: float) -> str:
    """As in "180 m", "1.2 km"."""
    value = rounded_m(distance_m)
    if value < 1.0:
        return "under 1 m"
    return f"{value:.0f} m" if value < 1000 else f"{value / 1000:.1f} km"


def compass(azimuth_deg: float) -> int:
    """Index of the eight-part compass, from north clockwise."""
    return round(azimuth_deg / 45.0) % 8


def what_vi(object_class: ObjectClass, count: int) -> str:
    """As in "Nhóm 4 người", "1 người", "2 xuồng, ghe"."""
    if object_class == "Human" and count > 1:
        return f"Nhóm {count} người"
    if object_class == "Unknown" and count == 1:
        return "Vật thể chưa rõ"
    return f"{count} {CLASS_VI[object_class]}"


def what_en(object_class: ObjectClass, count: int) -> str:
    """As in "Group of 4 people", "1 person", "2 boats"."""
    one, many = CLASS_EN[object_class]
    if object_class == "Human" and count > 1:
        return f"Group of {count} people"
    return f"1 {one}" if count == 1 else f"{count} {many}"


def _where_vi(facts: Facts) -> str:
    parts = []
    marker = facts.marker
    if marker is not None:
        if marker.distance_m < AT_THE_MARKER_M:
            parts.append(f"Tại mốc {marker.number}")
        else:
            parts.append(
                f"Cách mốc {marker.number} khoảng {distance_vi(marker.distance_m)} "
                f"về hướng {COMPASS_VI[compass(marker.azimuth_deg)]}"
            )
        if marker.commune:
            parts.append(marker.commune)
    if facts.distance_to_line_m is None:
        parts.append("ngoài đoạn đường biên đã vẽ")
    elif facts.in_doubt:
        parts.append(f"gần đường biên (sai số {distance_vi(facts.error_m)})")
    else:
        side = "phía ta" if facts.distance_to_line_m >= 0 else "phía bạn"
        parts.append(f"{side}, cách đường biên {distance_vi(abs(facts.distance_to_line_m))}")
    return ", ".join(parts)


def _where_en(facts: Facts) -> str:
    parts = []
    marker = facts.marker
    if marker is not None:
        if marker.distance_m < AT_THE_MARKER_M:
            parts.append(f"At marker {marker.number}")
        else:
            parts.append(
                f"About {distance_en(marker.distance_m)} "
                f"{COMPASS_EN[compass(marker.azimuth_deg)]} of marker {marker.number}"
            )
        if marker.commune:
            parts.append(marker.commune)
    if facts.distance_to_line_m is None:
        parts.append("beyond the drawn line")
    elif facts.in_doubt:
        parts.append(f"near the border (error {distance_en(facts.error_m)})")
    else:
        side = "our side" if facts.distance_to_line_m >= 0 else "the other side"
        parts.append(f"{side}, {distance_en(abs(facts.distance_to_line_m))} from the border")
    return ", ".join(parts)


def motion_vi(facts: Facts) -> str:
    """What it did, by the rule that spoke."""
    lead = "" if facts.lead_s is None else f", còn khoảng {facts.lead_s:.0f} giây"
    into, out = "hướng vào phía ta", "hướng sang phía bạn"
    return {
        ("crossing", "in"): "nghi vượt biên, " + into,
        ("crossing", "out"): "nghi vượt biên, " + out,
        ("approaching", "in"): f"đang tiến về đường biên, {into}{lead}",
        ("approaching", "out"): f"đang tiến về đường biên, {out}{lead}",
        ("appeared", "in"): "xuất hiện gần đường biên, " + into,
        ("near_border", "none"): "ở gần đường biên",
        ("in_restricted", "none"): f"trong vùng cấm {facts.zone_vi}".rstrip(),
        ("in_watch", "none"): f"trong khu vực theo dõi {facts.zone_vi}".rstrip(),
    }.get((facts.rule, facts.direction), facts.rule)


def motion_en(facts: Facts) -> str:
    """What it did, by the rule that spoke."""
    lead = "" if facts.lead_s is None else f", about {facts.lead_s:.0f} s away"
    into, out = "towards our side", "towards the other side"
    return {
        ("crossing", "in"): "suspected crossing, " + into,
        ("crossing", "out"): "suspected crossing, " + out,
        ("approaching", "in"): f"approaching the border, {into}{lead}",
        ("approaching", "out"): f"approaching the border, {out}{lead}",
        ("appeared", "in"): "appeared near the border, moving " + into,
        ("near_border", "none"): "near the border",
        ("in_restricted", "none"): f"in the prohibited zone {facts.zone_en}".rstrip(),
        ("in_watch", "none"): f"in the watched zone {facts.zone_en}".rstrip(),
    }.get((facts.rule, facts.direction), facts.rule)


def _state_vi(facts: Facts) -> str:
    if facts.state == "closed" and facts.outcome is not None:
        return f"{STATE_VI['closed']}: {OUTCOME_VI[facts.outcome]}"
    return f"{STATE_VI[facts.state]}: {facts.who}" if facts.who else STATE_VI[facts.state]


def _state_en(facts: Facts) -> str:
    if facts.state == "closed" and facts.outcome is not None:
        return f"{STATE_EN['closed']}: {OUTCOME_EN[facts.outcome]}"
    return f"{STATE_EN[facts.state]}: {facts.who}" if facts.who else STATE_EN[facts.state]


def alert_sentences(facts: Facts) -> tuple[str, str]:
    """The whole sentence, in Vietnamese and in English."""
    clock = facts.t_event_utc.astimezone(ZoneInfo(facts.time_zone)).strftime("%H:%M:%S")
    arrival_vi = " (giờ nhận tin)" if facts.time_by_arrival else ""
    arrival_en = " (time of arrival)" if facts.time_by_arrival else ""
    vietnamese = [
        LEVEL_VI[facts.level],
        what_vi(facts.object_class, facts.count),
        f"{_where_vi(facts)}, {motion_vi(facts)}",
        clock + arrival_vi + (" (trễ)" if facts.late else ""),
        _state_vi(facts),
    ]
    english = [
        LEVEL_EN[facts.level],
        what_en(facts.object_class, facts.count),
        f"{_where_en(facts)}, {motion_en(facts)}",
        clock + arrival_en + (" (late)" if facts.late else ""),
        _state_en(facts),
    ]
    if facts.lowered_vi:
        vietnamese.insert(3, f"hạ mức: {facts.lowered_vi}")
        english.insert(3, f"lowered: {facts.lowered_en}")
    return " · ".join(vietnamese), " · ".join(english)


def _vi(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}f}".replace(".", ",")


def reason_sentences(
    rule: Rule, direction: Direction, numbers: dict[str, float], *, zone_vi: str, zone_en: str
) -> tuple[str, str]:
    """Why a rule spoke, with its figures, so that the guard can disagree with it."""
    get = numbers.get
    if rule == "crossing":
        side_vi, side_en = (
            ("phía ta", "our side") if direction == "in" else ("phía bạn", "the other side")
        )
        p, away = get("probability_other_side", 0.0), get("distance_to_line_m", 0.0)
        way, sigma = get("way_across_m", 0.0), get("line_sigma_m", 0.0)
        return (
            (
                f"Xác suất ở {side_vi} {100 * p:.0f} %; cách đường biên {_vi(away)} m sau quãng cắt ngang "
                f"{_vi(way)} m; độ chính xác đường biên {_vi(sigma)} m"
            ),
            (
                f"P({side_en}) {100 * p:.0f} %; {away:.1f} m from the border after {way:.1f} m across; "
                f"the line itself is known to {sigma:.1f} m"
            ),
        )
    if rule == "approaching":
        p, horizon = get("probability_reach", 0.0), get("within_s", 0.0)
        away, speed = get("distance_to_line_m", 0.0), get("closing_speed_m_s", 0.0)
        return (
            (
                f"Xác suất tới đường biên trong {horizon:.0f} giây là {100 * p:.0f} %; còn {_vi(away)} m, "
                f"tiến {_vi(speed)} m/s"
            ),
            (
                f"P(at the border within {horizon:.0f} s) {100 * p:.0f} %; {away:.1f} m to go, closing at "
                f"{speed:.1f} m/s"
            ),
        )
    if rule == "appeared":
        way, born = get("way_inwards_m", 0.0), get("born_distance_to_line_m", 0.0)
        return (
            (
                f"Xuất hiện cách đường biên {_vi(born)} m, đã đi vào {_vi(way)} m; không thấy đi vào từ mép "
                "hình, cửa khẩu hay nhà dân"
            ),
            (
                f"First seen {born:.1f} m from the border, {way:.1f} m inwards since; no picture edge, gate "
                "or home explains it"
            ),
        )
    if rule == "near_border":
        stood, sigma = get("inside_doubt_s", 0.0), get("doubt_sigma_m", 0.0)
        return (
            f"Ở trong khoảng chưa rõ của đường biên {stood:.0f} giây (độ lệch chuẩn {_vi(sigma)} m)",
            f"Inside the doubt about the border for {stood:.0f} s (one sigma {sigma:.1f} m)",
        )
    p = get("probability_inside", 0.0)
    return (
        f"Xác suất ở trong {zone_vi} là {100 * p:.0f} %",
        f"P(inside {zone_en}) {100 * p:.0f} %",
    )


def gate_lowers(name_vi: str, name_en: str) -> tuple[str, str]:
    """Why a gate's hours lower an alert."""
    return f"trong {name_vi}, giờ mở cửa", f"inside {name_en}, opening hours"


def patrol_lowers(name: str, distance_m: float) -> tuple[str, str]:
    """Why our own patrol lowers an alert."""
    return (
        f"lực lượng ta ({name}) cách {distance_vi(distance_m)}",
        f"own patrol ({name}) {distance_en(distance_m)} away",
    )


def joined_lowers() -> tuple[str, str]:
    """Why an alert whose event is told by another one is lowered."""
    return "đã gộp vào cảnh báo khác", "told by another alert"
