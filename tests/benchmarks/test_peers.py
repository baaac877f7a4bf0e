"""Peers: what may be known without installing them, and a whole run with one that is tiny."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import PEERS, Peer, worker
from benchmarks.peers.command import Asked, measure_peers
from benchmarks.peers.environments import installed_bytes, python_of
from benchmarks.records import Settings
from edge_fer.emotions import LABELS
from edge_fer.errors import ConfigError, MissingExtra, NotFound

FEW = Settings(rounds=2, queries=2, turn_s=0.0, warmup=0, settle=1, rate_s=0.0)
ADAPTER = """
SIDE = 8
def load(files, threads):
    import tiny
    return lambda face: {"Happiness": 0.8, "angry": 0.2, "contempt": tiny.NOTHING}
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


def asked(tmp_path, **changes):
    facts = {
        "data": "synthetic:faces=14", "split": "test", "limit": None, "only": (), "bundles": (),
        "files": None, "environments": tmp_path / "envs", "out": tmp_path / "out", **changes,
    }  # fmt: skip
    return Asked(**facts)


def test_an_environment_is_made_once_and_weighed(tiny, tmp_path):
    python = python_of(tiny, tmp_path / "envs")
    made = (python.parent / "python").lstat().st_mtime_ns
    assert python_of(tiny, tmp_path / "envs") == python
    assert (python.parent / "python").lstat().st_mtime_ns == made
    assert 0 < installed_bytes(python) < 100_000


def test_what_cannot_be_installed_is_named_with_the_reason(tmp_path):
    gone = Peer("gone", (str(tmp_path / "gone-1.0-py3-none-any.whl"),))
    with pytest.raises(MissingExtra, match="gone: cannot be installed"):
        python_of(gone, tmp_path / "envs")


@pytest.fixture
def one_tiny_peer(tiny, tmp_path, monkeypatch):
    """A worker beside the real one that knows the tiny peer, and a table of peers with it."""
    home = tmp_path / "peers"
    (home / "adapters").mkdir(parents=True)
    (home / "adapters" / "tiny.py").write_text(ADAPTER)
    source = Path(worker.__file__).read_text()
    (home / "worker.py").write_text(
        source.replace("ADAPTERS = {", 'ADAPTERS = {"tiny": ("tiny", "load"),')
    )
    python = python_of(tiny, tmp_path / "envs")
    site = next((python.parent.parent / "lib").glob("python3*/site-packages"))
    # Its NumPy is ours: nothing is downloaded for a test.
    (site / "ours.pth").write_text(str(Path(np.__file__).parent.parent))
    lacking = Peer("lacking", tiny.requires, ("weights.bin",))
    monkeypatch.setattr("benchmarks.peers.command.PEERS", (tiny, lacking))
    monkeypatch.setattr("benchmarks.peers.command.WORKER", home / "worker.py")


def test_a_peer_runs_in_its_own_environment_and_one_without_files_is_listed(
    one_tiny_peer, tmp_path
):
    report = measure_peers(asked(tmp_path), lambda *_: None, FEW)
    happy, lacking = report.results
    assert happy.failed is None
    assert happy.accuracy.value == pytest.approx(1 / 7)
    assert happy.cost.count == 4
    assert happy.start_s > 0
    assert lacking.failed == "needs weights.bin in the folder of --files"
    text = (tmp_path / "out" / "peers.md").read_text()
    assert "lacking: needs weights.bin" in text
    assert json.loads((tmp_path / "out" / "peers.json").read_text())["schema"] == "edge-fer/peers/1"


def test_an_unknown_peer_and_a_folder_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="unknown peer 'x': choose from fer"):
        measure_peers(asked(tmp_path, only=("x",)), lambda *_: None, FEW)
    with pytest.raises(NotFound, match="no such folder of model files"):
        measure_peers(asked(tmp_path, files=tmp_path / "none"), lambda *_: None, FEW)


def test_the_worker_has_the_same_seven_in_the_same_order():
    assert worker.LABELS == LABELS


def test_other_words_are_mapped_and_what_is_none_of_the_seven_does_not_count():
    scores = worker.seven({"Anger": 0.1, "Sadness": 0.2, "surprised": 0.3, "contempt": 0.4})
    assert scores == [0, 0, 0.2, 0.3, 0, 0, 0.1]


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_peer_has_an_adapter_that_is_pinned_and_imports_nothing_of_ours(peer):
    module, function = worker.ADAPTERS[peer.name]
    adapter = worker._adapter(module)
    assert callable(getattr(adapter, function))
    assert adapter.SIDE > 0
    assert "edge_fer" not in Path(adapter.__file__).read_text()
    assert any("=" in one for one in peer.requires)


def test_the_worker_answers_with_an_error_where_the_package_is_missing(monkeypatch, tmp_path):
    for name in [n for n in sys.modules if n.split(".")[0] == "fer"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fer", None)
    with pytest.raises(ImportError):
        worker.Worker("fer", None).load([0])


def test_faces_come_round_again():
    running = worker.Worker("fer", None)
    running._faces = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3)
    assert running._face(5).tolist() == [3, 4, 5]
