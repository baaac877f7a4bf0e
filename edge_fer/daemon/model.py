"""A bundle that was proven and its engine, or the fallback that was configured for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_fer.bundle import Bundle, open_bundle
from edge_fer.config import RunConfig
from edge_fer.daemon.probe import prove
from edge_fer.engines import DEVICE, DEVICES, open_engine
from edge_fer.errors import BundleError, EngineError, Refused
from edge_fer.notices import notice
from edge_fer.protocols import Engine
from edge_fer.selftest import selftest
from edge_fer.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Model:
    """What turns faces into scores now."""

    bundle: Bundle
    engine: Engine
    fallback: bool = False
    """True when it is not the one that was asked for."""


def open_model(config: RunConfig, metrics: Metrics | None = None, hung: bool = False) -> Model:
    """The bundle that was asked for, else the fallback; raises as load_model.

    `hung` says that the one that was asked for was tried, and an inference never ended.
    """
    if hung and config.fallback is not None:
        notice(f"an inference did not end; the fallback {config.fallback} serves instead", "error")
        if metrics is not None:
            metrics.engine_restarts.add(1, "timeout")
        return open_fallback(config)
    try:
        return load_model(config, config.bundle_path())
    except (BundleError, EngineError, Refused) as error:
        if config.fallback is None:
            raise
        if metrics is not None:
            metrics.bundle_refused(error)
        notice(f"{error}; the fallback {config.fallback} serves instead", "error")
        return open_fallback(config)


def open_fallback(config: RunConfig) -> Model:
    """The fallback, said to be one; raises as load_model, or where none is named."""
    if config.fallback is None:
        raise BundleError("no fallback is configured")
    model = load_model(config, config.fallback)
    return Model(model.bundle, model.engine, fallback=True)


def release(model: Model) -> bool:
    """Close an engine that only one may hold, such as a stick's; False for one that needs none."""
    close = getattr(model.engine, "close", None)
    if close is not None:
        close()
    return close is not None


def load_model(config: RunConfig, path: Path) -> Model:
    """Verify a bundle, prove it in a child, load it and infer once; selftest it where asked to.

    Raises BundleError, ConfigError, EngineError, MissingExtra or Refused.
    """
    bundle = open_bundle(path, signature_check(config))
    if _on_cpu(config, bundle):
        prove(bundle, config.threads)
    model = Model(bundle, open_engine(bundle, config.threads, config.engine_device))
    try:
        _try(model, config.selftest)
    except Exception:
        release(model)
        raise
    return model


def _try(model: Model, thoroughly: bool) -> None:
    bundle, engine = model.bundle, model.engine
    _check_precision(bundle, engine)
    side = bundle.manifest.input_size
    # What cannot run fails now, and the first face does not wait for it.
    engine.infer(np.zeros((1, side, side, 3), np.uint8))
    if thoroughly:
        notice(selftest(bundle, engine).demand())


def signature_check(config: RunConfig) -> Callable[[Path, bytes], object] | None:
    """What a bundle must pass before a byte of its model is looked at."""
    if config.trusted_key is None:
        return None
    from edge_fer.signature import PublicKey

    key = PublicKey.load(config.trusted_key)

    def check(signed: Path, content: bytes) -> object:
        try:
            return key.check(signed, content)
        except BundleError as error:
            raise BundleError(str(error), "signature") from error

    return check


def _on_cpu(config: RunConfig, bundle: Bundle) -> bool:
    """True where a child can try it: an accelerator may serve one process, or take minutes."""
    named = config.engine_device or os.environ.get(DEVICE)
    return (named or DEVICES[bundle.manifest.format][0]) == "CPU"


def _check_precision(bundle: Bundle, engine: Engine) -> None:
    """INT8 is asked and executed, or neither; a float bundle may run in either float.

    Where the gate has proven an INT8 model in float (ONNX Runtime on a CPU), that is no fault
    either: the first line, the first event and the metrics say what is executed.
    """
    asked, executed = bundle.manifest.precision, engine.precision
    if asked == "int8" and executed == bundle.manifest.gate.get("precision_executed"):
        return
    if (asked == "int8") != (executed == "int8"):
        raise BundleError(
            f"{bundle.path}: the manifest says {asked}, the model executes {executed} on "
            f"{engine.device}; choose another --device, or a bundle made for this one"
        )
