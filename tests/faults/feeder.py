"""A sink in a process of its own, fed at a steady rate: so its memory and pace are its own.

    python feeder.py FOLDER SPEC RATE FACES [COUNT]

Prints `ready` and the port, and `fed` after COUNT events; lives until stdin ends.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
from fakes import fake_bundle, frame_of
from served import prediction

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.emotions import Emotion
from edge_fer.pipeline import Recognition
from edge_fer.sinks import open_sink
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry import thermal
from edge_fer.telemetry.metrics import Metrics


def main() -> None:
    """The command line above."""
    if zones := os.environ.get("FAULTS_ZONES"):
        thermal.ZONES = Path(zones)
    folder, spec, rate, faces = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    config = RunConfig(sinks=(spec,), purpose="art", device="pi-hall", camera_id="front")
    metrics = Metrics()
    sink, events = (
        open_sink(spec, Setting(config, metrics)),
        Events(config, fake_bundle(folder / "b")),
    )
    metrics.sink_opened("sink", sink)
    for event in (events.hello("int8", "fake 1.0", "fake"), events.state("ok")):
        metrics.event(event)
        sink.write(event)
    print("ready", getattr(sink, "port", 0), flush=True)
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    image = np.zeros((480, 640, 3), np.uint8)
    found = tuple(prediction(n, Emotion.HAPPY) for n in range(faces))
    count = int(sys.argv[5]) if len(sys.argv) > 5 else sys.maxsize
    start, index = time.monotonic(), 0
    while not done.wait(max(start + index / rate - time.monotonic(), 0)):
        event = events.update(Recognition(frame_of(image, index), found, faces, 8.0, 12.0))
        metrics.event(event)
        sink.write(event)
        index += 1
        if index == count:
            print("fed", flush=True)
            done.wait()
    sink.close()


if __name__ == "__main__":
    main()
