"""A user's own network: checked, kept, described."""

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from models.fetch import Own, fetch
from models.registry import ModelError, Registry, digest, verify

OURS = Registry.load().get("day")


def own(**changes) -> Own:
    facts = {"spectrum": "day", "sha256": None, "class_names": None, "licence": "AGPL-3.0-only"}
    return Own(**{**facts, **changes})


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder and keeps quiet."""

    def log_message(self, *args):
        pass


@pytest.fixture
def address_of_weights(tmp_path):
    """A web server on loopback that holds one network."""
    folder = tmp_path / "served"
    folder.mkdir()
    shutil.copyfile(OURS.path, folder / "own.onnx")
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/own.onnx"
        server.shutdown()
        thread.join()


def test_a_network_from_a_file_can_be_named_by_path_afterwards(tmp_path):
    """The names inside the ONNX file give the class map."""
    entry = fetch(str(OURS.path), tmp_path, own())

    again = Registry.load().get(str(tmp_path / OURS.path.name))
    assert entry == verify(again)
    assert OURS.class_names == again.class_names
    assert OURS.object_classes == again.object_classes


def test_a_download_needs_a_checksum(address_of_weights, tmp_path):
    """An address proves nothing."""
    with pytest.raises(ModelError, match="--sha256"):
        fetch(address_of_weights, tmp_path / "kept", own())


def test_a_download_with_the_right_checksum_is_kept(address_of_weights, tmp_path):
    """Over HTTP as from a file."""
    entry = fetch(address_of_weights, tmp_path / "kept", own(sha256=OURS.sha256))

    assert OURS.sha256 == digest(entry.path)


def test_a_download_with_a_wrong_checksum_leaves_nothing_behind(address_of_weights, tmp_path):
    """Neither the file nor a part of it."""
    with pytest.raises(ModelError, match="Nothing was kept"):
        fetch(address_of_weights, tmp_path / "kept", own(sha256="0" * 64))

    assert [] == list((tmp_path / "kept").iterdir())


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    """A typing error is no download."""
    with pytest.raises(ModelError, match="missing"):
        fetch(str(tmp_path / "none.onnx"), tmp_path, own())


def test_a_file_that_is_no_network_is_refused(tmp_path):
    """The runtime says why."""
    (tmp_path / "bad.onnx").write_bytes(b"no network")

    with pytest.raises(ModelError, match="a model that onnxruntime loads"):
        fetch(str(tmp_path / "bad.onnx"), tmp_path / "kept", own())


def test_weights_that_do_not_say_their_classes_need_names(tmp_path):
    """A .pt file is not opened for them: opening one runs what it contains."""
    (tmp_path / "own.pt").write_bytes(b"pickled")

    with pytest.raises(ModelError, match="--names"):
        fetch(str(tmp_path / "own.pt"), tmp_path / "kept", own())

    entry = fetch(str(tmp_path / "own.pt"), tmp_path / "kept", own(class_names=["person", "dog"]))
    assert ("Human", "Animal") == entry.object_classes
    assert "ultralytics" == entry.layout


def test_a_network_that_sees_nothing_of_use_is_refused(tmp_path):
    """A detector of fruit guards no border."""
    with pytest.raises(ModelError, match="at least one of person"):
        fetch(str(OURS.path), tmp_path, own(class_names=["apple", "pear"]))
