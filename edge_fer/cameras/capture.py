"""The capture process: one camera, its driver, and nothing that takes long to import.

Drivers hang, some beyond the reach of their caller (picamera2#1275, opencv#10927), so they are kept
where a signal can end them. Standard input holds one line that says what to open and then stays
open: when the daemon ends, however it ends, the kernel's SIGIO ends this process too, whatever a
driver is doing. Pictures go into shared memory; a line break says that there is one, any other line
is JSON: `{"memory": ...}` before the first picture, `{"error": ..., "text": ...}` at the end.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import sys
from contextlib import suppress
from typing import Any

from edge_fer import errors
from edge_fer.cameras.shot import Missed, Source
from edge_fer.cameras.slot import Slot
from edge_fer.plugins import load


def main(slot: int, news: int) -> None:
    """Fill the slot until the camera ends or a signal comes; both are inherited descriptors."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    order = json.loads(sys.stdin.readline())
    _end_with_the_daemon()
    try:
        source: Source = load("camera", {"": order["member"]}, "")(order["argument"])
        _fill(source, order["memory"], Slot(slot), news)
        raise errors.CameraError(f"camera {order['name']} has ended")
    except errors.EdgeFerError as error:
        _tell(news, {"error": type(error).__name__, "text": str(error)})
        sys.exit(1)
    except Exception as error:
        _tell(news, {"error": "CameraError", "text": f"{type(error).__name__}: {error}"})
        sys.exit(1)


def _fill(source: Source, memory: dict[str, str], slot: Slot, news: int) -> None:
    told = False
    for shot in source.shots(memory):
        if not told:
            _tell(news, {"memory": memory})
            # From here on a daemon that does not read for a while must not stop the camera.
            os.set_blocking(news, False)
            told = True
        if isinstance(shot, Missed):
            slot.miss(shot.reason)
        else:
            slot.put(shot)
            with suppress(BlockingIOError):
                os.write(news, b"\n")
    os.set_blocking(news, True)


def _tell(news: int, content: dict[str, Any]) -> None:
    os.set_blocking(news, True)
    os.write(news, json.dumps(content).encode() + b"\n")


def _end_with_the_daemon() -> None:
    """Have the kernel send SIGIO, whose default is to end, when standard input is closed.

    PR_SET_PDEATHSIG would look at the thread that started us, which may end before the daemon.
    """
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    closed = select.poll()
    closed.register(0, 0)
    if closed.poll(0):  # it was closed before we asked
        sys.exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
