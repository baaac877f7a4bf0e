"""What a killed run needs to go on: all variables and the step, in one file.

One file, not a folder: it is replaced by a single rename, so a kill finds the old state or the new.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_fer.errors import CheckpointError
from edge_fer.storage import write_file

NAME = "state.safetensors"
RECORD = "record"
"""Key of the JSON among the file's own metadata."""
OLDER = "state"
"""The folder in which earlier versions kept theirs."""


def save(
    file: Path, model: keras.Model, optimizer: keras.Optimizer | None, record: dict[str, Any]
) -> None:
    """Write the variables of both and the record, whole; raises StorageError."""
    import safetensors.numpy

    variables = {
        f"{family}/{i}": np.asarray(keras.ops.convert_to_numpy(variable), order="C")
        for family, members in _families(model, optimizer).items()
        for i, variable in enumerate(members)
    }
    write_file(file, safetensors.numpy.save(variables, {RECORD: json.dumps(record)}))


def load_record(file: Path) -> dict[str, Any] | None:
    """The record of a stopped run, or None where there is none."""
    from safetensors import SafetensorError, safe_open

    older = file.with_name(OLDER)
    if older.is_dir():
        raise CheckpointError(
            f"{older}: a run of an earlier version; finish it with that one, or remove the folder"
        )
    try:
        with safe_open(file, framework="np") as stored:
            return dict(json.loads(stored.metadata()[RECORD]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise CheckpointError(
            f"{file}: cannot be read ({error}); remove it to start afresh"
        ) from error


def restore(file: Path, model: keras.Model, optimizer: keras.Optimizer | None) -> None:
    """Put the saved values back; the optimizer's only within the phase that wrote them."""
    import safetensors.numpy

    stored = safetensors.numpy.load_file(file)
    for family, members in _families(model, optimizer).items():
        for i, variable in enumerate(members):
            variable.assign(stored[f"{family}/{i}"])


def _families(model: keras.Model, optimizer: keras.Optimizer | None) -> dict[str, list[Any]]:
    # By layer, not `model.variables`: its order changes with `trainable`.
    layers = [variable for layer in model.layers for variable in layer.variables]
    return {"model": layers, "optimizer": list(optimizer.variables) if optimizer else []}
