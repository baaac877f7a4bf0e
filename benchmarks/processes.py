"""What a process and its children cost, read from /proc."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a process and all its descendants together."""

    cpu_s: float
    rss_bytes: int
    """Pages that two of them share count twice."""
    pss_bytes: int
    """Pages that are shared count in shares: what ending them would free."""
    descriptors: int
    threads: int
    processes: int


def cost(pid: int) -> Cost:
    """The sum over the tree as it is now."""
    parts = [one for one in map(_cost, _tree(pid)) if one is not None]
    return Cost(
        cpu_s=sum(one.cpu_s for one in parts),
        rss_bytes=sum(one.rss_bytes for one in parts),
        pss_bytes=sum(one.pss_bytes for one in parts),
        descriptors=sum(one.descriptors for one in parts),
        threads=sum(one.threads for one in parts),
        processes=len(parts),
    )


def _cost(pid: int) -> Cost | None:
    """Of one process; None where it has just ended."""
    folder = PROC / str(pid)
    with suppress(OSError):
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        memory = dict(re.findall(r"(\w+):\s+(\d+) kB", (folder / "smaps_rollup").read_text()))
        return Cost(
            cpu_s=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
            rss_bytes=int(memory["Rss"]) * 1024,
            pss_bytes=int(memory["Pss"]) * 1024,
            descriptors=len(os.listdir(folder / "fd")),
            threads=int(fields[17]),
            processes=1,
        )
    return None


def _tree(pid: int) -> Iterator[int]:
    """A process and all below it; not every kernel lists children, so all are asked for theirs."""
    below: dict[int, list[int]] = {}
    for stat in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            below.setdefault(parent, []).append(int(stat.parent.name))
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += below.get(one, [])
