"""Fixtures that many rooms share: real bundles, made once, and the real faces where they are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from edge_fer.datasets.shipped import check_faces
from edge_fer.notices import LOG, Log
from edge_fer.types import FaceBatch

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("EDGE_FER_DATA", ROOT.parent / "shared" / "data"))
SHIPPED = json.loads((ROOT / "edge_fer" / "pretrained" / "checkpoint.json").read_text())
INPUT_SIZE: int = SHIPPED["recipe"]["architecture"]["size"]
"""Pixels of a face's side in the shipped checkpoint."""

Completed = subprocess.CompletedProcess[str]
RunCli = Callable[..., Completed]


@pytest.fixture(scope="session", autouse=True)
def own_locks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Daemons of one worker of a test run do not meet those of another, nor the user's own."""
    os.environ.pop("RUNTIME_DIRECTORY", None)
    os.environ["XDG_RUNTIME_DIR"] = str(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session", autouse=True)
def hang_ups_are_heard() -> None:
    """A suite started by nohup, or by a service, would hand on that they are ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def all_cores() -> Iterator[None]:
    """A test that leaves the process with fewer cores must not slow, or break, all later ones."""
    before = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, before)


@pytest.fixture(autouse=True)
def fresh_log() -> None:
    """Lines that one test said do not silence the next one."""
    vars(LOG).update(vars(Log()))


@pytest.fixture(scope="session")
def fer2013_path() -> Path:
    """The FER2013 folder; without it tests skip aloud, and fail where the data folder exists."""
    path = DATA / "fer2013"
    if not path.is_dir():
        if DATA.is_dir():
            pytest.fail(f"{DATA} is here, but without fer2013")
        pytest.skip("FER2013 is not here: set EDGE_FER_DATA to the folder that holds fer2013/")
    return path


@pytest.fixture(scope="session")
def cli() -> RunCli:
    """Runs `edge-fer` as a user does, in a process of its own."""

    def run(*args: str | Path, **options: object) -> Completed:
        command = [sys.executable, "-m", "edge_fer.cli", *map(str, args)]
        settings = {"capture_output": True, "text": True, "timeout": 240, **options}
        return subprocess.run(command, check=False, **settings)  # type: ignore[call-overload]

    return run


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory, worker_id: str, cli: RunCli) -> Path:
    """A folder with the INT8 bundles of the shipped checkpoint, made by the command itself.

    The workers of one test run share it: the first one makes it, the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    out = shared / "converted" / "made"
    out.parent.mkdir(exist_ok=True)
    with FileLock(shared / "converted.lock"):
        if not out.is_dir():
            formats = [f"--format={name}" for name in ("tflite", "openvino", "onnx")]
            done = cli("convert", "--int8", *formats, "--out", out, timeout=1500)
            assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def stick_bundle(bundles: Path, cli: RunCli) -> Iterator[Path]:
    """The Intel stick's bundle, made by the command; skips aloud without a Python 3.9."""
    from sticks import environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_FER_NCS", str(environment()))
        out = bundles.parent / "for-the-stick"
        with FileLock(bundles.parent.with_suffix(".lock")):
            if not out.is_dir():
                done = cli("convert", "--target", "ncs", "--out", out, timeout=1500)
                assert done.returncode == 0, done.stderr
        yield out / "xception-fp16-ncs"


@pytest.fixture(scope="session")
def tflite_bundle(bundles: Path) -> Path:
    return bundles / "xception-int8-tflite"


@pytest.fixture(scope="session")
def openvino_bundle(bundles: Path) -> Path:
    return bundles / "xception-int8-openvino"


@pytest.fixture(scope="session")
def calibration_faces() -> FaceBatch:
    """(N, 72, 72, 3) uint8 BGR faces without labels."""
    return check_faces(INPUT_SIZE)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
