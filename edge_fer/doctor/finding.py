"""What the doctor finds, and how it tries what must not be imported here."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

State = Literal["ok", "missing", "warning", "optional"]
TRIAL_S = 60.0
"""A Pi imports OpenVINO from a slow card; longer is a hang."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    topic: str
    state: State
    """`missing` is needed by `run`; `optional` is absent and not needed."""
    text: str
    remedy: str | None = None
    """A command for a shell."""


def trial(code: str) -> tuple[bool, str]:
    """Whether Python code runs in a child process, and its last line or what went wrong."""
    try:
        child = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TRIAL_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"no answer ({type(error).__name__})"
    if child.returncode < 0:
        return False, f"ended by {signal.Signals(-child.returncode).name} (for another processor?)"
    said = (child.stderr if child.returncode else child.stdout).strip().splitlines()
    return child.returncode == 0, said[-1] if said else ""


def version(distribution: str) -> str | None:
    """The installed version, or None."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
