"""A classifier of someone else's, through the same gate."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from conftest import RunCli
from keras import layers

from converters import foreign
from converters.foreign import Terms, open_foreign
from edge_fer.bundle import open_bundle
from edge_fer.emotions import LABELS
from edge_fer.engines import open_engine
from edge_fer.errors import BadData, ConfigError
from edge_fer.types import FaceBatch

SIDE = 48
THEIRS = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's own order."""


def small(channels: int = 3, softmax: bool = True, side: int = SIDE) -> keras.Model:
    keras.utils.set_random_seed(5)
    face = keras.Input((side, side, channels))
    x = layers.RandomFlip()(face)
    x = layers.Conv2D(8, 3, strides=2, padding="same", kernel_regularizer="l2")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Add()([x, layers.SeparableConv2D(8, 3, padding="same", activation="relu")(x)])
    x = layers.Dropout(0.2)(layers.Flatten()(layers.MaxPooling2D(4)(x)))
    return keras.Model(face, layers.Dense(7, activation="softmax" if softmax else None)(x))


@pytest.fixture
def faces(rng: np.random.Generator) -> FaceBatch:
    return rng.integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)


def saved(model: keras.Model, folder: Path) -> Path:
    model.save(folder / "their.keras")
    return folder / "their.keras"


def ours(scores: np.ndarray) -> np.ndarray:
    """Columns from their order to ours."""
    return scores[:, [THEIRS.index(label) for label in LABELS]]


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


@pytest.mark.parametrize("colour", ["rgb", "bgr"])
def test_labels_colours_and_scale_are_told_in_our_terms(
    tmp_path: Path, faces: FaceBatch, colour: str
) -> None:
    theirs = small()
    opened = open_foreign(saved(theirs, tmp_path), Terms(THEIRS, colour, "-1..1"))
    seen = faces[..., ::-1] if colour == "rgb" else faces
    wanted = ours(np.asarray(theirs(seen.astype(np.float32) / 127.5 - 1, training=False)))
    assert np.abs(opened.scores(faces) - wanted).max() < 1e-5


def test_one_channel_and_logits_are_taken_too(tmp_path: Path, faces: FaceBatch) -> None:
    theirs = small(channels=1, softmax=False)
    opened = open_foreign(saved(theirs, tmp_path), Terms(THEIRS, "grey", "0..1"))
    luma = faces.astype(np.float32) @ np.array([0.114, 0.587, 0.299], np.float32)
    wanted = ours(softmax(np.asarray(theirs(luma[..., None] / 255, training=False))))
    assert np.abs(opened.scores(faces) - wanted).max() < 1e-5


@pytest.mark.parametrize("labels", [LABELS[:6], (*LABELS[:6], "joy"), (*LABELS[:6], "fear")])
def test_labels_that_are_not_the_seven_are_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="once, in the order of the model's own classes"):
        Terms(labels)


@pytest.mark.parametrize(("name", "value"), [("colour", "hsv"), ("scale", "0..2")])
def test_terms_that_are_not_known_are_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"--{name} {value}: choose from"):
        Terms(THEIRS, **{name: value})


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    model = small()
    model.layers[-1].bias.assign([np.nan] * 7)
    with pytest.raises(BadData, match="holds NaN or infinity"):
        open_foreign(saved(model, tmp_path), Terms(THEIRS))


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="in 3 channels is needed"):
        open_foreign(saved(small(channels=1), tmp_path), Terms(THEIRS))


def test_an_older_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "m.h5").write_bytes(b"\x89HDF")
    with pytest.raises(BadData, match=r"save it as \.keras"):
        open_foreign(tmp_path / "m.h5", Terms(THEIRS))


def test_the_child_has_neither_network_nor_home(tmp_path: Path) -> None:
    """Told by the child itself, in place of a model."""
    program = (
        "import resource, socket; from converters.keras_child import shut_in; shut_in()\n"
        "print(sorted(name for _, name in socket.if_nameindex()))\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0])\n"
        "s = socket.socket(); s.settimeout(2)\n"
        "try: s.connect(('192.0.2.1', 9)); print('connected')\n"
        "except OSError as error: print(type(error).__name__, error.errno)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    told = done.stdout.splitlines()
    if told[0].startswith("network: still there"):
        pytest.skip(told[0])
    assert told[:2] == ["['lo']", "0"]
    assert told[2] == "OSError 101"  # network is unreachable


def test_a_network_that_stays_within_reach_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The child's own words, where a kernel forbids what shuts it in."""
    path = saved(small(), tmp_path)
    real = subprocess.run

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        done = real(command, **options)
        done.stdout += "network: still there (Operation not permitted)\n"
        return done

    monkeypatch.setattr(foreign.subprocess, "run", run)
    open_foreign(path, Terms(THEIRS, "rgb", "0..1"))
    assert "network: still there" in capsys.readouterr().err


def test_the_stick_is_refused_at_the_door(tmp_path: Path, cli: RunCli) -> None:
    path = saved(small(), tmp_path)
    done = cli("convert", path, "--target", "ncs", "--labels", ",".join(THEIRS))
    assert done.returncode == 78
    assert "Intel stick (ncs) are made of this project's own network alone" in done.stderr


def test_it_goes_through_the_gate_into_a_bundle(
    tmp_path: Path, cli: RunCli, faces: FaceBatch
) -> None:
    theirs = small()
    path = saved(theirs, tmp_path)
    asked = ("--labels", ",".join(THEIRS), "--scale", "0..1", "--out", tmp_path / "out")
    done = cli("convert", path, "--fp32", "--format", "tflite", "--format", "onnx", *asked)
    assert done.returncode == 0, done.stderr
    wanted = ours(np.asarray(theirs(faces[..., ::-1].astype(np.float32) / 255, training=False)))
    for name in ("tflite", "onnx"):
        bundle = open_bundle(tmp_path / "out" / f"their-fp32-{name}")
        assert bundle.manifest.gate["agreement"]["value"] == 1
        assert np.abs(open_engine(bundle).infer(faces) - wanted).max() < 1e-4


def test_int8_needs_faces(tmp_path: Path, cli: RunCli) -> None:
    path = saved(small(), tmp_path)
    done = cli("convert", path, "--int8", "--labels", ",".join(THEIRS), "--out", tmp_path / "out")
    assert (done.returncode, "needs --data" in done.stderr) == (78, True), done.stderr
    assert not (tmp_path / "out").exists()
