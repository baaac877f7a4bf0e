"""Packages beside ours that need no download: one of a single line, in several forms."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import Peer, worker
from benchmarks.peers.command import Asked
from benchmarks.peers.environments import python_of

ADAPTER = """
SIDE = 8
def load(files, threads):
    import tiny
    return lambda face: {"Happiness": 0.8, "angry": 0.2, "contempt": tiny.NOTHING}
def watch(files, threads):
    answer = load(files, threads)
    return lambda frame: [((0, 0, 20, 20), answer(frame))]
"""


def wheel(folder: Path) -> Path:
    """A package of one line."""
    files = {
        "tiny.py": "NOTHING = 0.0\n",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL":
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }  # fmt: skip
    rows = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        rows.append(f"{name},sha256={digest.decode()},{len(text)}")
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr("tiny-1.0.dist-info/RECORD", "\n".join(rows) + "\n")
    return path


@pytest.fixture
def tiny(tmp_path):
    return Peer("tiny", (str(wheel(tmp_path)),), told="always happy")


@pytest.fixture
def one_tiny_peer(tiny, tmp_path, monkeypatch):
    """A worker beside the real one that knows the tiny peer, and a table of peers with it."""
    home = tmp_path / "peers"
    (home / "adapters").mkdir(parents=True)
    (home / "adapters" / "tiny.py").write_text(ADAPTER)
    source = Path(worker.__file__).read_text()
    (home / "worker.py").write_text(
        source.replace(
            "ADAPTERS = {",
            'ADAPTERS = {"tiny": ("tiny", "load", "watch"), "blind": ("tiny", "load", None),',
        )
    )
    python = python_of(tiny, tmp_path / "envs")
    site = next((python.parent.parent / "lib").glob("python3*/site-packages"))
    # Its NumPy is ours: nothing is downloaded for a test.
    (site / "ours.pth").write_text(str(Path(np.__file__).parent.parent))
    lacking = Peer("lacking", tiny.requires, ("weights.bin",))
    blind = Peer("blind", tiny.requires, watches=False)
    monkeypatch.setattr("benchmarks.peers.command.PEERS", (tiny, blind, lacking))
    monkeypatch.setattr("benchmarks.peers.entrants.WORKER", home / "worker.py")


@pytest.fixture
def asked(tmp_path):
    """The options of `bench peers`, with changes."""

    def one(**changes):
        facts = {
            "data": "synthetic:faces=14", "split": "test", "limit": None, "camera": None,
            "only": (), "bundles": (), "files": None, "environments": tmp_path / "envs",
            "out": tmp_path / "out", **changes,
        }  # fmt: skip
        return Asked(**facts)

    return one
