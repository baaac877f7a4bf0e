"""Work that the end of the connection does not reach."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from deploy.board.refusal import Refusal, of


def detached(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do it in a session of its own, which the end of the connection does not reach."""
    read, written = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.setsid()
        for one in (signal.SIGHUP, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        try:
            outcome: dict[str, Any] = {"done": work()}
        except BaseException as error:
            refusal = of(error) if isinstance(error, Exception) else Refusal("broken", str(error))
            outcome = {"kind": refusal.kind, "line": str(refusal)}
        with suppress(OSError):
            os.write(written, json.dumps(outcome).encode())
        os._exit(0)
    os.close(written)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        raise Refusal("broken", "the command was killed on the board; the next one finishes it")
    outcome = json.loads(told)
    if "done" not in outcome:
        raise Refusal(outcome["kind"], outcome["line"])
    done: dict[str, Any] = outcome["done"]
    return done
