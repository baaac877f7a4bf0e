"""A recipe from a TOML file, from a checkpoint, and from `name=value` on the command line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from edge_fer.errors import BadData, ConfigError, NotFound
from edge_fer.options import read_options
from edge_fer.training.recipe import Architecture, Recipe

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Part = TypeVar("Part", Architecture, Recipe)
ARCHITECTURE = "architecture"
INNER = tuple(field.name for field in fields(Architecture))


def recipe_from(path: Path | None) -> Recipe:
    """The recipe of a TOML file or of a checkpoint folder; the default one without a path.

    The file has the fields of `Recipe`, and those of `Architecture` below `[architecture]`; what
    it leaves out keeps its default. Raises NotFound, BadData or ConfigError.
    """
    if path is None:
        return Recipe()
    if path.is_dir():
        from edge_fer.training.checkpoint import Checkpoint

        return Checkpoint.load(path).recipe
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"{path}: no such recipe file or checkpoint folder") from error
    except (OSError, ValueError) as error:
        raise BadData(f"{path}: is not a TOML file ({error})") from error
    inner = table.pop(ARCHITECTURE, {})
    if not isinstance(inner, dict):
        raise ConfigError(f"{path}: [{ARCHITECTURE}] is a table of {', '.join(INNER)}")
    architecture = _filled(Architecture(), inner, str(path))
    return _filled(replace(Recipe(), architecture=architecture), table, str(path))


def with_settings(recipe: Recipe, settings: str) -> Recipe:
    """The recipe with `mixup=0.4,ema=0.999,width=0.5` put in; raises ConfigError."""
    parts = [part.strip() for part in settings.split(",") if part.strip()]
    inner = [part for part in parts if part.partition("=")[0] in INNER]
    outer = [part for part in parts if part not in inner]
    if any(part.partition("=")[0] == ARCHITECTURE for part in outer):
        raise ConfigError(f"--set: name a field of the architecture: {', '.join(INNER)}")
    architecture = read_options(recipe.architecture, ",".join(inner), "--set")
    return read_options(replace(recipe, architecture=architecture), ",".join(outer), "--set")


def with_values(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe with these fields put in, wherever they belong; None changes nothing."""
    given = {name: value for name, value in values.items() if value is not None}
    inner = {name: given.pop(name) for name in INNER if name in given}
    return replace(recipe, architecture=replace(recipe.architecture, **inner), **given)


def _filled(part: Part, values: Mapping[str, Any], where: str) -> Part:
    """The values put in, each of the type of the one that it replaces."""
    known = {f.name: getattr(part, f.name) for f in fields(part) if f.name != ARCHITECTURE}
    for name, value in values.items():
        if name not in known:
            raise ConfigError(f"{where}: unknown key {name!r}: choose from {', '.join(known)}")
        wanted = (int, float) if isinstance(known[name], float) else type(known[name])
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise ConfigError(f"{where}: {name} is {value!r}, expected like {known[name]!r}")
    try:
        return replace(part, **values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
