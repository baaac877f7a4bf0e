"""A subject of the benchmark: a model in a process of its own, asked by lines of JSON."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_fer import errors
from edge_fer.errors import EngineError

PATIENCE_S = 900.0
"""Longest wait for one answer; importing TensorFlow on a small board takes a minute."""
ROOT = Path(__file__).resolve().parent.parent


class Subject:
    """The near end of one worker process."""

    def __init__(
        self,
        name: str,
        role: str,
        path: Path,
        cores: tuple[int, ...],
        precision: str = "fp32",
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        """`precision` and `environment` concern the baseline alone.

        `command` starts another worker that answers the same lines.
        """
        self.name, self.role, self.path = name, role, path.absolute()
        self._cores, self._precision = cores, precision
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (close() closes it)
        self._process = subprocess.Popen(
            command or [sys.executable, "-m", "benchmarks.worker"],
            # From there, so that the worker is of the same edge-fer whatever the user's folder.
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env={**os.environ, **(environment or {})},
            # A Ctrl-C is for the run: it decides what becomes of its workers.
            start_new_session=True,
        )

    @property
    def process_id(self) -> int:
        """Of the worker."""
        return self._process.pid

    def load(self) -> dict[str, Any]:
        """Make the model ready; gives `load_ms` and the fields of `report.Model`."""
        cores = list(self._cores)
        return self.ask(
            "load", role=self.role, path=str(self.path), cores=cores, precision=self._precision
        )

    def see(self, faces: Path) -> None:
        """Choose the .npy file of (N, size, size, 3) uint8 faces for all that follows."""
        self.ask("see", path=str(faces))

    def time(self, start: int, count: int, seconds: float = 0.0) -> list[int]:
        """Nanoseconds of single inferences, over the faces from number `start` on.

        At least `count` of them, and as many more as it takes to fill `seconds`.
        """
        taken: list[int] = self.ask("time", start=start, count=count, seconds=seconds)["ns"]
        return taken

    def stream(self, batch: int, seconds: float) -> list[int]:
        """Nanoseconds of requests of `batch` faces each, as many as fill `seconds`."""
        taken: list[int] = self.ask("stream", batch=batch, seconds=seconds)["ns"]
        return taken

    def predict(self, start: int, stop: int) -> list[list[float]]:
        """(stop - start, 7) scores of the faces `start` to `stop`."""
        scores: list[list[float]] = self.ask("predict", start=start, stop=stop)["scores"]
        return scores

    def memory(self) -> tuple[int, int]:
        """Largest resident memory so far, and the present one, in bytes."""
        told = self.ask("memory")
        return int(told["peak_rss_bytes"]), int(told["steady_rss_bytes"])

    def int8_share(self) -> float | None:
        """Share of the multiplications on 8-bit integers; None where it is not known."""
        share: float | None = self.ask("work")["int8_share"]
        return share

    def ask(self, do: str, **values: Any) -> dict[str, Any]:
        """Send a command and wait; raises the worker's own error, or EngineError if it died."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps({"do": do, **values}).encode() + b"\n")
            self._process.stdin.flush()
            ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
            line = self._process.stdout.readline() if ready else None
        except BrokenPipeError:
            line = b""
        if line is None:
            self._process.kill()
            raise EngineError(f"{self.name}: no answer to {do!r} in {PATIENCE_S:.0f} s; stopped")
        if not line:
            raise self._death(do)
        return self._checked(json.loads(line))

    def close(self) -> None:
        """End the process: it holds nothing that is worth waiting for."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with suppress(OSError):
                    stream.close()
        self._complaints.close()

    def _checked(self, answer: dict[str, Any]) -> dict[str, Any]:
        if "error" in answer:
            kind = getattr(errors, answer["kind"], EngineError)
            raise kind(answer["error"])
        return answer

    def _death(self, do: str) -> EngineError:
        """The error of a process that ended without an answer, with its last words."""
        status = self._process.wait()
        self._complaints.seek(max(0, self._complaints.seek(0, os.SEEK_END) - 2000))
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        last = f": {lines[-1]}" if lines else ""
        return EngineError(f"{self.name}: its process ended at {do!r} with {how}{last}")
