"""Takers of events by `scheme:argument`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge_fer.plugins import load, split_spec
from edge_fer.protocols import Sink

SINKS = {
    "jsonl": "edge_fer.sinks.jsonl:JsonLines",
}


def open_sink(spec: str) -> Sink:
    """Open `jsonl:-` (stdout), `jsonl:FILE` and the like; raises ConfigError or StorageError."""
    scheme, argument = split_spec(spec)
    sink: Sink = load("sink", SINKS, scheme)(argument)
    return sink


class Sinks:
    """Several sinks as one; a sink that nobody can read any more is left out."""

    def __init__(self, specs: Iterable[str]) -> None:
        self._sinks: list[Sink] = []
        try:
            for spec in specs:
                self._sinks.append(open_sink(spec))
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

    def write(self, event: Mapping[str, Any]) -> None:
        """Hand one event to all."""
        for sink in list(self._sinks):
            self._hand(sink, event)

    def _hand(self, sink: Sink, event: Mapping[str, Any]) -> None:
        try:
            sink.write(event)
        except BrokenPipeError:
            self._sinks.remove(sink)
            sink.close()

    def close(self) -> None:
        """Flush and release all."""
        while self._sinks:
            self._sinks.pop().close()
