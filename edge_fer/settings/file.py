"""`edge-fer.toml`: read as a whole or refused, each fault by its line and key."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from edge_fer.errors import ConfigError, EdgeFerError, SettingError
from edge_fer.settings import lines
from edge_fer.settings.keys import (
    KEYS,
    SINK_TABLES,
    VERSION,
    VERSION_KEY,
    read_value,
    sink_options,
)
from edge_fer.settings.tables import spec_of

LARGEST = 64 << 10
"""Bytes; also bounds what a hostile file can cost."""


class ConfigFile:
    """One file as it was when it was read; raises ConfigError naming file, line and key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = self._decoded(_content(path))
        try:
            self._document = lines.parse(self._text)
        except ValueError as error:
            line, key = lines.fault(self._text)
            raise ConfigError(f"{path}:{line} {key}: {str(error).partition(' (at')[0]}") from error
        self._sinks: list[lines.Path] = []
        self.values = self._read()

    def place(self, setting: str) -> str:
        """`file:line key` of a field of RunConfig, also of `sinks.1`; empty if not from here."""
        name, _, number = setting.partition(".")
        if name == "sinks" and self._sinks:
            known = number.isdigit() and int(number) < len(self._sinks)
            return self._at(self._sinks[int(number) if known else 0])
        key = next((key for key, one in KEYS.items() if one.field == name), None)
        return self._at((key,)) if key in self._document else ""

    def _read(self) -> dict[str, Any]:
        """Field of RunConfig to value."""
        self._check_version()
        values: dict[str, Any] = {}
        for key, value in self._document.items():
            if key in KEYS:
                values[KEYS[key].field] = self._value(key, value)
            elif key in SINK_TABLES:
                continue
            elif key != VERSION_KEY:
                raise self._unknown((key,), [*KEYS, *SINK_TABLES, VERSION_KEY])
        self._sinks = [("sink",) for _ in values.get("sinks", ())]
        tables = tuple(self._tables())
        if tables:
            values["sinks"] = (*values.get("sinks", ()), *tables)
        return values

    def _value(self, key: str, value: object) -> Any:
        try:
            return read_value(KEYS[key].form, value)
        except ValueError as error:
            raise ConfigError(f"{self._at((key,))}: {error}") from error

    def _tables(self) -> Iterable[str]:
        """The spec of every sink that has a table."""
        for scheme in SINK_TABLES:
            value = self._document.get(scheme, [])
            many = value if isinstance(value, list) else [value]
            for i, table in enumerate(many):
                path: lines.Path = (scheme, i) if isinstance(value, list) else (scheme,)
                self._sinks.append(path)
                yield self._spec(scheme, path, table)

    def _spec(self, scheme: str, path: lines.Path, table: object) -> str:
        if not isinstance(table, dict):
            raise ConfigError(f"{self._at(path)}: is no table: write [{scheme}], then its keys")
        try:
            known = sink_options(scheme)
        except EdgeFerError as error:
            raise type(error)(f"{self._at(path)}: {error}") from error
        for key in table:
            if key not in known:
                raise self._unknown((*path, key), known)
        try:
            return spec_of(scheme, table, known)
        except SettingError as error:
            raise ConfigError(f"{self._at((*path, error.setting))}: {error}") from error

    def _check_version(self) -> None:
        found = self._document.get(VERSION_KEY, VERSION)
        if type(found) is not int or found != VERSION:
            where = self._at((VERSION_KEY,))
            raise ConfigError(f"{where}: is {found!r}; this edge-fer reads version {VERSION}")

    def _unknown(self, path: lines.Path, known: Iterable[str]) -> ConfigError:
        key, names = str(path[-1]), list(known)
        near = difflib.get_close_matches(key, names, 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(names)}"
        return ConfigError(f"{self._at(path)}: unknown key; {hint}")

    def _at(self, path: lines.Path) -> str:
        shown = ".".join(str(part) for part in path if isinstance(part, str))
        where = path
        while where and where not in self._places:
            where = where[:-1]
        return f"{self._path}:{self._places.get(where, 1)} {shown}"

    @cached_property
    def _places(self) -> dict[lines.Path, int]:
        return lines.places(self._text)

    def _decoded(self, content: bytes) -> str:
        try:
            return content.decode().replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            before = content[: error.start].decode(errors="replace")
            line = before.count("\n") + 1
            key = before.rpartition("\n")[2].partition("=")[0].strip()
            raise ConfigError(f"{self._path}:{line} {key}: is not UTF-8") from error


def _content(path: Path) -> bytes:
    """All of a regular file; raises ConfigError naming it."""
    try:
        # Without O_NONBLOCK a FIFO would hang us here.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError(f"{path}: is not a regular file")
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{path}: is larger than {LARGEST} bytes, so no configuration")
    return content
