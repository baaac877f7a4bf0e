"""The worker that runs the stick's models: started, asked, and never left behind."""

from __future__ import annotations

import json
import mmap
import os
import signal
import socket
import struct
import subprocess
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from edge_fer.emotions import LABELS
from edge_fer.errors import EngineError
from edge_fer.types import FaceBatch, ScoreBatch

SCRIPT = Path(__file__).with_name("myriad_worker.py")
ROOM = 16
"""Faces that the shared memory holds; larger batches go in parts."""
START_S = 75.0
"""For loading the runtime and the model, and booting the stick: seconds, but on a busy machine;
less than the unit's TimeoutStartSec, so that a stick that hangs is named, or given up for the
fallback, before systemd ends the daemon."""
ANSWER_S = 7.0
"""For a roomful of faces, which take a second or two; less than the 10 s after which the daemon
ends, for a stick that hangs may be opened again, or given up for the fallback."""
END_S = 5.0
LARGEST_ANSWER = 65536


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is started for."""

    name: str
    """Of the model, for messages."""
    python: Path
    device: str
    graph: bytes
    weights: bytes
    size: int
    """Side of a face, in pixels."""
    threads: int = 1
    load: bool = True
    """False: only find out whether the device could run every layer; that needs no device."""


class Worker:
    """One process with one model on one device."""

    def __init__(self, job: Job) -> None:
        self._name = job.name
        faces, scores = ROOM * job.size * job.size * 3, ROOM * len(LABELS) * 4
        model_file = _in_memory("model", job.graph + job.weights)
        memory_file = _in_memory("faces", bytes(faces + scores))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        asked = {
            "device": job.device,
            "threads": job.threads,
            "load": job.load,
            "size": job.size,
            "room": ROOM,
            "graph_bytes": len(job.graph),
            "channel": theirs.fileno(),
            "model": model_file,
            "memory": memory_file,
        }
        self._said = open(_in_memory("said", b""), "w+b")  # noqa: SIM115 - closed by `_end`
        try:
            self._process = subprocess.Popen(
                # -I: neither the user's packages nor PYTHONPATH reach it.
                [job.python, "-I", SCRIPT, json.dumps(asked)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                pass_fds=(theirs.fileno(), model_file, memory_file),
            )
            self._shared = mmap.mmap(memory_file, faces + scores)
        except OSError as error:
            ours.close()
            self._said.close()
            raise self._error(f"{job.python} does not start ({error.strerror})") from error
        finally:
            theirs.close()
            os.close(model_file)
            os.close(memory_file)
        self._channel = ours
        self.close = weakref.finalize(self, _end, os.getpid(), self._process, ours, self._said)
        """Ends the process; runs by itself when nobody holds this any more."""
        self._faces = np.frombuffer(self._shared, np.uint8, faces)
        self._faces = self._faces.reshape(ROOM, job.size, job.size, 3)
        self._scores = np.frombuffer(self._shared, np.float32, offset=faces).reshape(ROOM, -1)

    def facts(self) -> dict[str, Any]:
        """What the worker says of its model once it is ready, or its `fault` and `reason`."""
        return self._answer(START_S)

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """At most ROOM faces to their scores; raises EngineError when the worker cannot."""
        self._faces[: len(faces)] = faces
        try:
            self._channel.send(struct.pack("<I", len(faces)))
        except OSError:
            raise self._death() from None
        answer = self._answer(ANSWER_S)
        if answer:
            raise self._error(answer["reason"])
        return np.array(self._scores[: len(faces)])

    def _answer(self, patience_s: float) -> dict[str, Any]:
        if not self.close.alive:
            raise self._error("its worker process has ended")
        self._channel.settimeout(patience_s)
        try:
            packet = self._channel.recv(LARGEST_ANSWER)
        except TimeoutError:
            self.close()
            raise self._error(f"no answer in {patience_s:.0f} s; its worker was ended") from None
        except OSError:
            packet = b""
        if not packet:
            raise self._death()
        answer: dict[str, Any] = json.loads(packet)
        return answer

    def _death(self) -> EngineError:
        """The error that says how the process ended."""
        if not self.close.alive:
            return self._error("its worker process has ended")
        try:
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            code = 0
        last = _last_line(self._said)
        self.close()
        how = signal.Signals(-code).name if code < 0 else f"status {code}"
        return self._error(f"its worker process ended with {how}{last and f' ({last})'}")

    def _error(self, reason: str) -> EngineError:
        return EngineError(f"{self._name}: {reason}")


def _end(
    owner: int, process: subprocess.Popen[bytes], channel: socket.socket, said: IO[bytes]
) -> None:
    """Kill and reap: the runtime of the stick is known to hang when asked to end."""
    if os.getpid() != owner:  # a fork of the owner ends, not the owner
        return
    process.kill()
    channel.close()
    assert process.stdin is not None
    process.stdin.close()
    said.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:  # stuck in the kernel, on a stick that was pulled out
        return


def _in_memory(name: str, content: bytes) -> int:
    """A descriptor of a file without a name, which ends with the last process that holds it."""
    descriptor = os.memfd_create(f"edge-fer-{name}")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _last_line(file: IO[bytes]) -> str:
    file.seek(0)
    lines = file.read()[-2000:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
