"""The stick's engine: a real worker with its real runtime, on that runtime's CPU plugin."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sticks import SIDE, stick, stick_home, tiny

from edge_fer.bundle import Bundle
from edge_fer.engines import open_engine
from edge_fer.engines.myriad import MyriadEngine, layers_on_stick
from edge_fer.engines.myriad_process import ROOM, START_S
from edge_fer.engines.myriad_stick import need_libusb, stick_is_in
from edge_fer.errors import BundleError, ConfigError, EngineError, MissingExtra
from edge_fer.types import FaceBatch

__all__ = ["stick", "stick_home", "tiny"]  # fixtures
PATIENCE_S = 60


UNIT = Path(__file__).parents[2] / "deploy" / "edge-fer.service"


def test_a_stick_that_hangs_is_named_before_systemd_ends_the_daemon() -> None:
    settings = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if "=" in line)
    assert float(settings["TimeoutStartSec"]) >= START_S + 10


@pytest.fixture
def engine(stick: Path, tiny: Bundle) -> MyriadEngine:
    return MyriadEngine(tiny, 2, "CPU")


def coloured(count: int) -> FaceBatch:
    """Faces that are blue, green, red, blue ..."""
    faces = np.zeros((count, SIDE, SIDE, 3), np.uint8)
    for number in range(count):
        faces[number, :, :, number % 3] = 255
    return faces


def pid_of(engine: MyriadEngine) -> int:
    return engine._worker._process.pid


def is_running(pid: int) -> bool:
    """Neither gone nor a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool]) -> bool:
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit and not condition():
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("count", [0, 1, 2, 3, ROOM, ROOM + 1, 2 * ROOM + 5])
def test_every_face_of_a_batch_gets_its_own_scores(engine: MyriadEngine, count: int) -> None:
    scores = engine.infer(coloured(count))
    assert scores.shape == (count, 7)
    assert (scores.argmax(1) == np.arange(count) % 3).all()


def test_a_byte_arrives_as_it_was_sent(engine: MyriadEngine) -> None:
    """The kernel gives 0.05 a step: 255 and 254 lie that far apart before the softmax."""
    faces = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    faces[..., 0], faces[..., 1] = 255, 254
    (scores,) = engine.infer(faces)
    assert np.log(scores[0] / scores[1]) == pytest.approx(0.05, abs=0.005)


def test_faces_that_lie_apart_in_memory_give_the_same(engine: MyriadEngine) -> None:
    apart = np.asfortranarray(coloured(4))
    assert (engine.infer(apart) == engine.infer(coloured(4))).all()


def test_it_names_the_runtime_and_what_really_ran(engine: MyriadEngine) -> None:
    said = (engine.runtime, engine.device, engine.precision)
    assert said == ("openvino 2021.4.2", "CPU", "fp32")


def test_faces_of_another_shape_are_refused(engine: MyriadEngine) -> None:
    with pytest.raises(ValueError, match="need uint8"):
        engine.infer(np.zeros((1, 9, SIDE, 3), np.uint8))


def test_every_layer_finds_its_place_on_a_stick_without_one(stick: Path, tiny: Bundle) -> None:
    layers = tiny.file(".xml").count(b"<layer ")
    assert layers_on_stick("tiny", tiny.files, SIDE) == layers


def test_a_layer_that_no_stick_can_run_is_named(stick: Path, tiny: Bundle) -> None:
    """Atanh is in the opset and in no Myriad plugin."""
    graph = tiny.file(".xml").replace(
        b'type="SoftMax" version="opset1"', b'type="Atanh" version="opset4"'
    )
    with pytest.raises(BundleError, match=r"MYRIAD cannot run .*Softmax"):
        layers_on_stick("odd", {**tiny.files, "model.xml": graph}, SIDE)


def test_no_stick_is_one_line(stick: Path, tiny: Bundle) -> None:
    if stick_is_in():
        pytest.skip("a stick is plugged in")
    with pytest.raises(EngineError, match=r"tiny: .*NC_ERROR.*no stick is plugged in") as raised:
        MyriadEngine(tiny, 2)
    assert "\n" not in str(raised.value)


