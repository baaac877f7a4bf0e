"""A bundle that was proven and its engine, or the fallback that was configured for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_fer.bundle import Bundle, open_bundle
from edge_fer.config import RunConfig
from edge_fer.engines import open_engine
from edge_fer.errors import BundleError, EngineError
from edge_fer.notices import notice
from edge_fer.probe import prove
from edge_fer.protocols import Engine


@dataclass(frozen=True, slots=True)
class Model:
    """What turns faces into scores now."""

    bundle: Bundle
    engine: Engine
    fallback: bool = False
    """True when it is not the one that was asked for."""


def open_model(config: RunConfig) -> Model:
    """The bundle that was asked for, else the fallback; raises BundleError or MissingExtra."""
    try:
        return load_model(config.bundle_path(), config.threads)
    except (BundleError, EngineError) as error:
        if config.fallback is None:
            raise
        notice(f"{error}; the fallback {config.fallback} serves instead", "error")
        return open_fallback(config)


def open_fallback(config: RunConfig) -> Model:
    """The fallback, said to be one; raises BundleError or MissingExtra, or where none is named."""
    if config.fallback is None:
        raise BundleError("no fallback is configured")
    model = load_model(config.fallback, config.threads)
    return Model(model.bundle, model.engine, fallback=True)


def load_model(path: Path, threads: int | None) -> Model:
    """Verify a bundle, prove it in a child, load it and infer once.

    Raises BundleError, EngineError or MissingExtra.
    """
    bundle = open_bundle(path)
    prove(bundle, threads)
    engine = open_engine(bundle, threads)
    _check_precision(bundle, engine)
    side = bundle.manifest.input_size
    # What cannot run fails now, and the first face does not wait for it.
    engine.infer(np.zeros((1, side, side, 3), np.uint8))
    return Model(bundle, engine)


def _check_precision(bundle: Bundle, engine: Engine) -> None:
    """INT8 is asked and executed, or neither; a float bundle may run in either float."""
    asked, executed = bundle.manifest.precision, engine.precision
    if (asked == "int8") != (executed == "int8"):
        raise BundleError(
            f"{bundle.path}: the manifest says {asked}, the model executes {executed}; convert anew"
        )
