"""A node obeys its own station, to the letter."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from wire import codec
from wire.signing import BadKey, BadSignature, SigningKey, VerifyKey

KEY = SigningKey.generate()


def _command_text(samples: dict[str, bytes]) -> str:
    return json.loads(samples["cmd.mission_load"])["body"]["signed"]


@given(text=st.text())
def test_what_a_key_signs_it_verifies(text: str) -> None:
    """Any text, Vietnamese or none, comes back exactly."""
    assert text == KEY.public.verify(KEY.sign(text))


@given(text=st.text(min_size=1), at=st.integers(0, 10_000), other=st.characters(codec="utf-8"))
def test_altered_text_is_refused(text: str, at: int, other: str) -> None:
    """One character more, less or different, and the signature no longer belongs to it."""
    document = KEY.sign(text)
    index = at % len(text)
    for altered in (
        text[:index] + other + text[index:],
        text[:index] + text[index + 1 :],
    ):
        if altered != text:
            with pytest.raises(BadSignature, match="does not belong to this text"):
                KEY.public.verify(document.model_copy(update={"signed": altered}))


def test_text_written_again_is_refused(samples: dict[str, bytes]) -> None:
    """The same content in other spelling is another text: nobody re-serialises before checking."""
    text = _command_text(samples)
    document = KEY.sign(text)
    again = json.dumps(json.loads(text), indent=1)
    assert json.loads(text) == json.loads(again)
    with pytest.raises(BadSignature):
        KEY.public.verify(document.model_copy(update={"signed": again}))


def test_another_station_key_is_refused_and_named(samples: dict[str, bytes]) -> None:
    """A command of another station says which key signed it and which is trusted."""
    other = SigningKey.generate()
    with pytest.raises(BadSignature) as refused:
        KEY.public.verify(other.sign(_command_text(samples)))
    assert other.public.key_id in str(refused.value)
    assert KEY.public.key_id in str(refused.value)


def test_borrowed_key_id_does_not_help(samples: dict[str, bytes]) -> None:
    """Claiming the trusted key's id over another key's signature is refused."""
    forged = SigningKey.generate().sign(_command_text(samples))
    with pytest.raises(BadSignature, match="does not belong to this text"):
        KEY.public.verify(forged.model_copy(update={"key_id": KEY.public.key_id}))


def test_signature_survives_the_wire(samples: dict[str, bytes]) -> None:
    """The signed text is the same text after the envelope was written and read."""
    raw = json.loads(samples["cmd.mission_load"])
    raw["body"] = KEY.sign(_command_text(samples)).model_dump()
    spec = codec.BY_NAME["cmd"]
    once = codec.decode(json.dumps(raw, ensure_ascii=True).encode(), spec=spec).message
    twice = codec.decode(codec.encode(once, spec=spec), spec=spec).message
    assert _command_text(samples) == KEY.public.verify(twice.body)


def test_key_file_is_private_and_never_replaced(tmp_path: Path) -> None:
    """A secret key is written once, for its owner alone, and read back as the same key."""
    path = tmp_path / "station.key"
    KEY.save(path)
    assert 0o600 == path.stat().st_mode & 0o777
    assert KEY.public.key_id == SigningKey.load(path).public.key_id
    with pytest.raises(BadKey, match="never replaced"):
        SigningKey.generate().save(path)


def test_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A secret key open to others is refused with the command that closes it."""
    path = tmp_path / "station.key"
    KEY.save(path)
    path.chmod(0o644)
    with pytest.raises(BadKey, match="chmod 600"):
        SigningKey.load(path)


def test_key_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Missing, not PEM, or RSA: each says the file and what to do."""
    path = tmp_path / "station.key"
    with pytest.raises(BadKey, match="border-ground init"):
        SigningKey.load(path)
    for content in (
        b"not a key",
        generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    ):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(BadKey, match=r"station\.key"):
            SigningKey.load(path)


@given(pem=st.binary(max_size=200))
def test_any_bytes_as_a_public_key_are_refused(pem: bytes) -> None:
    """A node's key file that is not a key stops it with a sentence, not a traceback."""
    with pytest.raises(BadKey):
        VerifyKey.from_pem(pem)


def test_secret_never_shows(samples: dict[str, bytes]) -> None:
    """A signing key's text form holds its id, not its secret."""
    assert f"SigningKey(key_id={KEY.public.key_id!r}, secret=***)" == repr(KEY)