def test_no_environment_names_the_command(
    tmp_path: Path, tiny: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_FER_NCS", str(tmp_path / "none"))
    with pytest.raises(MissingExtra, match=r"none: .*is not there: edge-fer setup-ncs"):
        MyriadEngine(tiny, 2, "CPU")


def test_a_half_made_environment_is_not_used(
    tmp_path: Path, tiny: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_FER_NCS", str(tmp_path))
    with pytest.raises(MissingExtra, match="is not whole"):
        MyriadEngine(tiny, 2, "CPU")


def test_libusb_that_is_missing_names_its_package() -> None:
    with pytest.raises(MissingExtra, match=r"apt-get install libusb-1\.0-0"):
        need_libusb("libusb-of-no-system.so.0")


def test_a_stick_is_known_by_its_vendor(tmp_path: Path) -> None:
    for name, vendor in (("1-1", "1d6b"), ("1-2", "03e7")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "idVendor").write_text(f"{vendor}\n")
    assert stick_is_in(tmp_path)
    (tmp_path / "1-2" / "idVendor").unlink()
    assert not stick_is_in(tmp_path)


def test_an_unknown_device_is_refused(tiny: Bundle) -> None:
    with pytest.raises(ConfigError, match="--device GPU: the engine ncs runs on MYRIAD, CPU"):
        open_engine(tiny, 2, "GPU")


def test_bytes_that_are_no_model_are_refused(stick: Path, tiny: Bundle) -> None:
    garbage = replace(tiny, files=dict.fromkeys(tiny.files, b"no model" * 99))
    with pytest.raises(BundleError, match="refuses the model"):
        MyriadEngine(garbage, 2, "CPU")


def test_a_manifest_with_another_input_size_is_refused(stick: Path, tiny: Bundle) -> None:
    other = replace(tiny, manifest=replace(tiny.manifest, input_size=9))
    with pytest.raises(BundleError, match=r"\[1, 8, 8, 3\].*\[1, 9, 9, 3\]"):
        MyriadEngine(other, 2, "CPU")


def test_b1_a_worker_that_dies_is_an_error_and_stays_one(engine: MyriadEngine) -> None:
    os.kill(pid_of(engine), signal.SIGKILL)
    for said in ("tiny: its worker process ended with SIGKILL", "tiny: its worker process has en"):
        with pytest.raises(EngineError, match=said):
            engine.infer(coloured(1))
    assert not Path(f"/proc/{pid_of(engine)}").exists()


def test_b1_a_worker_that_hangs_is_ended(
    engine: MyriadEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_fer.engines.myriad_process.ANSWER_S", 0.2)
    os.kill(pid_of(engine), signal.SIGSTOP)
    with pytest.raises(EngineError, match="no answer"):
        engine.infer(coloured(1))
    assert not Path(f"/proc/{pid_of(engine)}").exists()


def test_signals_of_a_terminal_leave_the_worker_to_its_parent(engine: MyriadEngine) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid_of(engine), number)
    assert engine.infer(coloured(2)).argmax(1).tolist() == [0, 1]


def test_an_engine_that_nobody_holds_leaves_no_process(stick: Path, tiny: Bundle) -> None:
    engine = MyriadEngine(tiny, 2, "CPU")
    pid = pid_of(engine)
    assert is_running(pid)
    del engine
    gc.collect()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("stopped", [False, True])
def test_the_worker_dies_with_its_parent(stick: Path, tiny: Bundle, stopped: bool) -> None:
    """Also one that stands still, as in a driver: the kernel does it, not the worker."""
    script = (
        "import sys; from pathlib import Path; from edge_fer.bundle import open_bundle; "
        "from edge_fer.engines.myriad import MyriadEngine; "
        f"e = MyriadEngine(open_bundle(Path({str(tiny.path)!r})), 1, 'CPU'); "
        "print(e._worker._process.pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        if stopped:
            os.kill(pid, signal.SIGSTOP)
        parent.kill()
    assert until(lambda: not is_running(pid))
