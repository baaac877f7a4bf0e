"""Bundles drafted at the same time, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Protocol

from converters.targets import Part
from edge_fer.errors import EdgeFerError
from edge_fer.progress import Progress, silent

if TYPE_CHECKING:
    from converters.draft import Draft


class Drafter(Protocol):
    """What the drafts of one conversion share; it travels to other processes by pickle."""

    def draft(self, part: Part, progress: Progress) -> Draft:
        """The judged draft of one format and precision."""


class LostWorker(EdgeFerError):
    """A process that drafts was killed; nothing was written."""

    exit_code = 70


def drafts(drafter: Drafter, parts: Sequence[Part], jobs: int, progress: Progress) -> list[Draft]:
    """One draft a part, in the parts' order; with `jobs` above 1 so many at the same time.

    A process takes about 2 GB. Raises what drafting raises, and LostWorker.
    """
    if min(jobs, len(parts)) < 2:
        return [drafter.draft(part, progress) for part in parts]
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    with ProcessPoolExecutor(min(jobs, len(parts)), context, initializer=_deaf) as pool:
        made = [pool.submit(drafter.draft, part, silent) for part in parts]
        try:
            failed = _watch(made, progress)
            return [future.result() for future in failed or made]
        except BrokenProcessPool as error:
            raise LostWorker(
                "a process of --jobs was killed (out of memory?); nothing was written; "
                "take fewer jobs"
            ) from error
        finally:
            _end(made)


def _deaf() -> None:
    """Ctrl-C reaches the whole group; the parent hears it and ends its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _watch(made: Sequence[Future[Draft]], progress: Progress) -> list[Future[Draft]]:
    """Waits for all drafts, or the first that failed; returns what failed."""
    waiting = set(made)
    failed: list[Future[Draft]] = []
    while waiting and not failed:
        progress("drafts", len(made) - len(waiting), len(made))
        done, waiting = wait(waiting, timeout=1, return_when=FIRST_EXCEPTION)
        failed = [future for future in done if future.exception()]
    progress("drafts", len(made) - len(waiting), len(made))
    return failed


def _end(made: Sequence[Future[Draft]]) -> None:
    """No process goes on with what is no longer wanted."""
    if not all(future.done() for future in made):
        for child in multiprocessing.active_children():
            child.terminate()
