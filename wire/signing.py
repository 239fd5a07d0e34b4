"""Ed25519 over the exact text: a station signs, a node checks before it reads.

Source: RFC 8032 (Ed25519). Keys are PEM files; the secret one is readable by its owner alone.
"""

import base64
import binascii
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wire.commands import SignedDocument


class BadSignature(ValueError):
    """The text was not signed by a key we trust."""


class BadKey(ValueError):
    """A key file that cannot be used: says which, why, and what to do."""


class VerifyKey:
    """A station's public key."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.key_id = hashlib.sha256(raw).hexdigest()[:16]

    @classmethod
    def from_pem(cls, pem: bytes, *, name: str = "public key") -> "VerifyKey":
        """Read a PEM public key.

        Raises:
            BadKey: it is not an Ed25519 public key.
        """
        try:
            key = serialization.load_pem_public_key(pem)
        except ValueError:
            raise BadKey(
                f"{name}: not a PEM public key; copy station.pub from the station"
            ) from None
        if not isinstance(key, Ed25519PublicKey):
            raise BadKey(f"{name}: not an Ed25519 key; `border-ground init` makes one")
        return cls(key)

    def to_pem(self) -> bytes:
        """The key as PEM text."""
        return self._key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def verify(self, document: SignedDocument) -> str:
        """The text, if this key signed exactly it.

        Raises:
            BadSignature: another key, another text, or no signature.
        """
        if document.key_id != self.key_id:
            raise BadSignature(
                f"signed by key {document.key_id}, this node trusts {self.key_id}: "
                "install the station's public key on the node"
            )
        try:
            signature = base64.b64decode(document.signature, validate=True)
            self._key.verify(signature, document.signed.encode())
        except (InvalidSignature, binascii.Error, ValueError):
            raise BadSignature("the signature does not belong to this text") from None
        return document.signed


class SigningKey:
    """A station's secret key; never shown, never logged."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = VerifyKey(key.public_key())

    def __repr__(self) -> str:
        return f"SigningKey(key_id={self.public.key_id!r}, secret=***)"

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read a secret key.

        Raises:
            BadKey: missing, readable by others, or not an Ed25519 key.
        """
        try:
            mode = path.stat().st_mode & 0o077
            pem = path.read_bytes()
        except OSError as error:
            raise BadKey(f"{path}: {error.strerror}; `border-ground init` makes a key") from None
        if mode:
            raise BadKey(f"{path}: others may read it; run: chmod 600 {path}")
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            raise BadKey(f"{path}: not a PEM secret key; restore it from the backup") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise BadKey(f"{path}: not an Ed25519 key; `border-ground init` makes one")
        return cls(key)

    def save(self, path: Path) -> None:
        """Write a new secret key file, for the owner alone; an existing one is never replaced.

        Raises:
            BadKey: the file is there already, or cannot be written.
        """
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise BadKey(f"{path}: {error.strerror}; a key is never replaced silently") from None
        with os.fdopen(handle, "wb") as file:
            file.write(pem)

    def sign(self, text: str) -> SignedDocument:
        """The text with its signature."""
        signature = self._key.sign(text.encode())
        return SignedDocument(
            signed=text,
            signature=base64.b64encode(signature).decode(),
            key_id=self.public.key_id,
        )
