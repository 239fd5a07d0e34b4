"""What people look at: tables in the terminal, plots, pages in one file."""

import json
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from simulations.score import score, suite
from simulations.score.chart_map import run_map
from simulations.score.look import rendered
from simulations.score.plots import delays, errors, recall
from simulations.score.run_page import write_html, write_pictures
from simulations.score.scene import Scene
from simulations.score.suite_page import write_suite_html
from simulations.score.table import print_report, print_suite
from simulations.world import World
from tests.unit.simulations.score_kit import FARMER, WALKER, moment, observed, played, scenario


@pytest.fixture(scope="module")
def run():
    """A hit, a false warning with a name that must be escaped, a caution, a few observations."""
    plan = scenario(WALKER, FARMER, title="Post <314> & field")
    world = World(plan)
    record = played(
        plan,
        moment(world, 9.0, "caution"),
        moment(world, 16.0),
        moment(world, 29.0, alert_id="wrong", who="f/0/0", sentence_en="WARNING <b>"),
        moment(world, 3.0, "caution", alert_id="farmer", who="f/0/0"),
        observations=[o for t_s in (8.0, 12.0, 16.0) for o in observed(world, t_s)],
    )
    return score(record, world), record, world


def test_table_shows_figures_events_and_what_was_false(run, tmp_path):
    """Everything a technician asks for first is in the terminal."""
    report, _, _ = run
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        console = Console(width=200, file=file)
        print_report(report, console)
        print_suite(suite([report]), console)
    shown = (tmp_path / "out").read_text(encoding="utf-8")
    assert "hits" in shown
    assert "a/0" in shown
    assert "said crossing in; nearest was farmer f/0/0" in shown
    assert "false: t/1: wrong at 29.0 s: person" in shown


class _Page(HTMLParser):
    """What a page asks of the network, and whether its tags fit."""

    def __init__(self):
        super().__init__()
        self.fetched, self.open, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            outside = value and not value.startswith(("#", "data:"))
            if name in ("src", "href", "xlink:href") and outside:
                self.fetched.append(value)
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert tag == self.open.pop()


def read_page(path):
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def test_run_page_is_one_file_without_script_and_fetches_nothing(run, tmp_path):
    """It opens anywhere, for years; and it says that it is simulated."""
    write_html(*run, tmp_path / "run.html")
    page = read_page(tmp_path / "run.html")
    assert [] == page.open
    assert [] == page.fetched
    assert "script" not in page.tags
    assert 5 == page.tags.count("svg")
    text = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert "ĐANG MÔ PHỎNG, KHÔNG PHẢI THỰC TẾ" in text
    assert "Post &lt;314&gt; &amp; field" in text
    assert "WARNING &lt;b&gt;" in text
    assert "detections: film" in text


def test_suite_page_follows_from_the_suite_alone(run, tmp_path):
    """Read back from its file, the suite gives the same page; waiting ones stand apart."""
    report, _, _ = run
    whole = suite([report], unplayed=[scenario(name="boats", needs=["boats"])], command="c")
    write_suite_html(whole, tmp_path / "one.html")
    whole.save(tmp_path / "suite.json")
    write_suite_html(type(whole).read(tmp_path / "suite.json"), tmp_path / "two.html")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    page = read_page(tmp_path / "one.html")
    assert ([], []) == (page.open, page.fetched)
    text = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert text.index("Film: a network") < text.index("Waiting, in no total")
    assert "waits for boats" in text


def test_pictures_are_written_and_equal_figures_give_equal_bytes(run, tmp_path):
    """A committed picture changes only with what it shows."""
    paths = write_pictures(*run, tmp_path)
    assert ["map", "delays", "recall", "gaits", "places"] == [p.stem.split("-")[-1] for p in paths]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    again = rendered(run_map(*run), "png")
    assert again == paths[0].read_bytes()
    assert rendered(run_map(*run), "svg") == rendered(run_map(*run), "svg")


def test_charts_of_nothing_say_so():
    """A quiet run has no delay and perhaps nobody in sight; that is no error."""
    for figure, words in ((recall([], "x"), "nobody was visible"), (errors([]), "no place was")):
        (axes,) = figure.axes
        assert any(words in text.get_text() for text in axes.texts)
    assert 0 == sum(patch.get_height() for patch in delays([]).axes[0].patches)


def test_map_stands_by_the_line(run):
    """Metres along from the marker and across: the walker's way, the camera, the ring of its view."""
    report, record, world = run
    scene = Scene(report, record, world)
    ways = {way.figure_id: way for way in scene.ways()}
    assert {"a/0/0", "f/0/0"} == set(ways)
    walked = ways["a/0/0"].places_m
    assert pytest.approx([430.0, -20.0], abs=0.3) == walked[0].tolist()
    assert pytest.approx([430.0, 25.0], abs=1.0) == walked[-1].tolist()
    (eye,) = scene.eyeshots()
    assert pytest.approx([430.0, 40.0], abs=0.3) == eye.place_m.tolist()
    assert eye.ring_m[:, 1].min() < -20.0
    assert {"c"} == set(scene.places())
    ((event_id, along_m, outcome),) = scene.crossings()
    assert ("a/0", "hit") == (event_id, outcome)
    assert pytest.approx(430.0, abs=0.3) == along_m


def test_every_key_of_a_report_is_defined_in_the_docs(request, run):
    """The page that says what the figures mean forgets none of the design's."""
    text = (request.config.rootpath / "docs" / "simulator.md").read_text(encoding="utf-8")
    report, _, _ = run
    defined = set(re.findall(r"`([a-z0-9_]+)`", text))
    figures = set(json.loads(report.model_dump_json(include=_figure_keys())))
    assert figures <= defined | {"runs", "missed_by_cause", "false_by_cause"}


def _figure_keys():
    from simulations.score.report import Figures

    return set(Figures.model_fields)
