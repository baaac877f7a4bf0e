"""A model is first loaded and run by a child, on the CPU: what crashes or swells does so there.

`python -m edge_fer.daemon.probe MODULE:ENGINE BUNDLE THREADS` ends with 0 when one inference
worked.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from edge_fer.bundle import Bundle
from edge_fer.engines import ENGINES, default_threads
from edge_fer.errors import BundleError, EdgeFerError

LIMIT_S = 60.0
"""For a slow card's libraries; a sound model answers in well under one second."""
MEMORY = 512 << 20
"""Bytes that a model may take beside its own size: an honest one of this family takes a tenth."""
REFUSED = 3
"""Exit status: the engine said no: one line on stdout, of the reason's name and the text."""


def prove(bundle: Bundle, threads: int | None = None) -> None:
    """Raise BundleError unless a child loads the bundle and infers with it."""
    entry = ENGINES[bundle.manifest.format]
    arguments = [entry, str(bundle.path.absolute()), str(threads or default_threads())]
    # As this process finds its modules, so must the child; but not what lies in the folder here.
    places = [os.path.abspath(place) for place in sys.path if place]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "edge_fer.daemon.probe", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"{bundle.path}: its model hangs; convert it anew") from error
    if done.returncode != 0:
        text, reason = _refusal(done.returncode, done.stdout)
        raise BundleError(f"{bundle.path}: {text}", reason)


def main(entry: str, path: str, threads: str) -> int:
    """The child: open, load, infer once."""
    import numpy as np

    from edge_fer.bundle import open_bundle
    from edge_fer.plugins import load

    try:
        bundle = open_bundle(Path(path))
        engine = load("engine", {"it": entry}, "it")
        _limit_memory(bundle.size_bytes)
        side = bundle.manifest.input_size
        engine(bundle, int(threads), "CPU").infer(np.zeros((1, side, side, 3), np.uint8))
    except EdgeFerError as error:
        print(getattr(error, "reason", "load"), str(error).removeprefix(f"{path}: "))
        return REFUSED
    except MemoryError:
        print(f"load its model wants more than {MEMORY >> 20} MB beside its own size")
        return REFUSED
    return 0


def _limit_memory(model_bytes: int) -> None:
    """What the model may still take, on top of what is mapped now."""
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    limit = mapped + 4 * model_bytes + MEMORY
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _refusal(status: int, said: bytes) -> tuple[str, str]:
    """The line for a person, and the reason as metrics name it."""
    line = said.decode(errors="replace").strip()
    if status == REFUSED and line:
        reason, _, text = line.splitlines()[-1].partition(" ")
        return text, reason
    how = f"with {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
    return f"its model ends a process {how} when it is loaded; convert it anew", "load"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
