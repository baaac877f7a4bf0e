"""The metrics that a daemon has, by name: a promise to those who scrape them.

What is not measured has no line. With one camera a device is to have about 150 series, which is why
the histograms of stages and requests have few bounds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TypeVar

from edge_fer.telemetry.exposition import Counter, Family, Gauge, Histogram

AGES_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
STAGES_S = (0.005, 0.02, 0.05, 0.2)
REQUESTS_S = (0.2,)
"""The longest that `/healthz` may take under load."""

Kept = TypeVar("Kept", bound=Family)


class Families:
    """Every family of one daemon, empty."""

    def __init__(self) -> None:
        self._families: list[Family] = []
        self._lock = threading.Lock()
        self._of_the_program()
        self._of_the_camera()
        self._of_the_analysis()
        self._of_the_sinks()
        self._of_http()
        self._of_the_machine()
        self._of_the_process()

    def lines(self) -> Iterator[str]:
        """The text of every family that has a value."""
        return (line for family in self._families for line in family.lines())

    def _of_the_program(self) -> None:
        self.build = self._gauge("build_info", "Versions.", "version", "python")
        labels = ("model", "format", "precision", "engine", "sha256")
        self.model = self._gauge("model_info", "Precision is the one executed.", *labels)
        self.reload_good = self._gauge(
            "config_last_reload_successful", "0 while the old configuration stays."
        )
        self.reload_time = self._gauge(
            "config_last_reload_success_timestamp_seconds", "When a configuration was last taken."
        )
        self.degraded = self._gauge("degraded", "1 while it is so.", "reason")
        self.model_rejected = self._counter(
            "model_rejected_total", "Bundles that were refused.", "reason"
        )
        self.loops = self._gauge(
            "loop_last_iteration_timestamp_seconds", "When a loop last went round.", "loop"
        )
        self.pings = self._counter("watchdog_pings_total", "Signs of life sent to systemd.")

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
        self.age = self._histogram("frame_age_seconds", "From capture to event.", AGES_S, "camera")
        self.stages = self._histogram("stage_duration_seconds", "Of one frame.", STAGES_S, "stage")
        self.faces = self._gauge("faces", "Faces in the last frame.", "camera")
        self.analyzed = self._counter("faces_analyzed_total", "Faces inferred.", "camera")
        self.predictions = self._counter(
            "predictions_total", "Expressions worn, not feelings.", "camera", "emotion"
        )
        self.suppressed = self._counter(
            "suppressed_windows_total", "Windows about which nothing may be told.", "reason"
        )
        self.inference_errors = self._counter(
            "inference_errors_total", "Frames whose analysis failed.", "reason"
        )
        self.engine_restarts = self._counter(
            "engine_restarts_total", "Times the engine was started again.", "reason"
        )

    def _of_the_sinks(self) -> None:
        self.sink_up = self._gauge("sink_up", "1 while the sink can deliver.", "sink")
        self.sink_events = self._counter(
            "sink_events_total", "By what became of them.", "sink", "result"
        )
        self.sink_queue = self._gauge("sink_queue_length", "Events that wait.", "sink")
        self.sink_capacity = self._gauge("sink_queue_capacity", "Events that can wait.", "sink")
        self.sink_reconnects = self._counter(
            "sink_reconnects_total", "Times it was connected again.", "sink"
        )
        self.sink_success = self._gauge(
            "sink_last_success_timestamp_seconds", "When an event was last delivered.", "sink"
        )
        self.written = self._counter("storage_written_bytes_total", "Bytes of events in files.")

    def _of_http(self) -> None:
        self.requests = self._counter(
            "http_requests_total", "By the route's template.", "route", "code"
        )
        self.request_duration = self._histogram(
            "http_request_duration_seconds", "Streams are not timed.", REQUESTS_S, "route"
        )
        self.rejected = self._counter("http_rejected_total", "Refused at the door.", "reason")
        self.clients = self._gauge("http_clients", "Open streams.", "kind")

    def _of_the_machine(self) -> None:
        self.clock = self._gauge("clock_synchronized", "1 while something keeps the clock right.")
        self.clock_jumps = self._counter(
            "clock_jumps_total", "Times the clock was set by over a second.", "direction"
        )
        self.temperature = self._gauge("soc_temperature_celsius", "By thermal zone.", "zone")
        self.temperature_age = self._gauge(
            "thermal_reading_age_seconds", "Since the last reading of the oldest zone."
        )
        self.power = self._gauge("power_flag", "1 while the board says so.", "flag")

    def _of_the_process(self) -> None:
        """The names that every Prometheus client library gives them."""
        self.cpu = self._keep(Counter("process_cpu_seconds_total", "Time on all processors."))
        self.resident = self._keep(Gauge("process_resident_memory_bytes", "Memory in RAM."))
        self.virtual = self._keep(Gauge("process_virtual_memory_bytes", "Memory asked for."))
        self.descriptors = self._keep(Gauge("process_open_fds", "Open file descriptors."))
        self.most_descriptors = self._keep(Gauge("process_max_fds", "Most of them."))
        self.started = self._keep(
            Gauge("process_start_time_seconds", "When the daemon was started.")
        )

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return self._keep(Gauge(f"edge_fer_{name}", meaning, *labels))

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return self._keep(Counter(f"edge_fer_{name}", meaning, *labels))

    def _histogram(
        self, name: str, meaning: str, bounds: tuple[float, ...], *labels: str
    ) -> Histogram:
        return self._keep(Histogram(f"edge_fer_{name}", meaning, bounds, *labels))

    def _keep(self, family: Kept) -> Kept:
        self._families.append(family)
        return family
