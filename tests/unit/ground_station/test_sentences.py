"""What a guard reads: order, words, and what is never said."""

import dataclasses
import itertools
import re
from datetime import datetime, timezone
from typing import get_args

import pytest

from ground_station import sentences
from ground_station.decision import Rule
from ground_station.sentences import Facts, alert_sentences, distance_en, distance_vi
from ground_station.views import AlertState, Level, Outcome
from ground_station.zones import MarkerFix
from wire.values import ObjectClass

FACTS = Facts(
    level="warning",
    rule="crossing",
    direction="in",
    object_class="Human",
    count=4,
    marker=MarkerFix(number="309", distance_m=182.0, azimuth_deg=88.0, commune=""),
    distance_to_line_m=2.0,
    error_m=25.0,
    in_doubt=True,
    t_event_utc=datetime(2026, 11, 22, 19, 40, 12, tzinfo=timezone.utc),
    time_zone="Asia/Ho_Chi_Minh",
    state="raised",
)


def said(**changes):
    return alert_sentences(dataclasses.replace(FACTS, **changes))


def test_the_sentence_is_level_what_where_when_state():
    """The order that a guard knows by heart."""
    vietnamese, english = said()
    assert vietnamese == (
        "KHẨN CẤP · Nhóm 4 người · Cách mốc 309 khoảng 180 m về hướng Đông, gần đường biên "
        "(sai số 25 m), nghi vượt biên, hướng vào phía ta · 02:40:12 · Chưa tiếp nhận"
    )
    assert english == (
        "WARNING · Group of 4 people · About 180 m east of marker 309, near the border "
        "(error 25 m), suspected crossing, towards our side · 02:40:12 · Not acknowledged"
    )


@pytest.mark.parametrize(
    ("changes", "vietnamese", "english"),
    [
        ({"level": "caution"}, "CAO · ", "CAUTION · "),
        ({"level": "information"}, "THƯỜNG · ", "INFORMATION · "),
        ({"count": 1}, " · 1 người · ", " · 1 person · "),
        ({"object_class": "Boat", "count": 2}, " · 2 xuồng, ghe · ", " · 2 boats · "),
        ({"object_class": "Unknown", "count": 1}, "Vật thể chưa rõ", "1 unidentified object"),
        ({"in_doubt": False, "distance_to_line_m": 120.0}, "phía ta, cách đường biên 120 m",
         "our side, 120 m from the border"),
        ({"in_doubt": False, "distance_to_line_m": -35.0}, "phía bạn, cách đường biên 35 m",
         "the other side, 35 m from the border"),
        ({"distance_to_line_m": None}, "ngoài đoạn đường biên đã vẽ", "beyond the drawn line"),
        ({"direction": "out"}, "hướng sang phía bạn", "towards the other side"),
        ({"rule": "approaching", "lead_s": 40.0}, ("đang tiến về đường biên, hướng vào phía ta, còn "
         "khoảng 40 giây"), "approaching the border, towards our side, about 40 s away"),
        ({"rule": "in_restricted", "direction": "none", "zone_vi": "chốt 314", "zone_en": "P 314"},
         "trong vùng cấm chốt 314", "in the prohibited zone P 314"),
        ({"late": True}, "02:40:12 (trễ)", "02:40:12 (late)"),
        ({"state": "acknowledged", "who": "An"}, "Đã tiếp nhận: An", "Acknowledged: An"),
        ({"state": "assigned", "who": "Tổ 1"}, "Đã giao tổ tuần tra: Tổ 1", "Team assigned: Tổ 1"),
        ({"state": "closed", "outcome": "local_people"}, "Đã kết thúc: Dân sản xuất",
         "Closed: local people"),
        ({"lowered_vi": "trong cửa khẩu", "lowered_en": "inside a gate"}, "hạ mức: trong cửa khẩu",
         "lowered: inside a gate"),
        ({"marker": MarkerFix(number="293/3", distance_m=4.0, azimuth_deg=0.0, commune="Hà Tiên")},
         "Tại mốc 293/3, Hà Tiên", "At marker 293/3, Hà Tiên"),
        ({"marker": MarkerFix(number="310", distance_m=1240.0, azimuth_deg=225.0, commune="")},
         "khoảng 1,2 km về hướng Tây Nam", "1.2 km south-west of marker 310"),
        ({"marker": None}, " · gần đường biên", " · near the border"),
    ],
)  # fmt: skip
def test_each_part_is_said_in_both_languages(changes, vietnamese, english):
    """One row per word that can change."""
    both = said(**changes)
    assert vietnamese in both[0]
    assert english in both[1]


