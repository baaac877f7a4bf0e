"""Someone else's Keras classifier as a bundle: opened with care, told in our terms, gated as ours.

The file is read by `converters.keras_file` without Keras and by `converters.keras_child` in a
process of its own; here the network is built anew from a configuration that was found harmless.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from converters import keras_file
from edge_fer.emotions import LABELS
from edge_fer.errors import BadData, ConfigError
from edge_fer.notices import notice
from edge_fer.types import FaceBatch, ScoreBatch

COLOURS = ("rgb", "bgr", "grey")
SCALES = {"0..255": (1.0, 0.0), "0..1": (1 / 255, 0.0), "-1..1": (1 / 127.5, -1.0)}
"""What the network takes a byte as: factor and offset."""
LUMA_BGR = (0.114, 0.587, 0.299)
"""ITU-R BT.601, as OpenCV uses."""
PATIENCE_S = 900
"""For opening one file; TensorFlow alone takes ten seconds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a Keras file does not say: its labels, and how it takes a picture."""

    labels: tuple[str, ...]
    """Its classes in its own order, by our names."""
    colour: str = "rgb"
    scale: str = "0..255"

    def __post_init__(self) -> None:
        if sorted(self.labels) != sorted(LABELS):
            raise ConfigError(
                f"--labels {','.join(self.labels)}: name each of {', '.join(LABELS)} once, in the "
                "order of the model's own classes"
            )
        if self.colour not in COLOURS:
            raise ConfigError(f"--colour {self.colour}: choose from {', '.join(COLOURS)}")
        if self.scale not in SCALES:
            raise ConfigError(f"--scale {self.scale}: choose from {', '.join(SCALES)}")


@dataclass(frozen=True, slots=True)
class Foreign:
    """A model in our terms."""

    model: keras.Model
    """(1, size, size, 3) float32 BGR bytes to (1, 7) probabilities in our order."""
    size: int
    sha256: str
    """Of the file."""
    name: str

    def scores(self, faces: FaceBatch) -> ScoreBatch:
        """(N, 7) probabilities of (N, size, size, 3) uint8 faces."""
        rows = [np.asarray(self.model(face[None].astype(np.float32)))[0] for face in faces]
        return np.asarray(rows, np.float32)


def open_foreign(path: Path, terms: Terms) -> Foreign:
    """A `.keras` file as a model in our terms.

    Raises NotFound, BadData naming what is refused in it, or ConfigError for a model that is no
    classifier of one square picture into seven.
    """
    if path.suffix != ".keras":
        raise BadData(f"{path}: save it as .keras (Keras 3) first: older formats hold code")
    config = keras_file.scan(path)
    core = _built(path, config)
    try:
        core.set_weights(_weights(path))
    except ValueError as error:
        raise BadData(f"{path}: weights do not fit the network ({_one_line(error)})") from error
    _check_finite(path, core)
    size = _side(path, core, terms)
    _order_labels(path, core, terms)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Foreign(_in_our_terms(core, size, terms), size, digest, path.stem)


def _built(path: Path, config: dict[str, Any]) -> Any:
    keras.mixed_precision.set_global_policy("float32")
    try:
        core = keras.saving.deserialize_keras_object(config, safe_mode=True)
    except Exception as error:  # a configuration can be wrong in as many ways as Keras has layers
        raise BadData(f"{path}: Keras cannot build this network ({_one_line(error)})") from error
    if not isinstance(core, keras.Model):
        raise BadData(f"{path}: holds a {type(core).__name__}, not a model")
    return core


def _weights(path: Path) -> list[NDArray[Any]]:
    """Read by a child that has no network and an empty home."""
    with tempfile.TemporaryDirectory() as home:
        target = Path(home) / "weights.npz"
        command = [sys.executable, "-m", "converters.keras_child", str(path), str(target)]
        kept = {
            name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ
        }
        bare = {**kept, "HOME": home, "TMPDIR": home, "KERAS_HOME": home}
        try:
            done = subprocess.run(
                command, env=bare, capture_output=True, text=True, timeout=PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise BadData(f"{path}: opening it took over {PATIENCE_S} s") from error
        if done.returncode or not target.is_file():
            said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise BadData(f"{path}: cannot be opened ({said[-1][:200]})")
        for line in done.stdout.splitlines():
            if line.startswith("network:"):
                notice(
                    f"{path}: opened without a network of its own to be shut in; {line}", "warning"
                )
        with np.load(target, allow_pickle=False) as arrays:
            return [arrays[name] for name in sorted(arrays.files)]


def _check_finite(path: Path, core: Any) -> None:
    for variable in core.weights:
        if not np.isfinite(np.asarray(variable, np.float64)).all():
            raise BadData(f"{path}: {variable.path} holds NaN or infinity")


def _side(path: Path, core: Any, terms: Terms) -> int:
    shapes = [tuple(entry.shape) for entry in core.inputs]
    channels = 1 if terms.colour == "grey" and shapes[0][-1] == 1 else 3
    fits = len(shapes) == 1 and len(shapes[0]) == 4 and shapes[0][1] == shapes[0][2]
    if not fits or shapes[0][1] is None or shapes[0][-1] != channels:
        raise ConfigError(
            f"{path}: takes {shapes}; one square picture of a fixed size in {channels} channels "
            f"is needed (--colour {terms.colour})"
        )
    if len(core.outputs) != 1 or core.outputs[0].shape[1:] != (len(LABELS),):
        found = [tuple(result.shape) for result in core.outputs]
        raise ConfigError(f"{path}: gives {found}, not {len(LABELS)} scores")
    return int(shapes[0][1])


def _order_labels(path: Path, core: Any, terms: Terms) -> None:
    """Turn the columns of the last matrix into our order: exact, and of no cost."""
    last = _last_matrix(path, core)
    order = [terms.labels.index(label) for label in LABELS]
    last.kernel.assign(np.asarray(last.kernel)[:, order])
    if last.use_bias:
        last.bias.assign(np.asarray(last.bias)[order])


def _last_matrix(path: Path, core: Any) -> Any:
    """The Dense behind which only activations stand."""
    for layer in reversed(core.layers):
        if isinstance(layer, keras.Model):
            return _last_matrix(path, layer)
        if isinstance(layer, keras.layers.Dense) and layer.units == len(LABELS):
            return layer
        if not isinstance(layer, (keras.layers.Activation, keras.layers.Softmax)):
            break
    raise ConfigError(f"{path}: its last layer is no Dense of {len(LABELS)} classes")


def _in_our_terms(core: Any, size: int, terms: Terms) -> keras.Model:
    """Bytes in by one 1x1 convolution in front, probabilities out by a softmax where it lacks."""
    channels = int(core.inputs[0].shape[-1])
    pixels = keras.layers.Conv2D(channels, 1, name="pixels")
    faces = keras.Input((size, size, 3), batch_size=1, dtype="float32", name="faces")
    answer = core(pixels(faces), training=False)
    factor, offset = SCALES[terms.scale]
    kernel = _colour_kernel(terms.colour, channels) * factor
    pixels.set_weights([kernel[None, None].astype(np.float32), np.full(channels, offset)])
    if not _ends_in_softmax(core):
        answer = keras.layers.Softmax(name="scores")(answer)
    return keras.Model(faces, answer, name="edge_fer")


def _colour_kernel(colour: str, channels: int) -> NDArray[np.float64]:
    """(3, channels): a BGR row vector times this gives what the network takes."""
    if colour == "grey":
        return np.repeat(np.array(LUMA_BGR)[:, None], channels, axis=1)
    return np.eye(3)[:, ::-1] if colour == "rgb" else np.eye(3)


def _ends_in_softmax(core: Any) -> bool:
    last = core.layers[-1]
    if isinstance(last, keras.Model):
        return _ends_in_softmax(last)
    if isinstance(last, keras.layers.Softmax):
        return True
    return bool(keras.activations.serialize(last.activation) == "softmax")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def labels_of(text: str) -> Sequence[str]:
    """The names in `--labels a,b,c`."""
    return tuple(name.strip() for name in text.split(","))
