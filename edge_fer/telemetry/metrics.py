"""What the daemon counts, from the events themselves, so that metrics and events always agree.

Our own text writer keeps the base install free of a client library; prometheus-client's parser and
promtool check it in the tests.
"""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Callable, Mapping
from time import process_time, time
from typing import Any

from edge_fer.emotions import LABELS, UNCERTAIN
from edge_fer.protocols import Sink
from edge_fer.telemetry.families import Families

CAMERA_STATES = ("starting", "ok", "stalled", "frozen", "dark", "obstructed", "lost", "disabled")

Event = Mapping[str, Any]


class Metrics(Families):
    """All that one daemon counts; every method may be called from any thread."""

    def __init__(self, wall: Callable[[], float] = time) -> None:
        super().__init__()
        self._wall = wall
        self._before: list[Callable[[], None]] = [self._read_process, self._read_sinks]
        self._sinks: list[tuple[str, Sink]] = []
        self._closed: list[Sink] = []
        self._handed: dict[str, int] = {}
        self._before_closed: dict[tuple[str, str], int] = {}
        self._left_out = self._analysed = 0
        self._greeted = False
        self.started.set(wall())
        self.reloaded(True)

    def text(self) -> str:
        """The exposition: every series that has a value now."""
        with self._lock:
            for read in self._before:
                read()
            return "".join(f"{line}\n" for line in self.lines())

    def before_text(self, read: Callable[[], None]) -> None:
        """Have a function set its values whenever the text is asked for."""
        self._before = [*self._before, read]

    def not_before_text(self, read: Callable[[], None]) -> None:
        """The same no more: who set them has been closed."""
        self._before = [one for one in self._before if one != read]

    def reloaded(self, good: bool) -> None:
        """A configuration was taken, or refused while the old one stays."""
        self.reload_good.set(good)
        if good:
            self.reload_time.set(self._wall())

    def event(self, event: Event) -> None:
        """Count one event, as the sinks get it."""
        self.count(event)
        for name in self._handed:
            self._handed[name] += 1

    def count(self, event: Event) -> None:
        """Count what an event says, though no sink gets it."""
        counted = {
            "hello": self._hello,
            "state": self._state,
            "update": self._update,
            "aggregate": self._aggregate,
        }
        if (kind := event.get("type")) in counted:
            counted[kind](event)
            self.clock.set(event["clock_synced"])

    def _frame(self, update: Event) -> None:
        """Count one analysed frame, but nothing of who was in it."""
        camera, missed, frame = update["camera"], update["dropped_since_last"], update["frame"]
        age_s = frame["age_ms"] / 1000 if "age_ms" in frame else None
        self._analysed += 1
        self.frames.add(1 + missed, camera)
        self.frames_dropped.add(max(missed - self._left_out, 0), camera, "superseded")
        self._left_out = 0
        if age_s is None:
            self.last_frame.set(frame["time"], camera)
        else:
            self.last_frame.set(self._wall() - age_s, camera)
            self.age.observe(age_s, camera)
        for stage, duration_ms in update["latency_ms"].items():
            self.stages.observe(duration_ms / 1000, stage)

    def frame_left_out(self, camera: str, reason: str) -> None:
        """A frame had no event, for a reason that is no newer frame."""
        self._left_out += 1
        self.frames_dropped.add(1, camera, reason)

    def inference_failed(self, reason: str) -> None:
        """A frame's analysis failed; it has no event either."""
        self._left_out += 1
        self.inference_errors.add(1, reason)

    def bundle_refused(self, error: Exception) -> None:
        """A bundle was refused, and something else serves."""
        self.model_rejected.add(1, getattr(error, "reason", "load"))

    def frame_taken(self, decode_s: float | None) -> None:
        """A frame has come; seconds that its decoding took, None where it needs none."""
        self.loops.set(self._wall(), "capture")
        if decode_s is not None:
            self.stages.observe(decode_s, "decode")

    def analysed(self) -> int:
        """Frames analysed so far."""
        return self._analysed

    def sink_opened(self, name: str, sink: Sink) -> None:
        """Watch the queue of a sink."""
        self._sinks.append((name, sink))
        self._handed.setdefault(name, 0)
        self.sink_up.set(1, name)

    def sink_closed(self, sink: Sink) -> None:
        """Nobody can read a sink any more."""
        self._closed.append(sink)
        for name, one in self._sinks:
            if one is sink:
                self.sink_up.set(0, name)

    def sink_gone(self, sink: Sink) -> None:
        """A sink was closed on purpose: what it lost stays counted, its queue is no more."""
        for name, one in self._sinks:
            if one is sink:
                for number in ("dropped", "failed", "reconnects"):
                    before = self._before_closed.get((name, number), 0)
                    self._before_closed[name, number] = before + getattr(sink, number, 0)
        self._sinks = [(name, one) for name, one in self._sinks if one is not sink]

    def _hello(self, event: Event) -> None:
        self.build.set(1, event["version"], platform.python_version())
        model, engine = event["model"], event["engine"]
        self.model.clear()
        self.model.set(1, model["id"], engine, event["precision"], engine, model["sha256"])
        if not self._greeted:  # a later one follows a reload, which leaves the camera alone
            self._enter(event["camera"], "starting")
        self._greeted = True
        self.frames.add(0, event["camera"])
        self.analyzed.add(0, event["camera"])
        for label in (*LABELS, UNCERTAIN):
            self.predictions.add(0, event["camera"], label)

    def _state(self, event: Event) -> None:
        self._enter(event["camera"], event["camera_state"])
        for reason in {"camera", *self.degraded.labels(), *event["degraded"]}:
            self.degraded.set(reason in event["degraded"], reason)

    def _enter(self, camera: str, state: str) -> None:
        for one in CAMERA_STATES:
            self.camera_state.set(one == state, camera, one)
        self.camera_up.set(state == "ok", camera)
        if state != "ok" and self.faces.labels():
            self.faces.set(0, camera)

    def _update(self, event: Event) -> None:
        self._frame(event)
        camera = event["camera"]
        self.faces.set(event["faces_total"], camera)
        self.analyzed.add(len(event["faces"]), camera)
        for face in event["faces"]:
            self.predictions.add(1, camera, face["emotion"])

    def _aggregate(self, event: Event) -> None:
        """A window; of one that is suppressed only that it was."""
        if event["suppressed"]:
            self.suppressed.add(1, "k")
            return
        shares = event["distribution"] or {}
        self.analyzed.add(event["n_faces"], event["camera"])
        whole = sum(shares.values()) or 1
        for label, share in shares.items():
            self.predictions.add(round(event["n_faces"] * share / whole), event["camera"], label)

    def _read_sinks(self) -> None:
        for name, handed in self._handed.items():
            sinks = [sink for one, sink in self._sinks if one == name]
            self._read_sink(name, handed, sinks)

    def _read_sink(self, name: str, handed: int, sinks: list[Sink]) -> None:
        lost, failed, waiting, capacity, again = (
            self._before_closed.get((name, number), 0)
            + sum(getattr(sink, number, 0) for sink in sinks)
            for number in ("dropped", "failed", "backlog", "capacity", "reconnects")
        )
        self.sink_queue.set(waiting, name)
        if sinks:
            down = [sink in self._closed or bool(getattr(sink, "trouble", "")) for sink in sinks]
            self.sink_up.set(not any(down), name)
        for result, count in (("dropped", lost), ("failed", failed)):
            self.sink_events.set(count, name, result)
        # One that is under way counts as sent and may still be lost; counters never fall.
        sent = handed - lost - failed - waiting
        self.sink_events.set(max(sent, int(self.sink_events.value(name, "sent"))), name, "sent")
        if capacity:
            self.sink_capacity.set(capacity, name)
        if again or any(hasattr(sink, "reconnects") for sink in sinks):
            self.sink_reconnects.set(again, name)
        if last := max((getattr(sink, "last_success", 0.0) for sink in sinks), default=0.0):
            self.sink_success.set(last, name)

    def _read_process(self) -> None:
        self.cpu.set(process_time())
        virtual, resident = _memory_bytes()
        self.virtual.set(virtual)
        self.resident.set(resident)
        self.descriptors.set(len(os.listdir("/proc/self/fd")))
        self.most_descriptors.set(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def resident_bytes() -> int:
    """Memory of this process that is in RAM now."""
    return _memory_bytes()[1]


def _memory_bytes() -> tuple[int, int]:
    """Memory asked for, and the part of it that is in RAM."""
    with open("/proc/self/statm") as file:
        virtual, resident = map(int, file.read().split()[:2])
    page = os.sysconf("SC_PAGE_SIZE")
    return virtual * page, resident * page
