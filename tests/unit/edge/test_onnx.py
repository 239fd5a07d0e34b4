"""The onnxruntime detector: decoding, the committed network, and files that are none."""

from dataclasses import replace

import numpy as np
import pytest

from edge.detect import OBJECT_CLASSES
from edge.letterbox import Letterbox
from edge.onnx import OnnxDetector, decode
from models.registry import ModelError, NetworkEntry, Registry, digest

WORDS = np.array([0, 2, -1], np.int64)  # person, car, and a class that is never reported


def raw(*rows):
    """Output (1, 7, n) of rows (cx, cy, w, h, person, car, chair)."""
    return np.array(rows, np.float32).T[None]


def decoded(*rows, frame=(640, 480)):
    return decode(
        raw(*rows), Letterbox.free(frame, 640, 32), WORDS, min_confidence=0.25, max_iou=0.6
    )


def test_a_raw_row_becomes_a_box_with_its_best_class():
    """Centre and size become corners, the best score names the class."""
    found = decoded((100, 100, 40, 80, 0.1, 0.9, 0.2))
    assert [[80.0, 60.0, 120.0, 140.0]] == found.boxes_px.tolist()
    assert ["Vehicle"] == [OBJECT_CLASSES[k] for k in found.class_index]
    assert [0.9] == pytest.approx(found.confidence.tolist())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(100, 100, 40, 80, 0.24, 0, 0)], 0),  # too weak
        ([(100, 100, 40, 80, 0.3, 0, 0.9)], 0),  # a chair with a trace of a person
        ([(100, 100, 40, 80, 0.9, 0, 0), (101, 100, 40, 80, 0.8, 0, 0)], 1),  # twice the same
        ([(100, 100, 40, 80, 0.9, 0, 0), (101, 100, 40, 80, 0, 0.8, 0)], 2),  # other classes
        ([(100, 100, 40, 80, 0.9, 0, 0), (150, 100, 40, 80, 0.8, 0, 0)], 2),  # side by side
        ([(100, 100, -5, -5, 0.9, 0, 0)], 1),  # a size below zero counts as none
        ([(100, 100, 40, 80, float("nan"), 0, 0)], 0),  # no score at all
    ],
)
def test_what_is_reported_and_what_is_not(rows, expected):
    """Threshold, classes, suppression: one row each."""
    assert expected == len(decoded(*rows))


def test_nothing_seen_is_an_empty_answer():
    """No candidates, no error."""
    assert 0 == len(
        decode(
            raw(*[(1, 1, 1, 1, 0, 0, 0)] * 5),
            Letterbox.free((64, 48), 640, 32),
            WORDS,
            min_confidence=0.25,
            max_iou=0.6,
        )
    )


def test_a_score_above_one_is_cut_to_one():
    """Quantised networks overshoot by a hair."""
    assert [1.0] == decoded((100, 100, 40, 80, 1.0039, 0, 0)).confidence.tolist()


# --- the committed network ------------------------------------------------------------------------
@pytest.fixture(scope="module")
def entry():
    return Registry.load().default("day")


@pytest.fixture(scope="module")
def detector(entry):
    return OnnxDetector(entry, threads=1, input_size_px=160)


def test_the_committed_network_answers_in_frame_pixels(detector, entry):
    """Grey noise of any size: a valid answer for that size, twice the same."""
    for size in ((64, 48), (333, 517), (768, 576)):
        image = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        first, second = detector.detect(image), detector.detect(image)
        assert size == first.frame_size_px
        assert first.boxes_px.tolist() == second.boxes_px.tolist()
    assert (entry.name, entry.sha256) == (detector.name, detector.sha256)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((48, 64), np.uint8),  # grey, two-dimensional
        np.zeros((48, 64, 4), np.uint8),  # with alpha
        np.zeros((48, 64, 3), np.float32),  # floats
    ],
)
def test_what_is_no_bgr_picture_is_refused_at_the_door(detector, image):
    """The error says what a picture is."""
    with pytest.raises(ValueError, match=r"\(height, width, 3\) uint8"):
        detector.detect(image)


