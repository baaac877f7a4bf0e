"""A Keras archive looked at before Keras is imported, by the standard library alone.

A Keras file is a program (CVE-2025-1550, CVE-2025-8747, CVE-2025-9906). What may be inside is
listed here and all else is refused: three members, layers that Keras itself defines, no Lambda, no
class registered by anybody else.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_fer.errors import BadData, NotFound

MEMBERS = {"metadata.json": 2**16, "config.json": 2**24, "model.weights.h5": 2**29}
"""What an archive holds, each with the most bytes it may unpack to."""
MOST_RATIO = 200
"""Times a member may be larger than it is packed; weights hardly shrink, JSON by 10 to 50."""
DEEPEST = 64
"""Nested objects of a configuration."""
_LAYERS = """
Activation Add Average AveragePooling2D BatchNormalization Concatenate Conv2D Dense
DepthwiseConv2D Dropout ELU Flatten Functional GlobalAveragePooling2D GlobalMaxPooling2D
InputLayer LayerNormalization LeakyReLU MaxPooling2D Maximum Minimum Model Multiply
Normalization PReLU Permute ReLU RandomBrightness RandomContrast RandomFlip RandomRotation
RandomTranslation RandomZoom Rescaling Reshape Resizing SeparableConv2D Sequential Softmax
SpatialDropout2D Subtract UpSampling2D ZeroPadding2D
"""
_PARTS = """
Constant DTypePolicy GlorotNormal GlorotUniform HeNormal HeUniform L1 L1L2 L2 LecunNormal
LecunUniform MaxNorm NonNeg Ones Orthogonal RandomNormal RandomUniform SeedGenerator
TruncatedNormal UnitNorm VarianceScaling Zeros __keras_tensor__ __tuple__
"""
LAYERS = frozenset(_LAYERS.split())
"""Layers that a classifier of pictures is made of; none of them runs code of the file's."""
PARTS = frozenset(_PARTS.split())
"""What layers are told by: initial values, penalties, types; `__tuple__` and the like are data."""
AUGMENTATION = frozenset(name for name in LAYERS if name.startswith("Random"))
"""Layers that change a picture by chance; called plainly they do so at inference too."""
HOMES = ("keras", "keras.src")
"""Packages whose classes these are."""


def scan(path: Path) -> dict[str, Any]:
    """The configuration of the model in a `.keras` file, as it is to be built for inference.

    Raises NotFound, or BadData naming what is refused.
    """
    if not path.is_file():
        raise NotFound(f"{path}: no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive.infolist())
            with archive.open("config.json") as file:
                raw = file.read(MEMBERS["config.json"] + 1)
        config = json.loads(raw)
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError) as error:
        if isinstance(error, BadData):
            raise
        raise BadData(f"{path}: not a whole .keras file ({error})") from error
    if not isinstance(config, dict):
        raise BadData(f"{path}: config.json holds no model")
    # Optimizer and losses are of no use here and are the wider door.
    config.pop("compile_config", None)
    for record in list(_objects(path, config, 0)):
        _check_object(path, record)
        if record["class_name"] in AUGMENTATION:
            _still(record)
    return config


def _still(record: dict[str, Any]) -> None:
    """Put a layer that changes nothing in the place of one that changes pictures by chance."""
    config = record.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    record.update(module="keras.layers", class_name="Activation", registered_name=None)
    record["config"] = {"name": name, "activation": "linear"}


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    strange = next((name for name in names if name not in MEMBERS), None)
    if strange is not None:
        raise BadData(f"{path}: holds {strange[:80]!r}; known are {', '.join(MEMBERS)} alone")
    if sorted(names) != sorted(MEMBERS):
        raise BadData(f"{path}: holds {sorted(names)}; needs each of {', '.join(MEMBERS)} once")
    for member in members:
        most = MEMBERS[member.filename]
        if member.file_size > most or member.file_size > MOST_RATIO * member.compress_size + 2**12:
            raise BadData(
                f"{path}: {member.filename} unpacks from {member.compress_size} to "
                f"{member.file_size} bytes, which no model does"
            )


def _objects(path: Path, value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Every serialised object, however deep."""
    if depth > DEEPEST:
        raise BadData(f"{path}: config.json is nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        if "class_name" in value or "registered_name" in value or "module" in value:
            yield value
        for inner in value.values():
            yield from _objects(path, inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(path, inner, depth + 1)


def _check_object(path: Path, record: dict[str, Any]) -> None:
    name, home = record.get("class_name"), record.get("module")
    if not isinstance(name, str) or name not in LAYERS | PARTS:
        raise BadData(
            f"{path}: holds a {str(name)[:60]}, which is refused: a Keras file may be a program, "
            "and only layers of plain picture classifiers are taken"
        )
    ours = home is None or home == "builtins" or str(home).startswith(tuple(h + "." for h in HOMES))
    if not (ours or home in HOMES) or record.get("registered_name") not in (None, name):
        raise BadData(
            f"{path}: {name} comes from {str(home)[:60]!r} as "
            f"{str(record.get('registered_name'))[:60]!r}: custom classes are refused"
        )
