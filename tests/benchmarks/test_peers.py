"""Peers: what may be known without installing them, and a whole run with one that is tiny."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import PEERS, Peer, worker
from benchmarks.peers.command import measure_peers
from benchmarks.peers.environments import installed_bytes, python_of
from benchmarks.records import Settings
from benchmarks.worker import Worker
from edge_fer.emotions import LABELS
from edge_fer.errors import ConfigError, MissingExtra, NotFound

FEW = Settings(rounds=2, queries=2, turn_s=0.0, warmup=0, settle=1, rate_s=0.0)


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


def test_a_peer_runs_in_its_own_environment_and_one_without_files_is_listed(
    one_tiny_peer, asked, tmp_path
):
    report = measure_peers(asked(), lambda *_: None, FEW, FEW)
    happy, _, lacking = report.results
    assert happy.failed is None
    assert happy.accuracy.value == pytest.approx(1 / 7)
    assert happy.cost.count == 4
    assert happy.start_s > 0
    assert lacking.failed == "needs weights.bin in the folder of --files"
    text = (tmp_path / "out" / "peers.md").read_text()
    assert "lacking: needs weights.bin" in text
    assert json.loads((tmp_path / "out" / "peers.json").read_text())["schema"] == "edge-fer/peers/1"


def test_an_unknown_peer_and_a_folder_that_is_not_there_are_refused(asked, tmp_path):
    with pytest.raises(ConfigError, match="unknown peer 'x': choose from fer"):
        measure_peers(asked(only=("x",)), lambda *_: None, FEW)
    with pytest.raises(NotFound, match="no such folder of model files"):
        measure_peers(asked(files=tmp_path / "none"), lambda *_: None, FEW)


def test_the_worker_has_the_same_seven_in_the_same_order():
    assert worker.LABELS == LABELS


def test_other_words_are_mapped_and_what_is_none_of_the_seven_does_not_count():
    scores = worker.seven({"Anger": 0.1, "Sadness": 0.2, "surprised": 0.3, "contempt": 0.4})
    assert scores == [0, 0, 0.2, 0.3, 0, 0, 0.1]


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_peer_has_an_adapter_that_is_pinned_and_imports_nothing_of_ours(peer):
    module, faces, frames = worker.ADAPTERS[peer.name]
    adapter = worker._adapter(module)
    assert callable(getattr(adapter, faces))
    assert (frames is not None and callable(getattr(adapter, frames))) == peer.watches
    assert adapter.SIDE > 0
    assert "edge_fer" not in Path(adapter.__file__).read_text()
    assert any("=" in one for one in peer.requires)


def test_the_worker_answers_with_an_error_where_the_package_is_missing(monkeypatch, tmp_path):
    for name in [n for n in sys.modules if n.split(".")[0] == "fer"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fer", None)
    # The worker holds its process to the cores it is given: here that would be all later tests.
    monkeypatch.setattr(worker.os, "sched_setaffinity", lambda *_: None)
    with pytest.raises(ImportError):
        worker.Worker("fer", "faces", None).load([0])


def test_faces_come_round_again_and_are_no_memory_of_the_worker(tmp_path):
    faces = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    np.save(tmp_path / "faces.npy", faces)
    for running in (worker.Worker("fer", "faces", None), Worker()):
        assert running.see(str(tmp_path / "faces.npy")) == {"count": 2}
        read = running._face if isinstance(running, worker.Worker) else running._picture
        assert np.array_equal(read(5), faces[1])
        assert not isinstance(read(5), np.memmap)
        assert "faces.npy" not in Path("/proc/self/maps").read_text()
