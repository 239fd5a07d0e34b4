"""A recipe is complete or refused, and never learns from what is held back."""

import pytest

from models import recipe
from models.registry import MANIFEST, ModelError

DAY = MANIFEST.with_name("recipes") / "day.toml"


def test_every_batch_holds_every_source():
    """Day pictures stand in every batch, so that daylight is never forgotten."""
    parsed = recipe.load(DAY)

    assert sum(source.per_batch for source in parsed.source) == parsed.batch
    assert any(isinstance(source, recipe.SelfLabelled) for source in parsed.source)


def test_the_film_kept_for_evaluation_cannot_be_learnt_from(tmp_path):
    """The refusal is in the code that reads recipes, not in our good will."""
    text = DAY.read_text("utf-8").replace("one-by-one-person-detection.mp4", "vtest.avi")
    changed = tmp_path / "day.toml"
    changed.write_text(text, "utf-8")

    with pytest.raises(ModelError, match="may never be learnt from"):
        recipe.load(changed)


@pytest.mark.parametrize("key", ["seed", "lr", "epochs", "freeze_layers", "size_px", "command"])
def test_a_recipe_without_a_needed_key_is_refused(tmp_path, key):
    """What is not written down cannot be repeated."""
    lines = DAY.read_text("utf-8").splitlines()
    changed = tmp_path / "day.toml"
    changed.write_text("\n".join(line for line in lines if not line.startswith(f"{key} =")))

    with pytest.raises(ModelError, match=key):
        recipe.load(changed)


def test_checksums_and_files_come_in_pairs(tmp_path):
    """A file without a checksum could be any file."""
    text = DAY.read_text("utf-8").replace('files = ["films', 'files = ["films/a.mp4", "films')
    changed = tmp_path / "day.toml"
    changed.write_text(text, "utf-8")

    with pytest.raises(ModelError, match="one checksum per file"):
        recipe.load(changed)


def test_a_missing_recipe_is_said_to_be_missing(tmp_path):
    """No traceback for a typing error."""
    with pytest.raises(ModelError, match="No such file"):
        recipe.load(tmp_path / "none.toml")
