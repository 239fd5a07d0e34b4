"""Settings: one file in, a frozen model or every error at once."""

import string
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from runtime.settings import (
    ConfigPath,
    SecretFile,
    Settings,
    SettingsError,
    commented_template,
    load,
    mask_url,
    parse,
    render_masked,
)
from runtime.toml_text import write


class Mount(Settings):
    """Where it stands."""

    azimuth_deg: float = Field(title="Azimuth of the axis, true", ge=0, lt=360, examples=[90.0])


class Camera(Settings):
    """One camera."""

    sensor_id: str = Field(title="Name", min_length=1, examples=["cam-1"])
    url: str = Field(title="Source", examples=["rtsp://user:hunter2@10.0.0.1/live"])
    kind: Literal["day", "thermal"] = Field("day", title="Kind")
    mount: Mount


class Node(Settings):
    """The file."""

    rate_hz: float = Field(2.0, title="Rate", gt=0, le=10)
    password_file: SecretFile | None = Field(None, title="Password")
    folder: ConfigPath = Field(Path("data"), title="Folder")
    camera: tuple[Camera, ...] = Field(title="Cameras", min_length=1)


GOOD = """
rate_hz = 4.0
password_file = "mqtt.password"
[[camera]]
sensor_id = "cam-1"
url = "rtsp://user:hunter2@10.0.0.1/live"
[camera.mount]
azimuth_deg = 90.0
"""

names = st.sampled_from(["rate_hz", "camera", "folder", "password_file", "mount", "x", "url"])
leaves = (
    st.booleans()
    | st.integers(min_value=-(2**60), max_value=2**60)
    | st.floats()
    | st.text(string.printable)
)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4)
)


def test_every_error_is_reported_at_once(tmp_path: Path):
    """Three mistakes give three problems with file, key, value and what is allowed."""
    file = tmp_path / "node.toml"
    file.write_text(
        'rate_hz = 40\nrate_hx = 1\n[[camera]]\nsensor_id = ""\nurl = "x"\n'
        "[camera.mount]\nazimuth_deg = 400\n"
    )
    with pytest.raises(SettingsError) as caught:
        load(file, Node)
    found = {problem.key: problem for problem in caught.value.problems}
    assert {
        "rate_hz",
        "rate_hx",
        "camera[0].sensor_id",
        "camera[0].mount.azimuth_deg",
    } == set(found)
    assert found["rate_hx"].next_step == "Did you mean rate_hz?"
    assert found["rate_hz"].value == "40"
    assert all(problem.file == str(file) for problem in caught.value.problems)


def test_syntax_and_absence_are_settings_errors(tmp_path: Path):
    """A broken file and no file at all speak the same language as a wrong value."""
    file = tmp_path / "node.toml"
    with pytest.raises(SettingsError, match="No such file"):
        load(file, Node)
    file.write_bytes(b"\xff = 1")
    with pytest.raises(SettingsError, match=r"TOML 1\.0 in UTF-8"):
        load(file, Node)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://cam/v.mjpg?user=admin&pwd=s3cret", "http://cam/v.mjpg?user=admin&pwd=********"),
        (
            "rtsp://cam/user=admin&password=s3cret&channel=1",
            "rtsp://cam/user=admin&password=********&channel=1",
        ),
        ("https://u:s3cret@cam/?apikey=s3cret", "https://********@cam/?apikey=********"),
        ("rtsp://cam/stream?channel=1", "rtsp://cam/stream?channel=1"),
    ],
)
def test_password_in_the_parameters_of_an_address_is_hidden(url, shown):
    """What cheap cameras want in the address is no less a secret there."""
    assert shown == mask_url(url)


def test_relative_paths_count_from_the_file(tmp_path: Path):
    """The meaning of a config does not depend on where the program was started."""
    node = parse(GOOD.encode(), Node, path=tmp_path / "node.toml")
    assert tmp_path / "data" != node.folder  # a default is no text of the file
    assert SecretFile(tmp_path / "mqtt.password") == node.password_file


def test_secrets_never_show(tmp_path: Path):
    """Neither the rendered config nor an error shows the password of a URL."""
    node = parse(GOOD.encode(), Node, path=tmp_path / "node.toml")
    assert "hunter2" not in render_masked(node)
    assert "********@10.0.0.1/live" in render_masked(node)
    broken = GOOD.replace('sensor_id = "cam-1"', 'sensor_ix = "rtsp://u:hunter2@h/"')
    with pytest.raises(SettingsError) as caught:
        parse(broken.encode(), Node, path=tmp_path / "node.toml")
    assert "hunter2" not in str(caught.value)


def test_secret_file_open_to_others_is_refused(tmp_path: Path):
    """A secret that others can read is no secret; the message says how to close it."""
    file = tmp_path / "password"
    file.write_text("hunter2\n")
    file.chmod(0o644)
    with pytest.raises(Exception, match="chmod 600"):
        SecretFile(file).read_text()
    file.chmod(0o600)
    assert SecretFile(file).read_text() == "hunter2"
    assert "hunter2" not in repr(SecretFile(file))


def test_template_is_a_valid_file(tmp_path: Path):
    """What `init` writes is accepted as it stands, and names every key."""
    text = commented_template(Node)
    node = parse(text.encode(), Node, path=tmp_path / "node.toml")
    assert node.camera[0].mount.azimuth_deg == 90.0
    assert all(f"{key} =" in text for key in ("rate_hz", "password_file", "folder", "kind"))


@given(st.dictionaries(names, trees, max_size=5))
def test_any_toml_is_a_model_or_a_settings_error(tree):
    """No content of a file makes anything else than an accepted model or a SettingsError."""
    text = write(tree)
    accepted, problems = True, ()
    try:
        node = parse(text.encode(), Node, path=Path("/etc/node.toml"))
    except SettingsError as error:
        accepted, problems = False, error.problems
    assert (0 < node.rate_hz <= 10) if accepted else problems


@given(st.binary(max_size=200))
def test_any_bytes_are_a_model_or_a_settings_error(raw):
    """Bytes that are no text, no TOML or no config are refused in the same way."""
    with pytest.raises(SettingsError):
        parse(raw, Node, path=Path("/etc/node.toml"))


@given(
    st.builds(
        Camera,
        sensor_id=st.text(min_size=1, max_size=20),
        url=st.text(max_size=20).filter(lambda text: "@" not in text),
        kind=st.sampled_from(["day", "thermal"]),
        mount=st.builds(Mount, azimuth_deg=st.floats(0, 359.9)),
    ),
    st.floats(0.001, 10),
)
def test_what_is_shown_is_what_is_in_force(camera, rate_hz):
    """The rendered config, read again, is the same config."""
    node = Node(camera=(camera,), rate_hz=rate_hz, folder=Path("/var/lib/bw"))
    assert node == parse(render_masked(node).encode(), Node, path=Path("/etc/node.toml"))
