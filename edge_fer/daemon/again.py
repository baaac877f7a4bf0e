"""After a native call that never returns: the same process with a new program and the fallback.

Nothing frees the thread but the end of the program. Where a fallback is configured, this process
becomes the same command anew (execve(2): same pid, so systemd sees no restart) and serves with it;
else it ends, to be started anew by whoever watches over it. The old camera's process ends with its
pipe, and stays a line in the list of processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress

from edge_fer.config import RunConfig
from edge_fer.daemon.model import Model
from edge_fer.daemon.service import Service

HUNG = "EDGE_FER_HUNG"
"""Environment variable of the process that comes back: the engine that was asked for hangs."""


def leave(status: int) -> None:
    """End at once: no handler could run to its end beside a thread that hangs."""
    os._exit(status)


def end_or_fall_back(
    status: int,
    stage: str,
    config: RunConfig,
    model: Model,
    service: Service,
    end: Callable[[int], None] = leave,
) -> None:
    """Come back with the fallback where there is one and it is the engine that hangs; else end."""
    if stage == "infer" and config.fallback is not None and not model.fallback:
        with suppress(OSError):
            service.alive()  # all of the time until the next ping is the new program's
            environment = {**os.environ, HUNG: "1"}
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
    end(status)


def hung_before() -> bool:
    """True in the process that came back."""
    return bool(os.environ.get(HUNG))
