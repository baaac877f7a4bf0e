"""What must stop a conversion: one line, the documented status, nothing half-written."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from conftest import Completed, RunCli

from converters import convert
from converters.order import Order
from edge_fer.errors import ConfigError, Refused
from edge_fer.progress import silent
from edge_fer.training.checkpoint import SHIPPED, Checkpoint
from edge_fer.training.recipe import Architecture


def one_line(done: Completed, status: int, said: str) -> None:
    last = done.stderr.strip().splitlines()[-1]
    assert (done.returncode, said in last) == (status, True), done.stderr
    assert "Traceback" not in done.stderr


def test_weights_that_are_no_numbers(tmp_path: Path, cli: RunCli) -> None:
    """Saved as training would save them: the hashes fit."""
    whole = Checkpoint.load(SHIPPED)
    name = sorted(whole.weights)[40]
    folder = tmp_path / "c"
    shutil.copytree(SHIPPED, folder)
    broken = whole.weights[name].copy()
    broken.flat[0] = np.nan
    whole.weights[name] = broken
    whole.save(folder)
    done = cli("convert", folder, "--int8", "--out", tmp_path / "out")
    one_line(done, 65, f"{name} holds NaN or infinity")
    assert not (tmp_path / "out").exists()


def test_an_input_size_below_71() -> None:
    with pytest.raises(ConfigError, match="size 70: Xception needs at least 71"):
        Architecture(size=70)


def test_a_checkpoint_whose_record_asks_for_less_than_71(tmp_path: Path, cli: RunCli) -> None:
    folder = tmp_path / "c"
    shutil.copytree(SHIPPED, folder)
    record = json.loads((folder / "checkpoint.json").read_text())
    record["recipe"]["architecture"]["size"] = 70
    (folder / "checkpoint.json").write_text(json.dumps(record))
    done = cli("convert", folder, "--int8", "--out", tmp_path / "out")
    one_line(done, 65, "size 70: Xception needs at least 71")


def test_a_calibration_set_that_is_too_small(tmp_path: Path, cli: RunCli) -> None:
    asked = ("--int8", "--data", "synthetic:faces=49", "--out", tmp_path / "out")
    one_line(cli("convert", *asked), 78, "49 faces in train, INT8 ranges need 50")
    assert not (tmp_path / "out").exists()


def test_a_calibration_set_without_a_class(tmp_path: Path, cli: RunCli) -> None:
    """Class folders, one of them missing."""
    picture = next(SHIPPED.parent.glob("datasets/*.png"))
    for split in ("train", "validation", "test"):
        for label in ("neutral", "happy", "sad", "surprise", "disgust", "anger"):
            for number in range(10):
                target = tmp_path / "faces" / split / label / f"{number}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(picture, target)
    asked = ("--int8", "--data", f"folder:{tmp_path / 'faces'}", "--out", tmp_path / "out")
    one_line(cli("convert", *asked), 78, "no faces of fear")


def stuck(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A head that says fear whatever it sees."""
    bias = weights["head/bias"].copy()
    bias[4] += 100
    return {**weights, "head/bias": bias}


def test_a_model_that_always_answers_one_class_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted behind the gate's parent: the model that is converted, not the one compared with."""
    whole = convert.folded_model

    def planted(checkpoint: Checkpoint) -> object:
        model = whole(checkpoint)
        head = model.get_layer("xception").get_layer("head")
        head.bias.assign(stuck({"head/bias": np.asarray(head.bias)})["head/bias"])
        return model

    monkeypatch.setattr(convert, "folded_model", planted)
    order = Order(formats=("onnx",), precisions=("int8",), out=tmp_path / "out")
    with pytest.raises(Refused, match="xception-int8-onnx: it always answers fear"):
        convert.convert(order, silent)
    assert not (tmp_path / "out").exists()


def test_no_space(tmp_path: Path, bundles: Path, cli: RunCli) -> None:
    """A file system of 30 MB, on which an older bundle lies."""
    full = tmp_path / "full"
    full.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(full)], check=False,
        capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        older = full / "xception-fp16-onnx"
        shutil.copytree(bundles / "xception-int8-tflite", older)
        before = {p.name: p.read_bytes() for p in older.iterdir()}
        done = cli("convert", "--fp16", "--format", "onnx", "--out", full)
        one_line(done, 74, "nothing was left behind")
        assert {p.name: p.read_bytes() for p in older.iterdir()} == before
        assert [p.name for p in full.iterdir()] == [older.name]
    finally:
        subprocess.run(["umount", str(full)], check=True)


def started(out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edge_fer.cli", "convert", "--fp32", "--format", "onnx"]
    return subprocess.Popen(
        [*command, "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", ["float model: 0/1", "float parent", "onnx fp32: 0/1", "gate"])
def test_an_interrupted_conversion_leaves_nothing(
    tmp_path: Path, number: signal.Signals, after: str
) -> None:
    """Stopped some moments after a step has told that it began."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with started(tmp_path / "out") as process:
        assert process.stderr is not None
        next((line for line in process.stderr if line.startswith(after)), None)
        time.sleep(random.Random(f"{number}{after}").uniform(0, 0.3))
        process.send_signal(number)
        rest = process.stderr.read()
        assert process.wait(240) == 128 + number, rest
    assert rest.strip().splitlines()[-1].startswith(f"edge-fer: stopped by {number.name}"), rest
    assert "Traceback" not in rest
    assert not list(tmp_path.glob("out/*")) and not list(tmp_path.glob("out/.*"))  # noqa: PT018


def test_the_stored_weights_are_what_was_broken() -> None:
    """The test above would prove nothing if the shipped weights held NaN themselves."""
    stored = safetensors.numpy.load((SHIPPED / "weights.safetensors").read_bytes())
    assert all(np.isfinite(values).all() for values in stored.values())
