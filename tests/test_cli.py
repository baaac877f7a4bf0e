"""The command line as a user meets it: one clear line, the documented status, no traceback."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import ROOT, RunCli
from jsonschema import Draft202012Validator

from edge_fer.emotions import LABELS

SCHEMA = json.loads((ROOT / "edge_fer" / "sinks" / "event.schema.json").read_text())


def events(stdout: str) -> list[dict[str, Any]]:
    """The events of a run, each checked against the shipped schema."""
    found = [json.loads(line) for line in stdout.splitlines()]
    for event in found:
        Draft202012Validator(SCHEMA).validate(event)
    return found


def updates(stdout: str) -> list[dict[str, Any]]:
    return [event for event in events(stdout) if event["type"] == "update"]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four frames without a face."""
    path = tmp_path / "clip.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for level in (40, 80, 120, 160):
        video.write(np.full((48, 64, 3), level, np.uint8))
    video.release()
    return path


def test_drawn_faces_are_found_and_told_by_the_default_detector(
    cli: RunCli, tflite_bundle: Path
) -> None:
    camera = "synthetic:faces=2,frames=40,live=no"
    done = cli("run", "--camera", camera, "--bundle", tflite_bundle)
    assert done.returncode == 0, done.stderr
    told = updates(done.stdout)
    assert len(told) == 40
    assert sum(event["faces_total"] >= 2 for event in told) >= 36
    assert all(face["emotion"] in (*LABELS, "uncertain") for e in told for face in e["faces"])
    assert "detector" in done.stderr
    assert str(tflite_bundle) in done.stderr


def test_the_openvino_bundle_runs_the_same_way(cli: RunCli, openvino_bundle: Path) -> None:
    camera = "synthetic:frames=5,live=no"
    done = cli("run", "--camera", camera, "--bundle", openvino_bundle)
    assert done.returncode == 0, done.stderr
    assert [event["engine"] for event in updates(done.stdout)] == ["openvino"] * 5


def test_without_a_bundle_the_newest_is_taken_and_named(
    cli: RunCli, bundles: Path, tmp_path: Path
) -> None:
    arguments = ("run", "--camera", "synthetic:frames=1,live=no")
    options: dict[str, Any] = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    done = cli(*arguments, **options)
    assert done.returncode == 78
    assert "bundles: no bundle here; make one with `edge-fer convert --int8`" in done.stderr
    shutil.copytree(bundles, tmp_path / "bundles")
    done = cli(*arguments, **options)
    assert done.returncode == 0, done.stderr
    assert "bundle bundles/xception-int8-" in done.stderr


def test_a_video_without_a_face_ends_with_0_and_an_event_a_frame(
    cli: RunCli, tflite_bundle: Path, clip: Path
) -> None:
    done = cli("run", "--camera", f"video:{clip}", "--bundle", tflite_bundle)
    assert done.returncode == 0, done.stderr
    assert [event["faces"] for event in updates(done.stdout)] == [[]] * 4


def flipped(bundle: Path, copy: Path) -> Path:
    shutil.copytree(bundle, copy)
    model = next(copy.glob("model.*"))
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    return copy


def relabelled(bundle: Path, copy: Path) -> Path:
    shutil.copytree(bundle, copy)
    record = json.loads((copy / "manifest.json").read_text())
    record["labels"].reverse()
    (copy / "manifest.json").write_text(json.dumps(record))
    return copy


def test_a_flipped_bit_stops_the_run(cli: RunCli, tflite_bundle: Path, tmp_path: Path) -> None:
    done = cli("run", "--camera", "synthetic:", "--bundle", flipped(tflite_bundle, tmp_path / "b"))
    assert (done.returncode, done.stdout) == (78, "")
    assert "altered or damaged" in done.stderr


def test_another_label_order_stops_the_run(
    cli: RunCli, tflite_bundle: Path, tmp_path: Path
) -> None:
    bundle = relabelled(tflite_bundle, tmp_path / "b")
    done = cli("run", "--camera", "synthetic:", "--bundle", bundle)
    assert (done.returncode, done.stdout) == (78, "")
    assert "edge-fer needs ['neutral'" in done.stderr


