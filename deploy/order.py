"""What a person asked for, made into the plan of one board."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from deploy import facts, settings, stick, wheels
from deploy.facts import Board
from deploy.plan import Plan, seal
from deploy.unit import unit
from edge_fer.errors import ConfigError, NotFound
from edge_fer.signature import PublicKey

CONFIG = "/etc/edge-fer/edge-fer.toml"


@dataclass(frozen=True, slots=True)
class Order:
    """One command line."""

    bundle: Path
    config: Path | None = None
    """None keeps the board's own; where there is none, the one that ships."""
    trusted_key: Path | None = None
    """None keeps the one that an earlier deploy pinned, if any."""
    wheel: Path | None = None
    offline: bool = False
    python: str = "python3"
    patience_s: float = 60.0


def prepare(host: str, board: Board, order: Order) -> Plan:
    """Check all that can be checked before a byte is sent.

    Raises BundleError, ConfigError, MissingExtra, NotFound or Refused.
    """
    facts.check(board, order.python)
    pinned = _pinned(order, board)
    with tempfile.TemporaryDirectory() as scratch:
        keys = []
        if pinned is not None:
            path = Path(scratch) / "trusted.pub"
            path.write_text(pinned)
            keys.append(PublicKey.load(path))
        sealed = seal(order.bundle, keys)
    manifest = sealed.bundle.manifest
    stick.check(board, manifest.format)
    asked = _settings(host, board, order)
    extras = {*asked.extras(manifest.format), *(["sign"] if pinned else [])}
    chosen = wheels.gather(board, extras, order.wheel, order.offline)
    text = unit(board, asked.camera, manifest.format)
    return Plan(
        chosen, sealed, asked, text, pinned, order.python, board.interpreter, order.patience_s
    )


def _pinned(order: Order, board: Board) -> str | None:
    """The text of the key that must have signed the bundle."""
    if order.trusted_key is not None:
        PublicKey.load(order.trusted_key)  # says itself what is wrong
        return order.trusted_key.read_text()
    return board.trusted.decode(errors="replace") or None


def _settings(host: str, board: Board, order: Order) -> settings.Asked:
    if order.config is not None:
        if not order.config.is_file():
            raise NotFound(f"{order.config}: no such configuration")
        try:
            return settings.read(order.config.read_bytes(), str(order.config))
        except OSError as error:
            if isinstance(error, NotFound):
                raise
            raise ConfigError(f"{order.config}: cannot be read ({error.strerror})") from error
    if board.config:
        return settings.read(board.config, f"{host}:{CONFIG}")
    shipped = resources.files("deploy") / "edge-fer.toml"
    return settings.read(shipped.read_bytes(), "edge-fer.toml")
