"""A sink's table becomes its spec: `[mqtt]` with `host = "a"` is `mqtt:host=a`."""

from __future__ import annotations

from collections.abc import Mapping

from edge_fer.errors import SettingError

FIRST = {"jsonl": "file"}
"""The option that a spec names first, without its key."""
WANTED = {bool: "true or false", int: "a whole number", float: "a number"}


def spec_of(scheme: str, table: Mapping[str, object], known: Mapping[str, object]) -> str:
    """The spec; `known` are all options with their defaults. Raises SettingError naming a key."""
    texts = {key: _text(key, value, known[key]) for key, value in table.items()}
    first = texts.pop(FIRST[scheme], "") if scheme in FIRST else ""
    rest = [f"{key}={text}" for key, text in texts.items()]
    return f"{scheme}:{','.join(filter(None, [first, *rest]))}"


def _text(key: str, value: object, default: object) -> str:
    """A value as an option's text; its type must be that of the default."""
    kind = type(default)
    fits = type(value) is kind or (kind is float and type(value) is int)
    if kind in WANTED and not fits:
        raise SettingError(key, f"is {str(value)[:60]!r}, expected {WANTED[kind]}")
    if kind not in WANTED and not isinstance(value, str):
        raise SettingError(key, f"is {str(value)[:60]!r}, expected a text in quotes")
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if "," in text or "\n" in text:
        raise SettingError(key, f"is {text[:60]!r}: a comma or a new line cannot stand here")
    return text
