"""Takers of events by `scheme:argument`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter, time
from typing import Any

from edge_fer.config import STDOUT
from edge_fer.plugins import load, split_spec
from edge_fer.protocols import Sink
from edge_fer.sinks.setting import Setting
from edge_fer.types import Image, Prediction

SINKS = {
    "jsonl": "edge_fer.sinks.jsonl:JsonLines",
    "mqtt": "edge_fer.sinks.mqtt.sink:Mqtt",
    "http": "edge_fer.sinks.http:Http",
}
"""Each is called with the argument of its spec and the Setting around it."""


def open_sink(spec: str, setting: Setting | None = None) -> Sink:
    """Open `jsonl:-` (stdout), `jsonl:FILE`, `http:` and the like.

    Raises ConfigError, MissingExtra or StorageError.
    """
    scheme, argument = split_spec(spec)
    sink: Sink = load("sink", SINKS, scheme)(argument, setting or Setting())
    return sink


class Sinks:
    """Several sinks as one; a sink that nobody can read any more is left out."""

    def __init__(self, specs: Iterable[str], setting: Setting | None = None) -> None:
        self._sinks: list[Sink] = []
        setting = setting or Setting()
        self._metrics = setting.metrics
        try:
            for spec in specs:
                self._sinks.append(open_sink(spec, setting))
                self._metrics.sink_opened(name_of(spec), self._sinks[-1])
        except BaseException:
            self.close()
            raise

    @property
    def open(self) -> bool:
        """False when there is nobody left to write for."""
        return bool(self._sinks)

    @property
    def backlog(self) -> int:
        """Events that wait in the fullest queue."""
        return max((sink.backlog for sink in self._sinks), default=0)

    @property
    def enabled(self) -> bool:
        """False while somebody has switched the analysis off, where a sink has a switch for it."""
        return all(getattr(sink, "enabled", True) for sink in self._sinks)

    def write(self, event: Mapping[str, Any]) -> None:
        """Count one event, and hand it to all."""
        start = perf_counter()
        self._metrics.event(event)
        for sink in list(self._sinks):
            self._hand(sink, event)
        self._metrics.stages.observe(perf_counter() - start, "publish")
        self._metrics.loops.set(time(), "publish")

    def show(self, image: Image, predictions: Sequence[Prediction] | None) -> None:
        """Let the sinks that show pictures see a frame; `predictions` is None without a result."""
        for sink in self._sinks:
            if shown := getattr(sink, "show", None):
                shown(image, predictions)

    def _hand(self, sink: Sink, event: Mapping[str, Any]) -> None:
        try:
            sink.write(event)
        except BrokenPipeError:
            self._sinks.remove(sink)
            self._metrics.sink_closed(sink)
            sink.close()

    def close(self) -> None:
        """Flush and release all."""
        while self._sinks:
            self._sinks.pop().close()


def name_of(spec: str) -> str:
    """The sink's name in the metrics; that of `http` is what its streams are called there."""
    scheme, _ = split_spec(spec)
    return "stdout" if spec == STDOUT else {"http": "ws"}.get(scheme, scheme)
