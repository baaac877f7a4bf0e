"""What is to be on a board: a release, a bundle, and the generation that names both."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from deploy import stick
from deploy.settings import Asked
from deploy.wheels import Wheels
from edge_fer.bundle import MANIFEST, Bundle, open_bundle
from edge_fer.errors import BundleError
from edge_fer.signature import SUFFIX, PublicKey

PATIENCE_S = 60.0
"""From the start of the new release to its first frame."""
BUNDLE = "bundle+"
"""Before a bundle's files on their way: no wheel begins so."""
DEPTH = 12
"""Digits of a hash in a name."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle, the bytes of its manifest, and its signature if it has one."""

    bundle: Bundle
    files: dict[str, bytes]

    @property
    def name(self) -> str:
        """Its folder on the board: the hash of its manifest, and so of all of it.

        A signature made later makes another folder: that of a generation never changes.
        """
        signature = self.files.get(MANIFEST + SUFFIX, b"")
        told = self.bundle.sha256 + hashlib.sha256(signature).hexdigest()
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def seal(path: Path, keys: list[PublicKey]) -> Sealed:
    """Read and verify a bundle; raises BundleError for one that any of the keys has not signed."""
    raw = b""

    def check(manifest: Path, content: bytes) -> None:
        nonlocal raw
        raw = content
        for key in keys:
            key.check(manifest, content)

    bundle = open_bundle(path, check)
    if not any(name.startswith("selftest.") for name in bundle.files):
        raise BundleError(f"{path}: carries no faces to test itself; convert it anew")
    signature = path / (MANIFEST + SUFFIX)
    files = {**bundle.files, MANIFEST: raw}
    if signature.is_file():
        files[signature.name] = signature.read_bytes()
    return Sealed(bundle, files)


class Plan:
    """All of it, and where the bytes come from."""

    def __init__(
        self,
        wheels: Wheels,
        sealed: Sealed,
        asked: Asked,
        unit: str,
        trusted: str | None,
        python: str,
        interpreter: str,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.sealed, self.version = sealed, wheels.version
        self._paths = {path.name: path for path in wheels.paths}
        self._contents = {BUNDLE + name: data for name, data in sealed.files.items()}
        # Camera modules of a Raspberry Pi come from its system's packages alone.
        system_packages = asked.camera.startswith("picamera")
        release = {
            "python": python,
            "interpreter": interpreter,
            "system_packages": system_packages,
            "files": [_told(name, path.read_bytes()) for name, path in self._paths.items()],
        }
        digest = hashlib.sha256(json.dumps(release, sort_keys=True).encode()).hexdigest()
        self.release = f"{wheels.version}-{digest[:DEPTH]}"
        manifest = sealed.bundle.manifest
        seen = "\0".join((asked.text, unit, trusted or ""))
        self.request: dict[str, Any] = {
            "release": {**release, "name": self.release, "installed": wheels.installed()},
            "bundle": {
                "name": sealed.name,
                "files": [_told(name, data) for name, data in self._contents.items()],
            },
            "generation": {
                "config": asked.text,
                "unit": unit,
                "trusted": trusted,
                "record": {
                    "version": wheels.version,
                    "model": f"{manifest.name} ({manifest.format} {manifest.precision})",
                    "health": asked.health,
                    "prove_sinks": asked.proof,
                    # The running daemon has the stick; the same runtime answers on the CPU, too.
                    "prove_device": "CPU" if manifest.format == stick.FORMAT else None,
                    "digest": hashlib.sha256(seen.encode()).hexdigest()[:DEPTH],
                },
            },
            "patience_s": patience_s,
        }

    def size(self, name: str) -> int:
        """Bytes of one of its files."""
        if name in self._contents:
            return len(self._contents[name])
        return self._paths[name].stat().st_size

    def open(self, name: str) -> IO[bytes]:
        """One of its files."""
        if name in self._contents:
            return io.BytesIO(self._contents[name])
        return self._paths[name].open("rb")


def _told(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
