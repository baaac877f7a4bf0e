"""B2, F1, F3, G1, M1, M2, U6: the daemon's own life, by processes of fake parts."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from fakes import fake_bundle
from table import Figure, row
from test_config_rows import SECURITY, broken_files, document, misspelt

from edge_fer.bundle import open_bundle
from edge_fer.errors import BundleError, ConfigError
from edge_fer.settings import Plan

TESTS = Path(__file__).resolve().parent.parent
DAEMON = """
import sys, time
from pathlib import Path
from fakes import ENTRIES, FakeEngine
from edge_fer.config import RunConfig
from edge_fer.daemon.main import run
from edge_fer.daemon.lock import only_daemon

for table, name, member in ENTRIES:
    table[name] = member
infer = FakeEngine.infer
def hanging(self, faces):
    if sys.argv[3] == "hang" and len(self.batches) > 5:
        time.sleep(3600)
    return infer(self, faces)
FakeEngine.infer = hanging
camera = sys.argv[4]
folder, bundle = map(Path, sys.argv[1:3])
config = RunConfig(camera=camera, bundle=bundle, detector="fake", state_dir=folder)
with only_daemon(config):
    sys.exit(run(config))
"""
SITUATIONS = {
    "running": ("", "fake:then=more"),
    "camera absent": ("", "fake:absent=1000000"),
    "camera hung": ("", "fake:frames=1,then=hang"),
    "inference hung": ("hang", "fake:then=more"),
}


def daemon(folder: Path, how: str = "", camera: str = "fake:then=more") -> subprocess.Popen[str]:
    """A daemon of fakes in a process of its own."""
    bundle = folder / "bundle"
    if not bundle.exists():
        fake_bundle(bundle)
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    return subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(folder), str(bundle), how, camera],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def until(process: subprocess.Popen[str], kind: str) -> None:
    """Read its events up to the first of a kind."""
    assert process.stdout is not None
    while json.loads(process.stdout.readline())["type"] != kind:
        pass


def command(folder: Path, *arguments: str) -> tuple[int, float]:
    """Status and seconds of one `edge-fer run`."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "edge_fer.cli", "run", *arguments],
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent)},
        check=False,
    )
    return done.returncode, time.monotonic() - began


@row("F1", "200 of 200 broken files name line and key", 0.2)
def broken(folder: Path) -> Figure:
    path, named = folder / "edge-fer.toml", 0
    for text, line, key in broken_files(200):
        path.write_text(text)
        try:
            Plan({}, path).read()
        except ConfigError as error:
            named += str(error).startswith(f"{path}:{line} {key}: ")
    return Figure(f"{named} of 200", named == 200)


@row("F3", "0 starts with a security key misspelt", 0.2)
def misspelt_keys(folder: Path) -> Figure:
    path, chance, tried, started = folder / "edge-fer.toml", random.Random(3), 0, 0
    for key in SECURITY:
        for _ in range(100):
            path.write_text(document(key, misspelt(key.rpartition(".")[2], chance)))
            tried += 1
            try:
                Plan({}, path).read()
                started += 1
            except ConfigError:
                pass
    return Figure(f"{started} of {tried}", started == 0)


@row("M1", "model missing: exit 78 in 2 s", 0.1)
def missing(folder: Path) -> Figure:
    path = fake_bundle(folder / "bundle").path
    (path / "m.tflite").unlink()
    status, seconds = command(folder, "--bundle", str(path), "--camera", "synthetic:")
    return Figure(f"exit {status} in {seconds:.2f} s", status == 78 and seconds <= 2)


@row("M2", "1,000 of 1,000 flipped bits refused", 0.2)
def flipped(folder: Path) -> Figure:
    path = fake_bundle(folder / "bundle").path
    model, refused = path / "m.tflite", 0
    manifest = path / "manifest.json"
    content = random.Random(2).randbytes(4096)
    old = open_bundle(path).manifest.files["m.tflite"]
    model.write_bytes(content)
    new = hashlib.sha256(content).hexdigest()
    manifest.write_text(manifest.read_text().replace(old, new))
    open_bundle(path)
    with model.open("r+b", buffering=0) as file:
        for bit in random.Random(1).sample(range(8 * 4096), 1000):
            byte = content[bit // 8]
            os.pwrite(file.fileno(), bytes([byte ^ 1 << bit % 8]), bit // 8)
            try:
                open_bundle(path)
            except BundleError:
                refused += 1
            os.pwrite(file.fileno(), bytes([byte]), bit // 8)
    return Figure(f"{refused} of 1,000", refused == 1000)


@row("B2", "a hanging inference ends the process with 70 in 12 s", 0.4)
def hanging(folder: Path) -> Figure:
    process = daemon(folder, "hang")
    assert process.stdout is not None
    last = time.monotonic()
    for _ in process.stdout:
        last = time.monotonic()
    status, seconds = process.wait(), time.monotonic() - last
    text = f"exit {status}, {seconds:.1f} s after the last event"
    return Figure(text, status == 70 and seconds <= 12)


@row("U6", "the second daemon exits 75 in 1 s, a stale lock is taken over", 0.2)
def second(folder: Path) -> Figure:
    first = daemon(folder)
    until(first, "update")
    arguments = ("--camera", "synthetic:", "--state-dir", str(folder), "--bundle", "bundle")
    status, seconds = command(folder, *arguments)
    first.kill()
    first.communicate()
    again = daemon(folder)
    until(again, "update")
    again.kill()
    again.communicate()
    text = f"exit {status} in {seconds:.2f} s; taken over after SIGKILL"
    return Figure(text, status == 75 and seconds <= 1)


@row("G1", "SIGTERM ends with 0 in 5 s, in every state", 0.5)
def terminated(folder: Path) -> Figure:
    texts, good = [], True
    for name, (how, camera) in SITUATIONS.items():
        process = daemon(folder, how, camera)
        until(process, "state")
        time.sleep(1)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate()
        seconds = time.monotonic() - began
        good = good and process.returncode == 0 and seconds <= 5
        texts.append(f"{name} {process.returncode} in {seconds:.1f} s")
    return Figure("; ".join(texts), good)
