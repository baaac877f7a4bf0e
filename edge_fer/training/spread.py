"""Pieces of work one after another, or as tasks of Ray on as many machines as there are."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from edge_fer.errors import ConfigError, EdgeFerError
from edge_fer.plugins import missing
from edge_fer.progress import Progress, silent

LOCAL = "local"
"""A Ray of this machine alone, started and ended with the work."""

Task = tuple[Any, ...]
"""Arguments of one piece; its function gets a Progress after them."""


def each(
    work: Callable[..., None], tasks: Sequence[Task], ray: str | None, progress: Progress
) -> None:
    """Do all tasks; `ray` is an address, "local", or None for this process alone.

    A piece leaves its result in a file and does nothing where it finds one. The first that fails
    ends the others, and its own error is raised.
    """
    if ray is None:
        for task in tasks:
            work(*task, progress)
    else:
        _by_ray(work, tasks, ray, progress)


def _by_ray(
    work: Callable[..., None], tasks: Sequence[Task], address: str, progress: Progress
) -> None:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise missing(error.name or "ray", "--ray") from error
    _connect(ray, address)
    try:
        remote = ray.remote(max_retries=0, **_share(ray))(_piece)
        waiting = [remote.remote(work, task) for task in tasks]
        while waiting:
            progress("Ray tasks", len(tasks) - len(waiting), len(tasks))
            done, waiting = ray.wait(waiting)
            for reference in done:
                _finish(ray, reference)
        progress("Ray tasks", len(tasks), len(tasks))
    finally:
        ray.shutdown()


def _piece(work: Callable[..., None], task: Task) -> None:
    work(*task, silent)


def _connect(ray: Any, address: str) -> None:
    where = {"include_dashboard": False} if address == LOCAL else {}
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **where)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"--ray {address}: no cluster answers ({reason})") from error


def _share(ray: Any) -> dict[str, float]:
    """What one piece takes: a GPU where there are any, else all cores of the smallest machine."""
    if ray.cluster_resources().get("GPU"):
        return {"num_gpus": 1, "num_cpus": 1}
    return {"num_cpus": min(n["Resources"].get("CPU", 1) for n in ray.nodes() if n["Alive"])}


def _finish(ray: Any, reference: Any) -> None:
    try:
        ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, EdgeFerError):
            raise error.cause from None
        raise
