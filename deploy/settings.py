"""What `edge-fer.toml` asks of a board: whether it is sound, extras, and where /healthz is."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_fer.config import RunConfig
from edge_fer.errors import ConfigError, EdgeFerError, SettingError
from edge_fer.plugins import split_spec
from edge_fer.settings.file import ConfigFile

EXTRAS = {"http": "http", "mqtt": "mqtt"}
"""A sink's scheme to the extra that it needs."""
ENGINES = {"openvino": "openvino", "onnx": "onnx"}
"""A bundle's format to the extra that runs it."""
PROVEN = ("jsonl:-", "http:127.0.0.1:0")
"""Sinks of the proof: the first always, the second (any free port) where the daemon has a page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One configuration, as far as a deploy must know it."""

    text: str
    sinks: tuple[str, ...]
    camera: str
    trusted_key: bool
    """It names a key on the board."""
    health: str | None
    """Address of /healthz on the board itself; None where there is no page."""

    @property
    def proof(self) -> list[str]:
        """Sinks that the proof opens in their stead."""
        return list(PROVEN if any(_scheme(sink) == "http" for sink in self.sinks) else PROVEN[:1])

    def extras(self, format: str) -> list[str]:
        """What edge-fer needs beside its base for this configuration and a bundle's format."""
        needed = {EXTRAS[name] for sink in self.sinks if (name := _scheme(sink)) in EXTRAS}
        needed |= {ENGINES[format]} if format in ENGINES else set()
        return sorted(needed | ({"sign"} if self.trusted_key else set()))


def read(content: bytes, shown: str) -> Asked:
    """Check a configuration; raises ConfigError naming `shown`, line and key.

    Paths in it are the board's, and so is the number of its cores: those it checks itself.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "edge-fer.toml"
        path.write_bytes(content)
        try:
            return _read(path, content)
        except EdgeFerError as error:
            raise type(error)(str(error).replace(str(path), shown)) from error


def _read(path: Path, content: bytes) -> Asked:
    file = ConfigFile(path)  # says itself where it is no UTF-8
    values: dict[str, Any] = {**file.values, "threads": None}
    try:
        config = RunConfig(**values)
    except SettingError as error:
        place = file.place(error.setting)
        raise ConfigError(f"{place}: {error}" if place else str(error)) from error
    return Asked(
        content.decode(),
        config.sinks,
        config.camera,
        config.trusted_key is not None,
        _health(config),
    )


def _health(config: RunConfig) -> str | None:
    page = next((sink for sink in config.sinks if _scheme(sink) == "http"), None)
    if page is None:
        return None
    from edge_fer.sinks.http.settings import read_settings

    settings = read_settings(split_spec(page)[1], config.http_allow_remote)
    if settings.port == 0 or not settings.required:
        return None
    address = settings.addresses[0]
    if address.is_unspecified:
        # The socket of [::] takes no IPv4.
        host = "[::1]" if address.version == 6 else "127.0.0.1"
        return f"http://{host}:{settings.port}/healthz"
    host = f"[{address}]" if address.version == 6 else str(address)
    return f"http://{host}:{settings.port}/healthz"


def _scheme(sink: str) -> str:
    return split_spec(sink)[0]
