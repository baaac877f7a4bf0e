"""Takers of events by `scheme:argument`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter, time
from typing import Any

from edge_fer.config import STDOUT, RunConfig
from edge_fer.errors import ConfigError, SettingError, StorageError
from edge_fer.notices import notice
from edge_fer.plugins import load, split_spec
from edge_fer.protocols import Sink
from edge_fer.sinks.setting import Setting
from edge_fer.types import Box, Image, Prediction

SINKS = {
    "jsonl": "edge_fer.sinks.jsonl:JsonLines",
    "mqtt": "edge_fer.sinks.mqtt.sink:Mqtt",
    "http": "edge_fer.sinks.http:Http",
}
"""Each is called with the argument of its spec and the Setting around it."""
LEFT_BEHIND = {"mqtt": "edge_fer.sinks.mqtt.forgetting:Forgetting"}
"""Sinks of which others keep something: each is called with that argument and the RunConfig."""
INTRODUCTION = ("hello", "state")
"""The types of event of which a sink must know the newest one: it may have missed them."""


def open_sink(spec: str, setting: Setting | None = None) -> Sink:
    """Open `jsonl:-` (stdout), `jsonl:FILE`, `http:` and the like.

    Raises ConfigError, MissingExtra or StorageError.
    """
    scheme, argument = split_spec(spec)
    sink: Sink = load("sink", SINKS, scheme)(argument, setting or Setting())
    return sink


def prove_sinks(specs: Iterable[str], setting: Setting) -> list[bytes]:
    """Read and refuse what opening would, but open no port, no connection and no file to write.

    Gives a digest of the secrets that were read for each. Raises ConfigError, naming the setting,
    MissingExtra or StorageError.
    """
    return [_proven(i, spec, setting) for i, spec in enumerate(specs)]


def _proven(number: int, spec: str, setting: Setting) -> bytes:
    scheme, argument = split_spec(spec)
    try:
        prove = getattr(load("sink", SINKS, scheme), "proven", None)
        digest: bytes = prove(argument, setting) if prove else b""
    except ConfigError as error:
        raise SettingError(f"sinks.{number}", str(error)) from error
    return digest


@dataclass(slots=True)
class _Open:
    """One sink, and what it was opened by."""

    spec: str
    secrets: bytes
    """Digest of the files that it has read; never said."""
    sink: Sink


class Sinks:
    """Several sinks as one; a sink that nobody can read any more is left out."""

    def __init__(self, specs: Iterable[str], setting: Setting | None = None) -> None:
        self._open: list[_Open] = []
        self._setting = setting or Setting()
        self._metrics = self._setting.metrics
        self._last_closed = ""
        self._told: dict[str, Mapping[str, Any]] = {}
        try:
            for i, spec in enumerate(specs):
                self._open.append(self._opened(i, spec))
        except BaseException:
            self.close()
            raise

    @property
    def open(self) -> bool:
        """False when there is nobody left to write for."""
        return bool(self._open)

    @property
    def backlog(self) -> int:
        """Events that wait in the fullest queue."""
        return max((one.sink.backlog for one in self._open), default=0)

    @property
    def troubles(self) -> list[str]:
        """`sink` and `storage`, as far as a sink cannot deliver now."""
        said = (getattr(one.sink, "trouble", "") for one in self._open)
        return sorted({trouble for trouble in said if trouble})

    @property
    def enabled(self) -> bool:
        """False while somebody has switched the analysis off; no reload switches it on."""
        return self._setting.enabled

    def write(self, event: Mapping[str, Any]) -> None:
        """Count one event, and hand it to all."""
        start = perf_counter()
        self._metrics.event(event)
        if (kind := event.get("type")) in INTRODUCTION:
            self._told[kind] = event
        for one in list(self._open):
            self._hand(one, event)
        self._metrics.stages.observe(perf_counter() - start, "publish")
        self._metrics.loops.set(time(), "publish")

    def show(
        self,
        image: Image,
        predictions: Sequence[Prediction] | None,
        others: Sequence[Box] | None = (),
    ) -> None:
        """Let the sinks that show pictures see a frame; `predictions` is None without a result.

        `others` are found faces without a prediction, None where such may be anywhere.
        """
        for one in self._open:
            if shown := getattr(one.sink, "show", None):
                shown(image, predictions, others)

    def change(self, config: RunConfig) -> None:
        """Serve another configuration: what stays the same stays open, or everything does.

        A sink whose spec is the same, but not the secrets in its files, is opened anew.

        A port, a file and a name at the broker cannot be had twice, so the old sink closes first;
        when a new one cannot be opened the old ones come back, and are told the newest `hello` and
        `state` again. The new ones know neither yet. Raises what opening raises, be it only that no
        thread may be started.
        """
        before, setting = self._setting.config, self._setting
        told = ("purpose", "notice", "http_allow_remote", "preview", "aggregate_s")
        same = all(getattr(before, name) == getattr(config, name) for name in told)
        proven = prove_sinks(config.sinks, replace(setting, config=config))
        secrets = dict(zip(config.sinks, proven, strict=True))
        kept = [
            one
            for one in self._open
            if secrets.get(one.spec) == one.secrets and _keeps(one.spec, same)
        ]
        gone = [one.spec for one in self._open if one not in kept]
        self._close([one for one in self._open if one not in kept])
        setting.config = config
        try:
            self._open = self._joined(kept, config.sinks)
        except Exception:
            setting.config = before
            self._open = kept
            self._restore(gone)
            raise

    def check_end(self) -> None:
        """Raise StorageError when the last sink was lost and was not stdout, whose reader may go.

        A daemon without sinks must not end as if all was well.
        """
        if not self._open and self._last_closed not in ("", STDOUT):
            raise StorageError(
                f"{self._last_closed} is read by nobody any more, and there is no other sink"
            )

    def close(self) -> None:
        """Flush and release all."""
        self._last_closed = ""
        while self._open:
            self._open.pop().sink.close()

    def _hand(self, one: _Open, event: Mapping[str, Any]) -> None:
        try:
            one.sink.write(event)
        except BrokenPipeError:
            self._last_closed = one.spec
            self._open.remove(one)
            self._metrics.sink_closed(one.sink)
            one.sink.close()

    def _opened(self, number: int, spec: str) -> _Open:
        secrets = _proven(number, spec, self._setting)
        try:
            one = _Open(spec, secrets, open_sink(spec, self._setting))
        except ConfigError as error:
            raise SettingError(f"sinks.{number}", str(error)) from error
        self._metrics.sink_opened(name_of(spec), one.sink)
        return one

    def _joined(self, kept: list[_Open], specs: Iterable[str]) -> list[_Open]:
        """The sinks of all specs, in order; closes what it opened when one cannot be."""
        old = {one.spec: one for one in kept}
        joined: list[_Open] = []
        try:
            for i, spec in enumerate(specs):
                joined.append(old.get(spec) or self._opened(i, spec))
        except BaseException:
            self._close([one for one in joined if one not in kept])
            raise
        return joined

    def _restore(self, specs: Iterable[str]) -> None:
        for spec in specs:
            self._reopen(spec)

    def _reopen(self, spec: str) -> None:
        try:
            one = self._opened(0, spec)
        except Exception as error:  # the others must come back all the same
            self._last_closed = spec
            notice(f"{spec} could not be opened again: {error}", "error")
            return
        self._open.append(one)
        for kind in INTRODUCTION:
            if kind in self._told:
                self._hand(one, self._told[kind])

    def _close(self, some: Iterable[_Open]) -> None:
        for one in some:
            self._metrics.sink_gone(one.sink)
            one.sink.close()


def name_of(spec: str) -> str:
    """The sink's name in the metrics; that of `http` is what its streams are called there."""
    scheme, _ = split_spec(spec)
    return "stdout" if spec == STDOUT else {"http": "ws"}.get(scheme, scheme)


def _keeps(spec: str, same: bool) -> bool:
    """True when a sink may stay: lines do not depend on what people are told."""
    return same or split_spec(spec)[0] == "jsonl"
