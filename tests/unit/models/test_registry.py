"""The registry hands out only networks whose manifest is right and whose file is whole."""

from pathlib import Path

import pytest

from models.registry import ModelError, Registry, digest, verify

WEIGHTS = b"weights of a network"

MANIFEST = """
schema_version = 1

[default]
day = "eye"

[[network]]
name = "eye"
file = "eye.onnx"
sha256 = "{sha256}"
size_bytes = 20
spectrum = "day"
layout = "yolov8"
licence = "AGPL-3.0-only"
class_names = ["person", "kite", "boat"]

[network.object_class]
person = "Human"
boat = "Boat"
"""


def write_network(folder: Path, *, name: str = "manifest.toml", text: str = MANIFEST) -> Path:
    weights = folder / "eye.onnx"
    weights.write_bytes(WEIGHTS)
    manifest = folder / name
    manifest.write_text(text.replace("{sha256}", digest(weights)), "utf-8")
    return manifest


def test_a_network_is_found_by_name_by_spectrum_and_by_path(tmp_path):
    """A config may say the name, what the camera sees, or where the file lies."""
    registry = Registry.load(write_network(tmp_path))

    entry = registry.get("eye")

    assert entry == registry.get("day") == registry.default("day")
    assert entry == registry.get(str(tmp_path / "eye.onnx"))


def test_a_class_that_the_manifest_does_not_map_is_never_reported(tmp_path):
    """Kites are detected by the network and are nobody's business."""
    entry = Registry.load(write_network(tmp_path)).get("eye")

    assert ("Human", None, "Boat") == entry.object_classes
    assert entry.object_class(1) is None
    assert (0, 2) == entry.reported_class_ids()


def test_whole_weights_are_accepted(tmp_path):
    """The entry is handed back, so that loading can be written in one line."""
    entry = Registry.load(write_network(tmp_path)).get("eye")

    assert entry is verify(entry)


def test_damaged_weights_are_refused_with_both_checksums(tmp_path):
    """One changed byte, and the error names file, expected, found and what to do."""
    entry = Registry.load(write_network(tmp_path)).get("eye")
    entry.path.write_bytes(WEIGHTS[:-1] + b"!")

    with pytest.raises(ModelError) as refused:
        verify(entry)

    assert entry.path == refused.value.file
    assert "sha256" == refused.value.field
    assert entry.sha256 == refused.value.allowed
    assert digest(entry.path) == refused.value.value
    assert "install the package again" in str(refused.value)


def test_missing_weights_are_refused(tmp_path):
    """A lost file is said to be lost, not damaged."""
    entry = Registry.load(write_network(tmp_path)).get("eye")
    entry.path.unlink()

    with pytest.raises(ModelError, match="missing"):
        verify(entry)


def test_an_own_network_comes_with_its_sidecar(tmp_path):
    """A path outside our manifest needs a manifest of its own beside the weights."""
    write_network(tmp_path, name="eye.toml")

    entry = Registry.load().get(str(tmp_path / "eye.onnx"))

    assert "eye" == entry.name
    assert entry is verify(entry)


def test_an_own_network_without_sidecar_is_told_how_to_get_one(tmp_path):
    """The next step is a command."""
    (tmp_path / "eye.onnx").write_bytes(WEIGHTS)

    with pytest.raises(ModelError, match="border-models fetch"):
        Registry.load().get(str(tmp_path / "eye.onnx"))


def test_a_sidecar_for_other_weights_is_refused(tmp_path):
    """A copied sidecar may not vouch for a file it does not know."""
    write_network(tmp_path, name="other.toml")
    (tmp_path / "other.onnx").write_bytes(WEIGHTS)

    with pytest.raises(ModelError, match=r"network\.file is eye\.onnx; allowed: other\.onnx"):
        Registry.load().get(str(tmp_path / "other.onnx"))


def test_an_unknown_name_is_answered_with_the_names_there_are(tmp_path):
    """A typing error in a config is corrected without looking anything up."""
    registry = Registry.load(write_network(tmp_path))

    with pytest.raises(ModelError, match="allowed: day, eye"):
        registry.get("eyes")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('spectrum = "day"', 'spectrum = "x-ray"', "spectrum"),
        ('kite", "boat"]', 'kite"]', "boat"),
        ("size_bytes = 20", "size_bytes = 20\nsize_px = 3", "size_px"),
        ('day = "eye"', 'day = "ear"', "ear"),
        ('day = "eye"', 'thermal = "eye"', "no thermal network"),
        ("schema_version = 1", "schema_version = 2", "schema_version"),
        ('boat = "Boat"', 'boat = "Enemy"', "Enemy"),
        ("[[network]]", "[[network", "TOML"),
    ],
)
def test_a_wrong_manifest_is_refused_by_key(tmp_path, right, wrong, said):
    """Every fault is named where it stands."""
    assert right in MANIFEST

    with pytest.raises(ModelError, match=said):
        Registry.load(write_network(tmp_path, text=MANIFEST.replace(right, wrong)))


def test_all_faults_of_a_manifest_are_named_at_once(tmp_path):
    """Nobody corrects a file one error at a time."""
    text = MANIFEST.replace('"yolov8"', '"v9"').replace("size_bytes = 20", "size_bytes = 0")

    with pytest.raises(ModelError) as refused:
        Registry.load(write_network(tmp_path, text=text))

    assert "layout" in str(refused.value)
    assert "size_bytes" in str(refused.value)


def test_a_model_folder_is_checked_file_by_file(tmp_path):
    """NCNN and OpenVINO models are folders; any changed or renamed file changes the checksum."""
    folder = tmp_path / "eye_ncnn_model"
    folder.mkdir()
    (folder / "model.bin").write_bytes(WEIGHTS)
    (folder / "model.param").write_text("layers")
    before = digest(folder)

    (folder / "model.param").rename(folder / "model.params")

    assert before != digest(folder)
