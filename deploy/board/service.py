"""The unit, by systemctl."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.board.places import UNIT

SYSTEMCTL = "EDGE_FER_DEPLOY_SYSTEMCTL"
"""Environment variable: the program that stands for systemctl, for tests."""
SHOWN = ("ActiveState", "SubState", "StatusText", "NRestarts", "MainPID", "ExecMainStatus")
LONGEST_S = 120


@dataclass(frozen=True, slots=True)
class Running:
    """What systemd says of the unit now."""

    active: str
    """`active`, `activating`, `failed`, `inactive` ..."""
    status: str
    """What the daemon last said of itself, such as `camera ok, frames analysed`."""
    restarts: int
    pid: int
    exit_status: int

    @property
    def camera(self) -> str:
        """`ok`, `lost` and so on; empty where nothing was said."""
        words = self.status.partition(",")[0].split()
        return words[1] if len(words) == 2 and words[0] == "camera" else ""

    @property
    def analysed(self) -> bool:
        """True once a frame has gone through the pipeline, and not by the fallback."""
        return self.status.endswith("frames analysed")

    def of(self, generation: Path) -> bool:
        """True where the main process is that of this generation."""
        try:
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return self.pid > 0 and any(os.fsencode(generation) + b"/" in word for word in words)


def look() -> Running:
    """What the unit does."""
    said = _systemctl("show", UNIT, "--property", ",".join(SHOWN), check=False)
    found = dict(line.partition("=")[::2] for line in said.splitlines())

    def number(key: str) -> int:
        text = found.get(key, "")
        return int(text) if text.isdigit() else 0

    active = found.get("ActiveState", "unknown")
    if active == "active" and found.get("SubState") != "running":
        active = found.get("SubState", active)
    return Running(
        active,
        found.get("StatusText", ""),
        number("NRestarts"),
        number("MainPID"),
        number("ExecMainStatus"),
    )


def read_units() -> None:
    """Let systemd read what the links lead to now."""
    _systemctl("daemon-reload")


def restart() -> None:
    """Begin to start it anew; failures of before count no more."""
    _systemctl("reset-failed", UNIT, check=False)
    _systemctl("restart", "--no-block", UNIT)


def stop() -> None:
    """End it, if it runs."""
    _systemctl("stop", UNIT, check=False)
    _systemctl("reset-failed", UNIT, check=False)


def _systemctl(*arguments: str, check: bool = True) -> str:
    command = [os.environ.get(SYSTEMCTL) or "systemctl", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LONGEST_S
    )
    if check and done.returncode:
        raise OSError(0, done.stderr.strip() or f"status {done.returncode}", " ".join(command))
    return done.stdout
