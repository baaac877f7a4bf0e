"""What a killed run needs to go on: all variables and the step, in one folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_fer.errors import CheckpointError
from edge_fer.storage import new_folder

VARIABLES = "variables.safetensors"
RECORD = "state.json"


def save(folder: Path, model: keras.Model, record: dict[str, Any]) -> None:
    """Write the model's and the optimizer's variables and the record, whole."""
    import safetensors.numpy

    variables = {
        f"{family}/{i}": np.asarray(variable.numpy(), order="C")
        for family, members in _families(model).items()
        for i, variable in enumerate(members)
    }
    with new_folder(folder) as scratch:
        (scratch / VARIABLES).write_bytes(safetensors.numpy.save(variables))
        (scratch / RECORD).write_text(json.dumps(record))


def load_record(folder: Path) -> dict[str, Any] | None:
    """The record of a stopped run, or None where there is none."""
    try:
        record = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{folder / RECORD}: cannot be read ({error}); remove {folder} to start afresh"
        ) from error
    return dict(record)


def restore(folder: Path, model: keras.Model, same_phase: bool) -> None:
    """Put the saved values back; the optimizer's only within the phase that wrote them."""
    import safetensors.numpy

    stored = safetensors.numpy.load_file(folder / VARIABLES)
    for family, members in _families(model).items():
        if family == "optimizer" and not same_phase:
            continue
        for i, variable in enumerate(members):
            variable.assign(stored[f"{family}/{i}"])


def _families(model: keras.Model) -> dict[str, list[Any]]:
    # By layer, not `model.variables`: its order changes with `trainable`.
    layers = [variable for layer in model.layers for variable in layer.variables]
    return {"model": layers, "optimizer": list(model.optimizer.variables)}
