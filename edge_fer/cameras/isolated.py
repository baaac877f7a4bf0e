"""A live camera in a process of its own, seen from the daemon."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

from edge_fer import errors
from edge_fer.cameras import slot, without_credentials
from edge_fer.cameras.look import Look
from edge_fer.cameras.pixels import to_bgr
from edge_fer.cameras.shot import Source
from edge_fer.errors import BadData, CameraError
from edge_fer.notices import notice
from edge_fer.types import Frame

TERM_S = 0.5
"""For a driver to close its camera in order, before SIGKILL."""
GIVE_UP_S = 5.0
"""Longest wait of `close`: a process in a driver's uninterruptible sleep outlives SIGKILL."""
DEBUG = "EDGE_FER_DEBUG"
"""Environment variable: set, what the driver's libraries say on stderr is shown."""


class IsolatedCamera:
    """The newest frame of a camera whose driver may hang or crash without us."""

    live = True
    decode_s: float | None = None
    """Seconds that the last frame took from the camera's own bytes to a picture."""

    def __init__(
        self,
        name: str,
        member: str,
        argument: str,
        source: Source,
        look: Look,
        memory: dict[str, str],
    ) -> None:
        """Start the process and return; that the camera cannot be opened, `next` says."""
        self.moves = look.frozen
        self.interval_s = 1 / source.fps if source.fps else 0.0
        self._name, self._look, self._memory = name, look, memory
        self._left_out: dict[str, int] = {}
        self._counted = dict.fromkeys(slot.COUNTS, 0)
        self._last, self._pending, self._finished = -1, b"", False
        self._error: CameraError | None = None
        order = {"name": name, "member": member, "argument": argument, "memory": memory}
        self._start(json.dumps(order).encode() + b"\n")

    @property
    def ended(self) -> bool:
        """True once it was closed."""
        return self._finished

    @property
    def gone(self) -> bool:
        """True when the process is no more; one that cannot be killed may hold the device."""
        return self._process.poll() is not None

    @property
    def pid(self) -> int:
        """The capture process."""
        return self._process.pid

    def next(self, timeout: float) -> Frame | None:
        """The newest frame not yet taken; None after `timeout` seconds or when closed.

        Raises CameraError, or the error of a wrong spec, once the process has ended.
        """
        deadline = time.monotonic() + timeout
        while not self._finished:
            left = max(deadline - time.monotonic(), 0.0)
            if not self._poll.poll(1000 * left):
                return None
            self._read_news()
            frame = self._take()
            if frame is not None:
                return frame
            if self._error is not None:
                raise self._error
        return None

    def left_out(self) -> dict[str, int]:
        """Frames dropped since the last call, by reason; each has used a number."""
        for reason, count in self._slot.missed().items() if not self._finished else ():
            self._leave_out(reason, count - self._counted[reason])
            self._counted[reason] = count
        told, self._left_out = self._left_out, {}
        return told

    def __iter__(self) -> Iterator[Frame]:
        """Frames until it is closed; a frame is the newest at the time it is asked for."""
        while not self._finished:
            frame = self.next(timeout=1.0)
            if frame is not None:
                yield frame

    def close(self) -> None:
        """End the process: SIGTERM, SIGKILL after half a second; gives up after 5 s."""
        if self._finished:
            return
        self._finished = True
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(TERM_S)
        self._signal(signal.SIGKILL)
        with suppress(OSError):
            self._lifeline.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GIVE_UP_S - TERM_S)
        os.close(self._news)
        self._slot.close()

    def _start(self, order: bytes) -> None:
        """Raises CameraError where descriptors, threads or memory do not suffice now."""
        held: list[int] = []
        try:
            held.append(slot.create())
            held.extend(os.pipe())
            memory, self._news, told = held
            os.set_blocking(self._news, False)
            self._slot = slot.Slot(memory)
            self._process = _started(memory, told)
        except OSError as error:
            for descriptor in held:
                os.close(descriptor)
            why = f"no process could be started for it ({error.strerror})"
            raise CameraError(f"camera {self._name}: {why}") from error
        os.close(told)
        assert self._process.stdin is not None
        self._lifeline = self._process.stdin
        self._poll = select.poll()
        self._poll.register(self._news, select.POLLIN)
        with suppress(BrokenPipeError):  # it has died already: its end is read as any other
            self._lifeline.write(order)
            self._lifeline.flush()

    def _read_news(self) -> None:
        """Take what the process has said; at its end, why."""
        with suppress(BlockingIOError):
            while data := os.read(self._news, 65536):
                *lines, self._pending = (self._pending + data).split(b"\n")
                for line in filter(None, lines):
                    self._heed(json.loads(line))
            if self._error is None:
                self._error = CameraError(self._how_it_ended())

    def _heed(self, news: dict[str, object]) -> None:
        if isinstance(learnt := news.get("memory"), dict):
            self._memory.update(learnt)
            if remark := self._memory.pop("remark", None):
                notice(f"camera {self._name}: {remark}")
        elif "error" in news:
            kind = getattr(errors, str(news["error"]), CameraError)
            # A pipeline's own words may repeat the address that it was given.
            self._error = kind(without_credentials(str(news["text"])))

    def _take(self) -> Frame | None:
        with self._slot.newest() as taken:
            if taken is None or taken.index == self._last:
                return None
            self._last, began = taken.index, time.perf_counter()
            try:
                image = self._look.upright(to_bgr(taken.shot))
                self.decode_s = time.perf_counter() - began
            except BadData:
                self._leave_out("decode_error", 1)
                return None
            captured = taken.shot.captured
        now, unix = time.monotonic(), time.time()
        return Frame(image, taken.index, captured, unix - (now - captured))

    def _leave_out(self, reason: str, count: int) -> None:
        if count:
            self._left_out[reason] = self._left_out.get(reason, 0) + count

    def _how_it_ended(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            status = self._process.wait(TERM_S)
            if status < 0:
                cause = signal.Signals(-status).name
                return f"camera {self._name}: its capture process died of {cause}"
        return f"camera {self._name}: its capture process has ended; {DEBUG}=1 shows its messages"

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, number)


def _started(memory: int, told: int) -> subprocess.Popen[bytes]:
    """The capture process, which inherits both descriptors; raises OSError."""
    command = [sys.executable, "-m", "edge_fer.cameras.capture", str(memory), str(told)]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=None if os.environ.get(DEBUG) else subprocess.DEVNULL,
        pass_fds=(memory, told),
        # A terminal's Ctrl-C is for the daemon, which then closes this one in order; and the
        # children of a capture process are in its group, to be killed with it.
        start_new_session=True,
    )
