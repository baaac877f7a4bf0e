"""The parent in Keras, in full or mixed precision: on a GPU if Keras sees one, else on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.keras_device import describe
from edge_fer.errors import ConfigError
from edge_fer.training.checkpoint import Checkpoint, set_weights
from edge_fer.training.model import build
from edge_fer.types import FaceBatch, ScoreBatch

MOST = 1024
"""Faces at once at most: beyond it a batch of bytes alone is hundreds of megabytes."""
POLICIES = {"fp32": "float32", "bf16": "mixed_bfloat16", "fp16": "mixed_float16"}
"""Our word for a precision and Keras'."""


class Baseline:
    """A checkpoint as an engine: bytes in, calibrated probabilities out.

    `fp32` is float32 throughout; `bf16` and `fp16` multiply in the shorter type and keep weights
    and the head in float32.
    """

    def __init__(self, path: Path, threads: int, precision: str = "fp32") -> None:
        checkpoint = Checkpoint.load(path)
        if precision not in POLICIES:
            raise ConfigError(f"precision {precision!r}: choose from {', '.join(POLICIES)}")
        self.precision = precision
        _prepare(threads)
        keras.mixed_precision.set_global_policy(POLICIES[precision])
        model = build(checkpoint.recipe.architecture)
        set_weights(model, checkpoint.weights)
        self.runtime = f"keras {keras.__version__} {_backend_version()}"
        self._scores = _compiled(model, checkpoint.temperature)
        self.facts = self._facts(checkpoint, threads)
        self.device = str(self.facts["device"])

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """(N, H, W, 3) uint8 BGR to (N, 7) float32 probabilities."""
        parts = [self._scores(faces[i : i + MOST]) for i in range(0, len(faces), MOST)]
        return np.concatenate([np.asarray(keras.ops.convert_to_numpy(p)) for p in parts])

    def _facts(self, checkpoint: Checkpoint, threads: int) -> dict[str, Any]:
        return {
            "format": "keras",
            "precision_asked": self.precision,
            "precision_executed": self.precision,
            "runtime": self.runtime,
            "device": describe()["name"],
            "threads": threads,
            "input_size": checkpoint.recipe.architecture.size,
            "size_bytes": sum(values.nbytes for values in checkpoint.weights.values()),
            "sha256": checkpoint.sha256,
            "parent": None,
        }


def _compiled(model: keras.Model, temperature: float) -> Callable[[FaceBatch], Any]:
    """The model's scores as one graph, each batch shape traced once.

    `Model.predict` costs milliseconds a call: a baseline that pays them would flatter the bundles.
    """

    def scores(faces: Any) -> Any:
        logits = keras.ops.cast(model(keras.ops.cast(faces, "float32"), training=False), "float32")
        return keras.ops.softmax(logits / temperature)

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(scores)  # type: ignore[no-any-return]
    if backend == "jax":
        import jax

        return jax.jit(scores)  # type: ignore[no-any-return]
    import torch

    return torch.inference_mode()(scores)  # type: ignore[no-any-return]


def _prepare(threads: int) -> None:
    """As many threads as the bundles get, and no shortened float32."""
    # TF32 keeps ten bits of mantissa: not the full precision that bundles are compared with.
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_tensor_float_32_execution(False)
    elif backend == "jax":  # takes its threads from the cores that the process is held to
        import jax

        jax.config.update("jax_default_matmul_precision", "float32")
    elif backend == "torch":
        import torch

        torch.set_num_threads(threads)
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False


def _backend_version() -> str:
    name = keras.backend.backend()
    return f"on {name} {metadata.version(name)}"