@pytest.mark.parametrize(
    ("camera", "status", "said"),
    [
        ("ftp:x", 78, "unknown camera 'ftp'"),
        ("video:/nowhere.mp4", 66, "/nowhere.mp4: no such video file"),
        ("images:/nowhere", 66, "/nowhere"),
        ("images:EMPTY", 65, "empty.png: is empty (0 bytes)"),
        ("images:TEXT", 65, "text.png: is not a readable picture"),
        ("video:TEXT", 65, "not a video"),
        ("synthetic:faces=x", 78, "faces"),
    ],
)
def test_a_camera_that_cannot_be_is_one_line(
    cli: RunCli, tflite_bundle: Path, tmp_path: Path, camera: str, status: int, said: str
) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    spec = camera.replace("EMPTY", f"{tmp_path}/empty.png").replace("TEXT", f"{tmp_path}/text.png")
    done = cli("run", "--camera", spec, "--bundle", tflite_bundle)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_absent_camera_does_not_end_the_daemon_and_a_signal_does(
    tflite_bundle: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "edge_fer.cli", "run", "--camera", "/dev/video99"]
    with subprocess.Popen(
        [*command, "--bundle", str(tflite_bundle)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        first = [json.loads(child.stdout.readline()) for _ in range(2)]
        child.send_signal(number)
        _, said = child.communicate(timeout=60)
    assert [e.get("camera_state") for e in first] == [None, "lost"]
    assert child.returncode == 0
    assert "/dev/video99" in said
    assert "Traceback" not in said


def test_g2_sighup_takes_the_file_again_or_keeps_the_old_one(
    tflite_bundle: Path, tmp_path: Path
) -> None:
    path = tmp_path / "edge-fer.toml"
    text = f'camera = "synthetic:"\nbundle = "{tflite_bundle}"\n'
    path.write_text(text)
    command = [sys.executable, "-m", "edge_fer.cli", "run", "--config", str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        while json.loads(child.stdout.readline())["type"] != "update":
            pass
        path.write_text(text + "abstain-below = 1\n")
        child.send_signal(signal.SIGHUP)
        while json.loads(child.stdout.readline())["type"] != "hello":
            pass
        while not (event := json.loads(child.stdout.readline())).get("faces"):
            pass
        assert event["faces"][0]["emotion"] == "uncertain"
        path.write_text(text + "abstain-bellow = 1\n")
        child.send_signal(signal.SIGHUP)
        while "stays" not in (line := child.stderr.readline()):
            pass
        assert f"{path}:3 abstain-bellow: unknown key; did you mean abstain-below?" in line
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)
    assert child.returncode == 0


def test_a_check_answers_as_a_start_would(cli: RunCli, tflite_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "edge-fer.toml"
    good = f'camera = "/dev/video99"\nbundle = "{tflite_bundle}"\npurpose = "art"\n'
    path.write_text(good + f'[jsonl]\nfile = "{tmp_path}/e.jsonl"\n')
    done = cli("run", "--config", path, "--check")
    assert done.returncode == 0, done.stderr
    assert "/dev/video99" in done.stderr
    assert done.stderr.endswith("edge-fer: the configuration is good\n")
    path.write_text(good + "\n[http]\naddress = '0.0.0.0'\n")
    done = cli("run", "--config", path, "--check")
    assert done.returncode == 78
    assert f"{path}:5 http: http: 0.0.0.0 can be reached by other machines" in done.stderr
    done = cli(
        "run", "--config", path, "--check", "--bundle", flipped(tflite_bundle, tmp_path / "b")
    )
    assert (done.returncode, "altered or damaged" in done.stderr) == (78, True)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("run", "--sink", "jsonl:x.jsonl"), 78, "purpose is not stated"),
        (("run", "--sink", "jsonl:x", "--purpose", "workplace"), 78, "Art. 5(1)(f)"),
        (("run", "--detector", "yolo", "--camera", "synthetic:"), 78, "unknown detector 'yolo'"),
        (("run", "--threads", "0"), 78, "threads"),
        (("run", "--threads", "100000"), 78, "cores of this machine"),
        (("train", "--data", "synthetic:", "--out", "r", "--rate", "nan"), 78, "rate is nan"),
        (("bench", "--data", "fer2013:/nowhere"), 66, "/nowhere"),
        (("bench", "--split", "holdout", "--data", "synthetic:"), 78, "holdout"),
        (("train", "--data", "synthetic:", "--out", "r", "--size", "64"), 78, "at least 71"),
        (("train", "--data", "synthetic:", "--out", "r", "--init", "no.h5"), 66, "no.h5"),
        (("train", "--data", "fer2013:/nowhere", "--out", "r"), 66, "/nowhere"),
        (("train", "--data", "synthetic:", "--out", "r", "--precision", "int1"), 78, "int1"),
    ],
)
def test_a_wrong_argument_is_one_line(
    cli: RunCli, tflite_bundle: Path, tmp_path: Path, arguments: tuple[str, ...], status: int,
    said: str,
) -> None:  # fmt: skip
    bundle = ("--bundle", tflite_bundle) if arguments[0] == "run" else ()
    if arguments[0] == "bench":
        bundle = (tflite_bundle,)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = cli(*arguments, *bundle, cwd=tmp_path, env=environment)
    assert (done.returncode, said in done.stderr + done.stdout) == (status, True), done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_option_is_the_parsers_own_2(cli: RunCli) -> None:
    assert cli("run", "--colour", "red").returncode == 2


def test_help_is_shown_without_a_command(cli: RunCli) -> None:
    assert "convert" in cli("--help").stdout


def test_the_commands_start_without_heavy_imports() -> None:
    """`edge-fer run` on a board must not wait for a workshop it does not have."""
    code = (
        "import sys, edge_fer.cli, edge_fer.daemon.main\n"
        "heavy = {'tensorflow', 'keras', 'openvino', 'nncf', 'matplotlib', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_extra_names_the_command_that_brings_it(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'nncf', 'openvino'): sys.modules[name] = None\n"
        "sys.argv = ['edge-fer', 'convert', '--int8']\n"
        "from edge_fer.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 69
    assert "pip install 'edge-fer[" in done.stderr
    assert "Traceback" not in done.stderr
