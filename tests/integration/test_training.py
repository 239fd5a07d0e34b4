"""A recipe runs from start to ONNX, with the real ultralytics and torch."""

import os
import shutil

import numpy as np
import pytest

from models.recipe import Recipe
from models.registry import ModelError, Registry, digest

pytestmark = [pytest.mark.yolo, pytest.mark.slow]


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Untrained starting weights, and the library kept from looking outside."""
    pytest.importorskip("ultralytics")
    folder = tmp_path_factory.mktemp("training")
    kept = dict(os.environ)
    os.environ.update(
        YOLO_OFFLINE="1",
        YOLO_AUTOINSTALL="false",
        YOLO_CONFIG_DIR=str(folder),
        YOLO_VERBOSE="false",
    )
    import torch
    from ultralytics import YOLO

    torch.manual_seed(3)
    YOLO("yolov8n.yaml").save(str(folder / "start.pt"))
    yield folder
    os.environ.clear()
    os.environ.update(kept)


def small_recipe(folder, *, epochs=1) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "small",
            "spectrum": "day",
            "command": "border-models train small.toml",
            "seed": 1,
            "epochs": epochs,
            "batches_per_epoch": 2,
            "size_px": (128, 96),
            "freeze_layers": 10,
            "lr": 1e-3,
            "lr_final": 1e-4,
            "warmup_batches": 1,
            "weight_decay": 0.0,
            "gradient_norm_max": 10.0,
            "ema_decay": 0.5,
            "box_gain": 7.5,
            "class_gain": 0.5,
            "dfl_gain": 1.5,
            "teacher_gain": 0.5,
            "scale": (0.8, 1.2),
            "threads": 1,
            "versions": {"torch": "any"},
            "start": {
                "file": "start.pt",
                "sha256": digest(folder / "start.pt"),
                "licence": "AGPL-3.0",
            },
            "source": [
                {"kind": "rendered", "per_batch": 2, "spectrum": "day", "heights_px": (20.0, 60.0)}
            ],
        }
    )


@pytest.fixture(scope="module")
def trained(started):
    """The weights of one short run."""
    from models.train import train

    said: list[str] = []
    done = train(small_recipe(started), data=started, out=started / "out", report=said.append)
    assert "epoch 1 kept" in said
    return done.weights


def parameters(weights):
    from ultralytics import YOLO

    return {
        name: value.float().numpy() for name, value in YOLO(str(weights)).model.state_dict().items()
    }


@pytest.mark.filterwarnings("default")
def test_training_moves_the_head_and_leaves_frozen_layers(started, trained):
    """Layers below freeze_layers and all running statistics are bit for bit the starting ones."""
    before, after = parameters(started / "start.pt"), parameters(trained)

    moved = {name for name in before if not np.array_equal(before[name], after[name])}

    assert moved
    assert {int(name.split(".")[1]) for name in moved} <= set(range(10, 23))
    assert not [name for name in moved if "running" in name or "dfl" in name]


@pytest.mark.filterwarnings("default")
def test_a_cut_run_ends_like_an_uncut_one(started):
    """One epoch, then the second from the checkpoint, gives the weights of two in a row."""
    from models.train import train

    whole = train(
        small_recipe(started, epochs=2), data=started, out=started / "whole", report=lambda _: None
    )
    wanted = parameters(whole.weights)

    class CutError(Exception):
        pass

    def cut(line):
        if line == "epoch 1 kept":
            raise CutError

    with pytest.raises(CutError):
        train(small_recipe(started, epochs=2), data=started, out=started / "cut", report=cut)
    said: list[str] = []
    again = train(
        small_recipe(started, epochs=2), data=started, out=started / "cut", report=said.append
    )

    assert "going on after epoch 1" in said
    for name, value in parameters(again.weights).items():
        np.testing.assert_allclose(value, wanted[name], atol=1e-4, err_msg=name)


def test_training_refuses_other_starting_weights(started):
    """A recipe speaks of one file only."""
    from models.train import train

    recipe = small_recipe(started)
    other = started / "elsewhere"
    other.mkdir()
    (other / "start.pt").write_bytes(b"another file")

    with pytest.raises(ModelError, match="sha256"):
        train(recipe, data=other, out=started / "none", report=lambda _: None)


@pytest.mark.filterwarnings("default")
def test_exported_weights_say_the_same_and_take_any_size(started, trained):
    """The ONNX file agrees with the weights, has free height and width and no paths of this machine."""
    import onnx

    from models.export import export

    done = export(trained, started / "small.onnx")

    model = onnx.load(done.path)
    height, width = model.graph.input[0].type.tensor_type.shape.dim[2:4]
    assert done.largest_difference < 1e-3
    assert height.dim_param
    assert width.dim_param
    assert str(started) not in done.path.read_bytes().decode("latin-1")


@pytest.mark.filterwarnings("default")
def test_an_exported_network_runs_in_the_detector_of_a_node(started, trained):
    """From the recipe to the road: fetch makes its sidecar, the node's detector opens it."""
    from edge.onnx import OnnxDetector
    from models.export import export
    from models.fetch import Own, fetch

    export(trained, started / "road.onnx")
    names = Registry.load().get("day").class_names
    own = Own(spectrum="day", sha256=None, class_names=names, licence="AGPL-3.0-only")
    fetch(str(started / "road.onnx"), started / "kept", own)
    shutil.rmtree(started / "out")

    detector = OnnxDetector(Registry.load().get(str(started / "kept" / "road.onnx")))
    found = detector.detect(np.zeros((90, 160, 3), np.uint8))

    assert (160, 90) == found.frame_size_px