@pytest.mark.data
def test_people_of_the_real_film_are_seen(data_dir, entry):
    """Every 80th frame of vtest.avi against the truth: recall .85 and more at IoU .5."""
    import cv2

    from edge.overlap import pairwise_iou

    truth = np.loadtxt(data_dir / "films" / "PETS09-S2L1" / "gt" / "gt.txt", delimiter=",")
    network = OnnxDetector(entry, threads=2, min_confidence=0.25)
    film = cv2.VideoCapture(str(data_dir / "films" / "vtest.avi"))
    hits = people = 0
    for number in range(1, 796):
        film.grab()
        if number % 80:
            continue
        found = network.detect(film.retrieve()[1])
        rows = truth[truth[:, 0] == number]
        boxes = np.column_stack((rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]))
        human = found.boxes_px[found.class_index == 0]
        hits += int((pairwise_iou(boxes, human).max(axis=1) >= 0.5).sum())
        people += len(rows)
    film.release()
    print(f"recall {hits / people:.3f} of {people} people in 9 frames")
    assert hits / people >= 0.85


# --- wrong files ----------------------------------------------------------------------------------
def of(path, **changes):
    fields = {
        "name": "mine",
        "path": path,
        "sha256": digest(path),
        "size_bytes": path.stat().st_size,
        "spectrum": "day",
        "layout": "yolov8",
        "class_names": ("person", "car"),
        "object_classes": ("Human", "Vehicle"),
        "conf_threshold": 0.25,
        "nms_iou": 0.6,
        "stride_px": 32,
        "nominal_size_px": 64,
        "licence": "AGPL-3.0-or-later",
        "card": None,
        "recipe": None,
        "performance": (),
        **changes,
    }
    return NetworkEntry(**fields)


def message(*fields):
    """A protobuf message of (number, int | bytes) fields."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += bytes([number << 3]) + varint(value)
        else:
            out += bytes([number << 3 | 2]) + varint(len(value)) + value
    return out


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def identity_network(shape):
    """An ONNX file that hands its input on."""
    dims = message(*[(1, message((1, size))) for size in shape])
    kind = message((1, message((1, 1), (2, dims))))
    graph = message(
        (1, message((1, b"x"), (2, b"y"), (4, b"Identity"))),
        (2, b"g"),
        (11, message((1, b"x"), (2, kind))),
        (12, message((1, b"y"), (2, kind))),
    )
    return message((1, 8), (7, graph), (8, message((1, b""), (2, 13))))


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "content"),  # empty
        (b"no network at all" * 50, "content"),  # not ONNX
        (identity_network([1, 3, 64, 64])[:-12], "content"),  # cut off
        (identity_network([1, 10]), "input"),  # no picture goes in
        (identity_network([1, 1, 64, 64]), "input"),  # grey pictures go in
        (identity_network([1, 3, 64, 64]), "output"),  # a picture comes out
    ],
)
def test_a_file_that_is_no_such_network_is_refused_with_the_way_out(tmp_path, content, field):
    """ModelError names file, field, what was found, what is allowed and what to do."""
    path = tmp_path / "mine.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as error:
        OnnxDetector(of(path))
    assert (path, field) == (error.value.file, error.value.field)
    assert error.value.next_step
    assert error.value.allowed


def test_a_damaged_file_is_never_loaded(tmp_path, entry):
    """One flipped byte breaks the checksum."""
    path = tmp_path / "day.onnx"
    content = bytearray(entry.path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="sha256"):
        OnnxDetector(replace(entry, path=path))


def test_a_manifest_with_too_few_classes_is_noticed_at_the_start(entry):
    """80 classes in the file, two in the manifest: the output does not fit."""
    wrong = replace(entry, class_names=("person", "car"), object_classes=("Human", "Vehicle"))
    with pytest.raises(ModelError, match=r"\(1, 6, n\)"):
        OnnxDetector(wrong, threads=1, input_size_px=64)


def test_a_network_for_ultralytics_is_not_opened_here(entry):
    """The error shows the other door."""
    with pytest.raises(ModelError, match=r"edge\.yolo"):
        OnnxDetector(replace(entry, layout="ultralytics"))
