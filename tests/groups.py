"""Control groups that hold a child to so much memory, processor time or so many threads.

Version 1 (below our own group) or 2 (at the top, as root): the kernel's files, without systemd.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000


class NoGroups(RuntimeError):
    """Why there are none here."""


class Group:
    """Directories of one group, one for each controller; the same one in version 2."""

    def __init__(self, folders: Mapping[str, Path], version: int) -> None:
        self._folders, self._version = folders, version

    def enter(self) -> None:
        """Of the child, before it becomes another program."""
        for folder in set(self._folders.values()):
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def peak_mb(self) -> float:
        """Most memory at once; NaN where the kernel does not say."""
        name = "memory.peak" if self._version == 2 else "memory.max_usage_in_bytes"
        text = _text(self._folders["memory"] / name)
        return int(text) / 2**20 if text else float("nan")

    def killed(self) -> int:
        """Processes that the kernel killed for want of memory."""
        name = "memory.events" if self._version == 2 else "memory.oom_control"
        words = _text(self._folders["memory"] / name).split()
        return int(words[words.index("oom_kill") + 1]) if "oom_kill" in words else 0


@contextmanager
def group(memory: int = 0, cpu: float = 0.0, tasks: int = 0) -> Iterator[Group]:
    """Bytes, cores and threads at most; 0 is no limit. Raises NoGroups with the reason."""
    version = 2 if (ROOT / "cgroup.controllers").exists() else 1
    wanted = {"memory": memory, "cpu": cpu, "pids": tasks}
    folders: dict[str, Path] = {}
    try:
        for controller in [name for name, limit in wanted.items() if limit]:
            place = ROOT if version == 2 else ROOT / controller / _own(controller)
            folders[controller] = place / f"edge-fer-faults-{os.getpid()}"
            folders[controller].mkdir(exist_ok=True)
        for name, text in _settings(version, memory, cpu, tasks):
            folder = folders[name.partition(".")[0]]
            with suppress(FileNotFoundError):  # a kernel that does not count swap
                (folder / name).write_text(text)
        yield Group(folders, version)
    except OSError as error:
        raise NoGroups(f"no control groups for us: {error}") from error
    finally:
        for folder in set(folders.values()):
            with suppress(OSError):
                folder.rmdir()


def _settings(version: int, memory: int, cpu: float, tasks: int) -> Iterator[tuple[str, str]]:
    quota = str(round(cpu * PERIOD_US))
    if memory:
        names = ("memory.max",) if version == 2 else ("memory.limit_in_bytes",)
        yield names[0], str(memory)
        if version == 2:
            yield "memory.swap.max", "0"
    if cpu and version == 2:
        yield "cpu.max", f"{quota} {PERIOD_US}"
    elif cpu:
        yield "cpu.cfs_period_us", str(PERIOD_US)
        yield "cpu.cfs_quota_us", quota
    if tasks:
        yield "pids.max", str(tasks)


def _own(controller: str) -> str:
    """Our own group of a controller of version 1."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return path.lstrip("/")
    raise NoGroups(f"no controller {controller} here")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