@pytest.mark.parametrize(
    ("metres", "vietnamese", "english"),
    [
        (0.4, "dưới 1 m", "under 1 m"), (7.6, "8 m", "8 m"), (23.0, "25 m", "25 m"), (97.6, "100 m", "100 m"),
        (184.0, "180 m", "180 m"), (996.0, "1,0 km", "1.0 km"), (1250.0, "1,3 km", "1.3 km"),
    ],
)  # fmt: skip
def test_distances_are_said_as_people_say_them(metres, vietnamese, english):
    """Nobody says 183 metres at night."""
    assert (vietnamese, english) == (distance_vi(metres), distance_en(metres))


@pytest.mark.parametrize("azimuth", range(0, 360, 15))
def test_compass_names_the_nearest_of_eight(azimuth):
    """Within 22.5 degrees of the direction it names."""
    named = sentences.compass(azimuth) * 45
    assert abs((named - azimuth + 180) % 360 - 180) <= 22.5


NEVER_SAID = re.compile(
    r"\b(hostile|enem(y|ies)|intruders?|infiltrat\w*|terroris\w*|criminals?|suspects?|smugglers?|"
    r"illegal\w*|identity|face|faces|facial|gender|male|female|man|men|woman|women|child|children|"
    r"ethnic\w*|race|nationality|weapon\w*|armed|shoot|fire|attack)\b",
    re.IGNORECASE,
)
NEVER_SAID_VI = re.compile(
    r"(địch|kẻ |xâm nhập|tội phạm|đối tượng|khuôn mặt|danh tính|giới tính|đàn ông|phụ nữ|"
    r"nam giới|nữ giới|trẻ em|dân tộc|quốc tịch|vũ khí|nổ súng|tấn công|trái phép)",
    re.IGNORECASE,
)


def everything_that_can_be_said():
    """Every level, rule, direction, class, state and outcome, in alerts and in reasons."""
    for rule, direction, kind in itertools.product(
        get_args(Rule), ("in", "out", "none"), get_args(ObjectClass)
    ):
        for count in (1, 3):
            yield from said(rule=rule, direction=direction, object_class=kind, count=count)
        yield from sentences.reason_sentences(
            rule, direction, {}, zone_vi="khu vực", zone_en="the zone"
        )
    for level, state in itertools.product(get_args(Level), get_args(AlertState)):
        yield from said(level=level, state=state, who="An")
    for outcome in get_args(Outcome):
        yield from said(state="closed", outcome=outcome)
    yield from sentences.gate_lowers("cửa khẩu", "the gate")
    yield from sentences.patrol_lowers("Tổ 1", 12.0)
    yield from sentences.joined_lowers()


def test_no_sentence_says_who_somebody_is_or_means():
    """The machine states class, place, motion and doubt; a disposition is a person's."""
    all_said = set(everything_that_can_be_said())
    assert len(all_said) > 100
    assert [] == [s for s in all_said if NEVER_SAID.search(s) or NEVER_SAID_VI.search(s)]


def test_the_words_of_rules_and_classes_hold_no_verdict():
    """Names in the program are seen by people too."""
    words = (*get_args(Rule), *get_args(ObjectClass), *get_args(Outcome), *get_args(Level))
    assert [] == [w for w in words if NEVER_SAID.search(w.replace("_", " "))]


def test_every_rule_class_state_and_outcome_has_its_words():
    """Nothing falls back to a program's name."""
    assert set(get_args(ObjectClass)) == set(sentences.CLASS_VI) == set(sentences.CLASS_EN)
    assert set(get_args(Outcome)) == set(sentences.OUTCOME_VI) == set(sentences.OUTCOME_EN)
    assert set(get_args(AlertState)) == set(sentences.STATE_VI) == set(sentences.STATE_EN)
    for rule in get_args(Rule):
        ways = ("in", "out") if rule in {"crossing", "approaching"} else ("in", "none")
        spoken = [
            sentences.motion_vi(dataclasses.replace(FACTS, rule=rule, direction=w)) for w in ways
        ]
        assert any(text != rule for text in spoken)
