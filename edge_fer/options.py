"""Settings written as `name=value,name=value`: a spec's argument becomes a frozen dataclass."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from edge_fer.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Settings = TypeVar("Settings", bound=DataclassInstance)


def read_options(defaults: Settings, argument: str, where: str) -> Settings:
    """The settings with an argument's values put in.

    A value is read as the type of the default it replaces; a `__post_init__` that raises ValueError
    refuses it. Raises ConfigError naming `where`, the option, and what is known or wanted.
    """
    changed: dict[str, Any] = {}
    known = {field.name: getattr(defaults, field.name) for field in dataclasses.fields(defaults)}
    for pair in filter(None, (part.strip() for part in argument.split(","))):
        name, _, text = pair.partition("=")
        if name not in known:
            raise ConfigError(f"{where}: unknown option {name!r}: choose from {', '.join(known)}")
        form, read = FORMS[type(known[name])]
        try:
            changed[name] = read(text)
        except (ValueError, KeyError) as error:
            raise ConfigError(f"{where}: {name} is {form}, not {text!r}") from error
    try:
        return dataclasses.replace(defaults, **changed)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error


def _yes_or_no(text: str) -> bool:
    return {"yes": True, "no": False}[text.lower()]


def _size(text: str) -> tuple[int, int]:
    width, height = text.lower().split("x")
    return int(width), int(height)


FORMS: dict[type, tuple[str, Callable[[str], object]]] = {
    bool: ("yes or no", _yes_or_no),
    int: ("a whole number", int),
    float: ("a number", float),
    tuple: ("WIDTHxHEIGHT", _size),
    str: ("a text", str),
}
