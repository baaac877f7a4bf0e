"""What the daemon counts, from the events themselves, so that metrics and events always agree.

The names are a promise to those who scrape; what is not measured has no line. Our own text writer
keeps the base install free of a client library; prometheus-client's parser checks it in the tests.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from edge_fer.emotions import LABELS, UNCERTAIN
from edge_fer.exposition import Counter, Family, Gauge, Histogram
from edge_fer.protocols import Sink

CAMERA_STATES = ("starting", "ok", "stalled", "frozen", "dark", "obstructed", "lost", "disabled")
DEGRADED = ("camera", "cpu_fallback", "thermal", "power", "sink", "storage")
AGES_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
STAGES_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
REQUESTS_S = (0.1, 1)
"""Few bounds: a device is to have 150 series at most."""

Event = Mapping[str, Any]
Kept = TypeVar("Kept", bound=Family)


class Metrics:
    """All families of one daemon; every method may be called from any thread."""

    def __init__(self) -> None:
        self._families: list[Family] = []
        self._lock = threading.Lock()
        self._before: list[Callable[[], None]] = [self._read_process, self._read_sinks]
        self._sinks: list[tuple[str, Sink]] = []
        self._handed: dict[str, int] = {}
        self._lost_before: dict[str, int] = {}
        self._left_out = 0
        self._greeted = False
        self._of_the_program()
        self._of_the_camera()
        self._of_the_analysis()
        self._of_the_sinks()
        self._of_http()

    def text(self) -> str:
        """The exposition: every series that has a value now."""
        with self._lock:
            for read in self._before:
                read()
            return "".join(f"{line}\n" for family in self._families for line in family.lines())

    def before_text(self, read: Callable[[], None]) -> None:
        """Have a function set its values whenever the text is asked for."""
        self._before.append(read)

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

    def frame_left_out(self, camera: str, reason: str) -> None:
        """A frame had no event, for a reason that is no newer frame."""
        self._left_out += 1
        self.frames_dropped.add(1, camera, reason)

    def inference_failed(self, reason: str) -> None:
        """A frame's analysis failed; it has no event either."""
        self._left_out += 1
        self.inference_errors.add(1, reason)

    def sink_opened(self, name: str, sink: Sink) -> None:
        """Watch the queue of a sink."""
        self._sinks.append((name, sink))
        self._handed.setdefault(name, 0)
        self.sink_up.set(1, name)

    def sink_closed(self, sink: Sink) -> None:
        """Nobody can read a sink any more."""
        for name, one in self._sinks:
            if one is sink:
                self.sink_up.set(0, name)

    def sink_gone(self, sink: Sink) -> None:
        """A sink was closed on purpose: what it lost stays counted, its queue is no more."""
        for name, one in self._sinks:
            if one is sink:
                self._lost_before[name] = self._lost_before.get(name, 0) + sink.dropped
        self._sinks = [(name, one) for name, one in self._sinks if one is not sink]

    def reloaded(self, good: bool) -> None:
        """A configuration was taken, or refused."""
        self.reload_good.set(good)
        if good:
            self.reload_time.set(time.time())

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
        for reason in DEGRADED:
            self.degraded.set(reason in event["degraded"], reason)

    def _enter(self, camera: str, state: str) -> None:
        for one in CAMERA_STATES:
            self.camera_state.set(one == state, camera, one)
        self.camera_up.set(state == "ok", camera)
        if state != "ok":
            self.faces.set(0, camera)

    def _update(self, event: Event) -> None:
        camera, missed = event["camera"], event["dropped_since_last"]
        age_s = event["frame"]["age_ms"] / 1000
        self.frames.add(1 + missed, camera)
        self.frames_dropped.add(max(missed - self._left_out, 0), camera, "superseded")
        self._left_out = 0
        self.last_frame.set(time.time() - age_s, camera)
        self.age.observe(age_s)
        for stage, duration_ms in event["latency_ms"].items():
            self.stages.observe(duration_ms / 1000, stage)
        self.faces.set(event["faces_total"], camera)
        self.analyzed.add(len(event["faces"]), camera)
        for face in event["faces"]:
            self.predictions.add(1, camera, face["emotion"])

    def _aggregate(self, event: Event) -> None:
        """Faces by their means alone, and only of windows that may be told."""
        if not event["suppressed"]:
            self.analyzed.add(event["n_faces"], event["camera"])

    def _read_sinks(self) -> None:
        lost = dict(self._lost_before)
        waiting: dict[str, int] = {}
        for name, sink in self._sinks:
            lost[name] = lost.get(name, 0) + sink.dropped
            waiting[name] = waiting.get(name, 0) + sink.backlog
        for name, handed in self._handed.items():
            self.sink_queue.set(waiting.get(name, 0), name)
            self.sink_events.set(lost.get(name, 0), name, "dropped")
            sent = handed - lost.get(name, 0) - waiting.get(name, 0)
            # One that is under way counts as sent and may still be lost; counters never fall.
            sent = max(sent, int(self.sink_events.value(name, "sent")))
            self.sink_events.set(sent, name, "sent")

    def _read_process(self) -> None:
        self.cpu.set(time.process_time())
        self.memory.set(resident_bytes())
        self.descriptors.set(len(os.listdir("/proc/self/fd")))

    def _of_the_program(self) -> None:
        self.build = self._gauge("build_info", "Versions.", "version", "python")
        labels = ("model", "format", "precision", "engine", "sha256")
        self.model = self._gauge("model_info", "Precision is the one executed.", *labels)
        self.degraded = self._gauge("degraded", "1 while it is so.", "reason")
        self.clock = self._gauge("clock_synchronized", "1 while something keeps the clock right.")
        self.temperature = self._gauge("soc_temperature_celsius", "By thermal zone.", "zone")
        self.temperature_age = self._gauge(
            "thermal_reading_age_seconds", "Since the last reading of the oldest zone."
        )
        self.loops = self._gauge(
            "loop_last_iteration_timestamp_seconds", "When a loop last went round.", "loop"
        )
        self.reload_good = self._gauge(
            "config_last_reload_successful", "1 unless the last reload kept the old one."
        )
        self.reload_time = self._gauge(
            "config_last_reload_success_timestamp_seconds", "When the configuration was last taken."
        )
        self.clock_jumps = self._counter(
            "clock_jumps_total", "Steps of the wall clock.", "direction"
        )
        self.pings = self._counter("watchdog_pings_total", "Looks that found the loop at work.")
        self.cpu = self._keep(Counter("process_cpu_seconds_total", "Time on all processors."))
        self.memory = self._keep(Gauge("process_resident_memory_bytes", "Memory in RAM."))
        self.descriptors = self._keep(Gauge("process_open_fds", "Open file descriptors."))
        start = self._keep(Gauge("process_start_time_seconds", "When the daemon was started."))
        start.set(time.time())

    def _of_the_camera(self) -> None:
        self.camera_up = self._gauge("camera_up", "1 while the camera gives frames.", "camera")
        self.camera_state = self._gauge("camera_state", "One of them is 1.", "camera", "state")
        self.frames = self._counter("camera_frames_total", "Frames that came.", "camera")
        self.frames_dropped = self._counter(
            "camera_frames_dropped_total", "Frames without an event.", "camera", "reason"
        )
        self.reopens = self._counter(
            "camera_reopens_total", "Times the camera was given up.", "camera", "reason"
        )
        self.last_frame = self._gauge(
            "camera_last_frame_timestamp_seconds", "When the last frame was taken.", "camera"
        )

    def _of_the_analysis(self) -> None:
        self.age = self._keep(
            Histogram("edge_fer_frame_age_seconds", "From capture to event.", AGES_S)
        )
        self.stages = self._keep(
            Histogram("edge_fer_stage_duration_seconds", "Of one frame.", STAGES_S, "stage")
        )
        self.faces = self._gauge("faces", "Faces in the last frame.", "camera")
        self.analyzed = self._counter("faces_analyzed_total", "Faces inferred.", "camera")
        self.predictions = self._counter(
            "predictions_total", "Expressions worn, not feelings.", "camera", "emotion"
        )
        self.inference_errors = self._counter(
            "inference_errors_total", "Frames whose analysis failed.", "reason"
        )
        self.engine_restarts = self._counter(
            "engine_restarts_total", "Times the model was loaded again.", "reason"
        )

    def _of_the_sinks(self) -> None:
        self.sink_up = self._gauge("sink_up", "1 while the sink can deliver.", "sink")
        self.sink_events = self._counter(
            "sink_events_total", "By what became of them.", "sink", "result"
        )
        self.sink_queue = self._gauge("sink_queue_length", "Events that wait.", "sink")

    def _of_http(self) -> None:
        self.requests = self._counter(
            "http_requests_total", "By the route's template.", "route", "code"
        )
        name = "edge_fer_http_request_duration_seconds"
        self.request_duration = self._keep(
            Histogram(name, "Streams are not timed.", REQUESTS_S, "route")
        )
        self.rejected = self._counter("http_rejected_total", "Refused at the door.", "reason")
        self.clients = self._gauge("http_clients", "Open streams.", "kind")

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return self._keep(Gauge(f"edge_fer_{name}", meaning, *labels))

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return self._keep(Counter(f"edge_fer_{name}", meaning, *labels))

    def _keep(self, family: Kept) -> Kept:
        self._families.append(family)
        return family


def resident_bytes() -> int:
    """Memory of this process that is in RAM now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
