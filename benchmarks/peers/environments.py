"""A peer's own environment: made once, and what it weighs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.peers import Peer
from edge_fer.errors import MissingExtra

READY = ".ready"
"""Names the requirements that were installed whole."""
OURS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence")
"""Comes with every environment; no part of a peer."""
PATIENCE_S = 3600.0


def python_of(peer: Peer, folder: Path) -> Path:
    """The peer's Python, its environment made where it is missing; raises MissingExtra."""
    home = (folder / _name(peer)).absolute()
    ready, wanted = home / READY, "\n".join(peer.requires)
    if not (ready.is_file() and ready.read_text() == wanted):
        shutil.rmtree(home, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(home)], peer)
        pip = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *peer.requires], peer)
        ready.write_text(wanted)
    return home / "bin" / "python"


def installed_bytes(python: Path) -> int:
    """Of everything that pip put there for the peer."""
    site = next((python.parent.parent / "lib").glob("python3*/site-packages"))
    folders = [entry for entry in site.iterdir() if not entry.name.startswith(OURS)]
    return sum(f.stat().st_size for top in folders for f in (top, *top.rglob("*")) if f.is_file())


def _name(peer: Peer) -> str:
    """Peers with the same requirements share an environment."""
    return hashlib.sha256("\n".join(peer.requires).encode()).hexdigest()[:12]


def _run(command: list[str], peer: Peer) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired as error:
        raise MissingExtra(f"{peer.name}: its installation took over an hour") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise MissingExtra(f"{peer.name}: cannot be installed ({last})")
