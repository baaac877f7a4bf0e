"""Visible tables of names instead of discovery: `load` imports a member when it is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from edge_fer.errors import ConfigError, MissingExtra


def load(family: str, table: Mapping[str, str], name: str) -> Any:
    """Import the member `name` of a family's table of `"module:attribute"` strings."""
    if name not in table:
        raise ConfigError(f"unknown {family} {name!r}: choose from {', '.join(sorted(table))}")
    module, _, attribute = table[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise missing(error.name or name, f"the {family} {name!r}") from error


def missing(package: str, user: str) -> MissingExtra:
    """The error that names a package which is not installed, and the command that mends it."""
    extra = EXTRAS.get(package.partition(".")[0])
    command = f"pip install 'edge-fer[{extra}]'" if extra else f"pip install {package}"
    return MissingExtra(f"{user} needs the package {package}: {command}")


EXTRAS = {
    "openvino": "openvino",
    "onnxruntime": "onnx",
    "paho": "mqtt",
    "aiohttp": "http",
    "cryptography": "sign",
    "keras": "train",
    "tensorflow": "train",
    "safetensors": "train",
    "tqdm": "train",
    "matplotlib": "train",
    "sklearn": "train",
    "tomli": "train",
    "ray": "ray",
    "imagehash": "data",
    "PIL": "data",
    "ai_edge_quantizer": "convert",
    "onnx": "convert",
}


def split_spec(spec: str) -> tuple[str, str]:
    """Split `scheme:argument`; a missing argument is the empty string."""
    scheme, _, argument = spec.partition(":")
    return scheme, argument
