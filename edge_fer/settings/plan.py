"""What a run is to be: flags win over the file, and the file may be read again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_fer.config import RunConfig
from edge_fer.errors import ConfigError, SettingError
from edge_fer.settings.file import ConfigFile


class Plan:
    """Flags by field of RunConfig (None is not given), and the file, if one was named."""

    def __init__(self, flags: Mapping[str, Any], path: Path | None = None) -> None:
        self._flags = {field: value for field, value in flags.items() if value is not None}
        self.path = path
        self._file: ConfigFile | None = None

    def read(self) -> RunConfig:
        """Read the file (again) and join it with the flags; raises ConfigError naming the line.

        The file that was read before stays in force when it raises.
        """
        file = ConfigFile(self.path) if self.path is not None else None
        values = {**(file.values if file else {}), **self._flags}
        try:
            config = RunConfig(**values)
        except SettingError as error:
            raise self._located(error, file) from error
        self._file = file
        return config

    def located(self, error: SettingError) -> ConfigError:
        """The error of a setting in force, with the place in the file that set it."""
        return self._located(error, self._file)

    def _located(self, error: SettingError, file: ConfigFile | None) -> ConfigError:
        given = error.setting.partition(".")[0] in self._flags
        place = file.place(error.setting) if file and not given else ""
        return ConfigError(f"{place}: {error}" if place else str(error))
