"""Signed bundles: Ed25519 over the manifest, in the file formats of minisign.

The manifest holds the SHA-256 of every other file, so one signature covers the bundle. A signature
made here is verified by `minisign -Vm manifest.json -p KEY.pub`, and one made by `minisign -Sm
manifest.json` is accepted here (formats: jedisct1.github.io/minisign; Ed25519: RFC 8032).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_fer.errors import BundleError, ConfigError, NotFound, StorageError
from edge_fer.plugins import missing
from edge_fer.storage import write_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

SUFFIX = ".minisig"
PLAIN, PREHASHED = b"Ed", b"ED"
"""minisign's algorithm names; the second signs the BLAKE2b-512 hash, the usual form."""
UNTRUSTED, TRUSTED = "untrusted comment: ", "trusted comment: "
LARGEST = 4096
"""Bytes of a key or signature file."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are checked with."""

    number: bytes
    """Eight bytes that tell keys apart."""
    raw: bytes
    """The 32 bytes of RFC 8032."""

    @classmethod
    def load(cls, path: Path) -> PublicKey:
        """Read a minisign public key file; raises NotFound or ConfigError."""
        lines = _lines(path, "public key")
        packed = _decoded(lines[-1] if lines else "")
        if packed is None or len(packed) != 42 or packed[:2] != PLAIN:
            raise ConfigError(f"{path}: not a minisign public key; make one with `edge-fer keys`")
        return cls(packed[2:10], packed[10:])

    def check(self, signed: Path, content: bytes) -> str:
        """Verify `content`, read from `signed`, against the signature beside it.

        Returns the trusted comment. Raises BundleError where there is no valid signature.
        """
        path = signed.with_name(signed.name + SUFFIX)
        try:
            lines = _lines(path, "signature")
        except NotFound as error:
            raise BundleError(
                f"{signed.parent}: not signed, and a trusted key is configured; "
                "sign it with `edge-fer sign`"
            ) from error
        signature, comment, whole = _signature(path, lines)
        if signature[2:10] != self.number:
            raise BundleError(
                f"{path}: made with key {_shown(signature[2:10])}, trusted is {_shown(self.number)}"
            )
        message = hashlib.blake2b(content).digest() if signature[:2] == PREHASHED else content
        _verify(self, path, signature[10:], message)
        _verify(self, path, whole, signature[10:] + comment.encode())
        return comment


def make_keys(secret: Path, public: Path) -> None:
    """Write a new pair: the secret key as PKCS #8 PEM readable by its owner alone.

    Raises StorageError; an existing file is never replaced.
    """
    _crypto()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    for path in (secret, public):
        if path.exists():
            raise StorageError(f"{path}: exists already; a key is never replaced")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        secret.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    except OSError as error:
        raise StorageError(f"{secret}: cannot be written ({error.strerror})") from error
    write_file(public, _public_file(key.public_key()).encode())


def sign(signed: Path, secret: Path) -> Path:
    """Sign a file; the signature, whose path is returned, lies beside it.

    Raises NotFound, ConfigError for what is no secret key, or StorageError.
    """
    key = _secret_key(secret)
    content = signed.read_bytes()
    number = _number(key.public_key())
    signature = key.sign(hashlib.blake2b(content).digest())
    comment = f"file:{signed.name}\tsha256:{hashlib.sha256(content).hexdigest()}"
    whole = key.sign(signature + comment.encode())
    text = (
        f"{UNTRUSTED}signature of an edge-fer bundle, key {_shown(number)}\n"
        f"{_encoded(PREHASHED + number + signature)}\n{TRUSTED}{comment}\n{_encoded(whole)}\n"
    )
    path = signed.with_name(signed.name + SUFFIX)
    write_file(path, text.encode())
    return path


def _signature(path: Path, lines: list[str]) -> tuple[bytes, str, bytes]:
    """Algorithm, key number and signature; the trusted comment; its signature."""
    if len(lines) == 4 and lines[2].startswith(TRUSTED):
        signature, whole = _decoded(lines[1]) or b"", _decoded(lines[3]) or b""
        if (len(signature), len(whole)) == (74, 64) and signature[:2] in (PLAIN, PREHASHED):
            return signature, lines[2][len(TRUSTED) :], whole
    raise BundleError(f"{path}: not a minisign signature; sign the bundle again")


def _verify(key: PublicKey, path: Path, signature: bytes, message: bytes) -> None:
    _crypto()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, message)
    except InvalidSignature as error:
        raise BundleError(
            f"{path}: the signature does not fit; the bundle was altered after it was signed"
        ) from error


def _secret_key(path: Path) -> Ed25519PrivateKey:
    _crypto()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _content(path, "secret key")
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: not an unencrypted PEM key; see `edge-fer keys`") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path}: not an Ed25519 key; make one with `edge-fer keys`")
    return key


def _public_file(key: Ed25519PublicKey) -> str:
    number = _number(key)
    comment = f"{UNTRUSTED}minisign public key {_shown(number)}"
    return f"{comment}\n{_encoded(PLAIN + number + key.public_bytes_raw())}\n"


def _number(key: Ed25519PublicKey) -> bytes:
    """minisign draws it at random; from the key itself it needs no place in the secret file."""
    return hashlib.blake2b(key.public_bytes_raw(), digest_size=8).digest()


def _shown(number: bytes) -> str:
    """As minisign prints it: little-endian."""
    return number[::-1].hex().upper()


def _lines(path: Path, what: str) -> list[str]:
    return _content(path, what).decode("utf-8", "replace").splitlines()


def _content(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise NotFound(f"{path}: no such {what}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{path}: too long for a {what}")
    return content


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _crypto() -> None:
    """One line that names the extra where the library is not installed."""
    try:
        import cryptography  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing("cryptography", "a signed bundle") from error
