"""The keys of `edge-fer.toml`: every flag of `run` under its own name, and one table a sink."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_fer.config import read_roi
from edge_fer.errors import ConfigError
from edge_fer.notices import read_form
from edge_fer.plugins import load


@dataclass(frozen=True, slots=True)
class Key:
    """One key."""

    field: str
    """Of RunConfig."""
    form: str
    """What a value must be: a name of FORMS."""


KEYS: Mapping[str, Key] = {
    "camera": Key("camera", "text"),
    "bundle": Key("bundle", "path"),
    "fallback": Key("fallback", "path"),
    "sink": Key("sinks", "texts"),
    "detector": Key("detector", "text"),
    "device-id": Key("device", "text"),
    "camera-id": Key("camera_id", "text"),
    "purpose": Key("purpose", "text"),
    "notice": Key("notice", "text"),
    "http-allow-remote": Key("http_allow_remote", "flag"),
    "preview": Key("preview", "text"),
    "threads": Key("threads", "count"),
    "device": Key("engine_device", "text"),
    "selftest": Key("selftest", "flag"),
    "trusted-key": Key("trusted_key", "path"),
    "events": Key("events", "count"),
    "smoothing": Key("smoothing_s", "number"),
    "abstain-below": Key("abstain_below", "number"),
    "most-faces": Key("most_faces", "count"),
    "smallest-face": Key("smallest_face", "count"),
    "roi": Key("roi", "roi"),
    "detect-every": Key("detect_every", "count"),
    "aggregate": Key("aggregate_s", "number"),
    "aggregate-public": Key("aggregate_public", "flag"),
    "patience": Key("patience_s", "number"),
    "state-dir": Key("state_dir", "path"),
    "log": Key("log", "log"),
}
"""Key to field and form. Each is also a flag: `--key`."""

VERSION_KEY, VERSION = "version", 1
"""Of the file's own form; there has been one so far."""

SINK_TABLES = {
    "jsonl": "edge_fer.sinks.jsonl:Settings",
    "mqtt": "edge_fer.sinks.mqtt.settings:Settings",
    "http": "edge_fer.sinks.http.settings:Settings",
}
"""A table's name is a sink's scheme; its keys are the fields of the settings named here."""


def sink_options(scheme: str) -> dict[str, object]:
    """The options of a sink and their defaults; raises MissingExtra without its package."""
    settings = load("sink", SINK_TABLES, scheme)
    return {field.name: field.default for field in dataclasses.fields(settings)}


def read_value(form: str, value: object) -> Any:
    """A value as RunConfig wants it; raises ValueError saying what is wanted."""
    wanted, read = FORMS[form]
    try:
        return read(value)
    except ConfigError:
        raise
    except (TypeError, ValueError) as error:
        raise ValueError(f"is {str(value)[:60]!r}, expected {wanted}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: object) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _number(value: object) -> float:
    if type(value) not in (int, float):
        raise TypeError
    return float(value)  # type: ignore[arg-type]


def _flag(value: object) -> bool:
    if type(value) is not bool:
        raise TypeError
    return value


def _texts(value: object) -> tuple[str, ...]:
    many = value if isinstance(value, list) else [value]
    return tuple(map(_text, many))


FORMS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "text": ('a text in quotes, such as "a"', _text),
    "path": ("a path in quotes", lambda value: Path(_text(value))),
    "count": ("a whole number", _count),
    "number": ("a number", _number),
    "flag": ("true or false", _flag),
    "texts": ('a list of texts, such as ["a", "b"]', _texts),
    "roi": ('four shares in quotes, such as "0.25,0,0.5,1"', lambda value: read_roi(_text(value))),
    "log": ('"text" or "json"', lambda value: read_form(_text(value))),
}
"""Form to what is wanted, and how it is read of a value that TOML knows."""
