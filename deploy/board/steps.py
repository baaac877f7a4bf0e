"""The steps of a deploy, by name, and the points at which a test may kill or fail them."""

from __future__ import annotations

import errno
import os
import signal

BEFORE = ("lock", "receive", "install", "bundle", "generation", "prove")
"""Nothing of what runs has been touched."""
AFTER = ("journal", "links", "switch", "restart", "trial", "commit", "settle")
"""The new generation is decided upon."""
BACK = ("back-journal", "back-switch", "back-restart", "back-settle")
"""The way back to the old one."""
REMOVAL = ("remove-stop", "remove-farewell", "remove-links", "remove-files")
STEPS = (*BEFORE, *AFTER, *BACK, *REMOVAL)
HOWS = ("kill", "error", "full")


class Faults:
    """`STEP:kill` ends this process there, `STEP:error` and `STEP:full` fail it; empty is none."""

    def __init__(self, text: str) -> None:
        self._points = [tuple(one.partition(":")[::2]) for one in text.split(",") if one]
        for step, how in self._points:
            if step not in STEPS or how not in HOWS:
                raise ValueError(f"no such point: {step}:{how}")

    def reach(self, step: str) -> None:
        """A step is about to begin."""
        for point, how in self._points:
            if point != step:
                continue
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            code = errno.ENOSPC if how == "full" else errno.EIO
            raise OSError(code, os.strerror(code), f"step {step}")
