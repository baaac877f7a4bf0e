"""A checkpoint is a folder: `weights.safetensors` and the recipe that made them.

No pickle, no Keras archive: opening one runs no code. Weights may be stored as float16; they are
float32 once read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge_fer.emotions import LABELS
from edge_fer.errors import CheckpointError, NotFound
from edge_fer.storage import write_file
from edge_fer.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

SCHEMA = "edge-fer/checkpoint/1"
WEIGHTS = "weights.safetensors"
RECORD = "checkpoint.json"
SHIPPED = Path(__file__).parent.parent / "pretrained"

Weights = dict[str, NDArray[Any]]
"""Layer and variable name, such as `block1_conv1/kernel`, to its values."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Float weights and everything that is known of how they came to be."""

    weights: Weights
    recipe: Recipe
    temperature: float = 1.0
    """Logits are divided by it before the softmax (Guo et al., ICML 2017)."""
    abstain_below: float = 0.0
    """Best probability under which the label is "uncertain"."""
    data: dict[str, Any] = field(default_factory=dict)
    """Spec, count and SHA-256 of the face list, for each split that was used."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """Figures by split."""
    made: dict[str, Any] = field(default_factory=dict)
    """Tools, versions and initial weights."""

    @property
    def sha256(self) -> str:
        """Hash over all that decides what the model answers."""
        digest = hashlib.sha256()
        for name in sorted(self.weights):
            digest.update(name.encode() + np.ascontiguousarray(self.weights[name]).tobytes())
        decisive = [self.recipe.to_json()["architecture"], self.temperature, list(LABELS)]
        digest.update(json.dumps(decisive, sort_keys=True).encode())
        return digest.hexdigest()

    def save(self, folder: Path, half: bool = False) -> None:
        """Write both files, leaving all else in the folder; `half` stores float16."""
        import safetensors.numpy

        kind = np.float16 if half else np.float32
        stored = _stored(self.weights, kind)
        payload = safetensors.numpy.save(stored)
        record = {
            "schema": SCHEMA,
            "identity": replace(self, weights=_read_back(stored)).sha256,
            "labels": list(LABELS),
            "weights": {"file": WEIGHTS, "sha256": hashlib.sha256(payload).hexdigest()},
            "recipe": self.recipe.to_json(),
            "temperature": self.temperature,
            "abstain_below": self.abstain_below,
            "data": self.data,
            "metrics": self.metrics,
            "made": self.made,
        }
        # The record goes last: it names the weights' hash, so a torn pair is refused, not used.
        write_file(folder / WEIGHTS, payload)
        write_file(folder / RECORD, (json.dumps(record, indent=1) + "\n").encode())

    @classmethod
    def load(cls, folder: Path) -> Checkpoint:
        """Read and verify a checkpoint; raises NotFound or CheckpointError naming the fault."""
        record, payload = _read(folder)
        try:
            _check_labels(folder, record["labels"])
            expected = record["weights"]["sha256"]
            checkpoint = cls(
                _weights(folder, payload, expected),
                Recipe.from_json(record["recipe"]),
                float(record["temperature"]),
                float(record["abstain_below"]),
                record["data"],
                record["metrics"],
                record["made"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f"{folder / RECORD}: missing or wrong field {error}") from error
        _check_record(folder, checkpoint)
        if expected_identity(record) not in (None, checkpoint.sha256):
            raise CheckpointError(
                f"{folder / RECORD}: architecture or temperature was changed after training; "
                "copy the checkpoint again"
            )
        return checkpoint

    def with_metrics(self, **metrics: Any) -> Checkpoint:
        """The same weights with further figures."""
        return replace(self, metrics={**self.metrics, **metrics})


def _stored(weights: Weights, kind: type) -> Weights:
    return {name: np.asarray(values, kind) for name, values in weights.items()}


def _read_back(stored: Weights) -> Weights:
    return {name: np.asarray(values, np.float32) for name, values in stored.items()}


def _check_record(folder: Path, checkpoint: Checkpoint) -> None:
    """Refuse numbers that would make a wrong model look whole."""
    wrong = [
        (
            "temperature",
            checkpoint.temperature,
            0.01 <= checkpoint.temperature <= 100,
            "0.01 to 100",
        ),
        ("abstain_below", checkpoint.abstain_below, 0 <= checkpoint.abstain_below <= 1, "0 to 1"),
    ]
    for key, value, fine, wanted in wrong:
        if not fine:
            raise CheckpointError(f"{folder / RECORD}: {key} is {value}, expected {wanted}")


def expected_identity(record: dict[str, Any]) -> str | None:
    """The hash over all that decides the answers, as it was when the record was written."""
    identity = record.get("identity")
    return None if identity is None else str(identity)


def weights_of(model: keras.Model) -> Weights:
    """The variables of all layers, as float32."""
    return {
        f"{layer.name}/{variable.name}": np.asarray(variable.numpy(), np.float32)
        for layer in model.layers
        for variable in layer.weights
        if "seed" not in variable.name
    }


def set_weights(model: keras.Model, weights: Weights) -> None:
    """Put `weights` into the layers of the same names; raises CheckpointError where they differ."""
    for layer in model.layers:
        for variable in layer.weights:
            name = f"{layer.name}/{variable.name}"
            if "seed" in variable.name:
                continue
            if name not in weights:
                raise CheckpointError(f"weights: {name} is missing")
            if tuple(weights[name].shape) != tuple(variable.shape):
                raise CheckpointError(
                    f"weights: {name} has shape {tuple(weights[name].shape)}, "
                    f"the recipe's network needs {tuple(variable.shape)}"
                )
            variable.assign(weights[name])


def _read(folder: Path) -> tuple[dict[str, Any], bytes]:
    if not (folder / RECORD).is_file():
        raise NotFound(f"{folder}: no checkpoint here ({RECORD} is missing); see `edge-fer train`")
    try:
        record = json.loads((folder / RECORD).read_text())
        payload = (folder / WEIGHTS).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{folder / WEIGHTS}: missing; copy the whole checkpoint folder") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{folder / RECORD}: cannot be read ({error})") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise CheckpointError(f"{folder / RECORD}: not an {SCHEMA} record")
    return record, payload


def _check_labels(folder: Path, labels: list[str]) -> None:
    if tuple(labels) != LABELS:
        raise CheckpointError(
            f"{folder / RECORD}: labels are {' '.join(map(str, labels))}; "
            f"edge-fer needs {' '.join(LABELS)} in this order"
        )


def _weights(folder: Path, payload: bytes, expected: str) -> Weights:
    import safetensors.numpy

    actual = hashlib.sha256(payload).hexdigest()
    if actual != expected:
        raise CheckpointError(
            f"{folder / WEIGHTS}: altered or damaged (SHA-256 {actual[:12]}, recorded "
            f"{expected[:12]}); copy the checkpoint again"
        )
    try:
        stored = safetensors.numpy.load(payload)
    except Exception as error:  # the library raises its own types, none of them public
        raise CheckpointError(f"{folder / WEIGHTS}: not a safetensors file ({error})") from error
    weights = _read_back(stored)
    broken = next((n for n, values in weights.items() if not np.isfinite(values).all()), None)
    if broken:
        raise CheckpointError(f"{folder / WEIGHTS}: {broken} holds NaN or infinity; train it again")
    return weights
