"""A real `edge-fer run` in a process of its own, with real sinks, looked at from outside."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from benchmarks.pipeline_parts import CLIP, FPS, PACE
from benchmarks.processes import Cost, cost
from edge_fer.errors import EngineError

START_S = 300.0
PROGRAM = (
    "from benchmarks.pipeline_parts import install; install(); "
    "from edge_fer.cli import main; main()"
)
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
FRAMES = re.compile(r"^edge_fer_camera_frames_total\{[^}]*\} (\d+)", re.MULTILINE)


@dataclass
class Live:
    """What a daemon did at a given frame rate."""

    first_prediction_s: float = 0.0
    ages_ms: list[int] = field(default_factory=list)
    classify_ms: list[float] = field(default_factory=list)
    analysed: int = 0
    missed: int = 0
    faces: int = 0
    wall_s: float = 0.0
    cost: Cost | None = None
    """Steady, at the end."""
    cpu_share: float = 0.0
    """Of one core, while frames came."""


def free_port() -> int:
    """One that nobody has, on loopback."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def broker(folder: Path) -> Iterator[int | None]:
    """A mosquitto on loopback; None where it is not installed."""
    if MOSQUITTO is None:
        yield None
        return
    port, config = free_port(), folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def daemon(
    bundle: Path, clip: Path, fps: float, sinks: list[str], pace: str = "live"
) -> Iterator[subprocess.Popen[str]]:
    """`edge-fer run` on a clip; ends with the block. An EngineError is told with its last words."""
    command = [sys.executable, "-c", PROGRAM, "run", "--camera", "clip:", "--bundle", str(bundle)]
    command += [part for sink in sinks for part in ("--sink", sink)]
    settings = {CLIP: str(clip), FPS: str(fps), PACE: pace}
    with TemporaryFile("w+") as words:
        process = subprocess.Popen(
            [*command, "--purpose", "benchmark"],
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            env={**os.environ, **settings},
        )
        try:
            yield process
        except EngineError as error:
            words.seek(0)
            last = (words.read().splitlines() or ["nothing was said"])[-1]
            raise EngineError(f"{error}: {last}") from error
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run_live(
    bundle: Path, clip: Path, fps: float, seconds: float, port: int | None, settle_s: float = 3.0
) -> Live:
    """Age, drops, CPU and memory at a frame rate, with `mqtt` (where there is one) and `http`."""
    result, sinks = Live(), ["jsonl:-", f"http:{free_port()}"]
    if port is not None:
        sinks.append(f"mqtt:host=127.0.0.1,port={port}")
    began = time.monotonic()
    with daemon(bundle, clip, fps, sinks) as process:
        assert process.stdout is not None
        start: tuple[float, Cost] | None = None
        for line in process.stdout:
            event, now = json.loads(line), time.monotonic()
            if event["type"] != "update":
                continue
            if not result.first_prediction_s and event["faces"]:
                result.first_prediction_s = now - began
            if now - began < result.first_prediction_s + settle_s:
                continue
            start = start or (now, cost(process.pid))
            _count(result, event)
            if now - start[0] >= seconds:
                break
        if start is None:
            raise EngineError(f"edge-fer run ended with {process.wait(10)} without a face")
        result.cost = cost(process.pid)
        result.wall_s = time.monotonic() - start[0]
        result.cpu_share = (result.cost.cpu_s - start[1].cpu_s) / result.wall_s
    return result


def _count(result: Live, event: dict[str, Any]) -> None:
    result.analysed += 1
    result.missed += event["dropped_since_last"]
    result.faces += event["faces_total"]
    result.ages_ms.append(event["frame"]["age_ms"])
    result.classify_ms.append(event["latency_ms"]["classify"])


def run_long(
    bundle: Path, clip: Path, marks: tuple[int, int], port: int | None
) -> dict[int, tuple[int, Cost]]:
    """Costs at two numbers of frames, with a fast engine, real sinks and one viewer that reads.

    Gives for each mark the frame at which it was really looked at, and the cost.
    """
    http = free_port()
    sinks = [f"http:{http}", *([f"mqtt:host=127.0.0.1,port={port}"] if port else [])]
    looked: dict[int, tuple[int, Cost]] = {}
    with daemon(bundle, clip, 30, sinks, pace="fast") as process:
        _until_it_answers(http, process)
        viewer = threading.Thread(target=_view, args=(http,), daemon=True)
        viewer.start()
        for mark in marks:
            looked[mark] = _at(mark, http), cost(process.pid)
    return looked


def _at(mark: int, port: int) -> int:
    """Wait until so many frames were analysed; gives how many they were by then."""
    try:
        while (frames := _frames(port)) < mark:
            time.sleep(0.2)
    except OSError as error:
        raise EngineError(f"edge-fer run answers no more ({error})") from error
    return frames


def _until_it_answers(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            _frames(port)
            return
        time.sleep(0.1)
    raise EngineError("edge-fer run did not answer on its http sink")


def _frames(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        found = FRAMES.search(answer.read().decode())
    return int(found[1]) if found else 0


def _view(port: int) -> None:
    """Read server-sent events until the end."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/events", timeout=60) as answer:
        while answer.read(65536):
            pass


def ages(live: Live) -> tuple[float, float]:
    """p50 and p99 of the frame age, in milliseconds."""
    p50, p99 = np.percentile(live.ages_ms, (50, 99))
    return float(p50), float(p99)
