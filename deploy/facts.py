"""What a board is, by its own word, and whether edge-fer can live there."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from edge_fer.errors import Refused

OLDEST_PYTHON, OLDEST_GLIBC = (3, 10), (2, 27)
"""As pyproject.toml says; the glibc that ai-edge-litert's and OpenCV's wheels were made for."""
MACHINES = ("x86_64", "aarch64")
"""Those for which every wheel exists."""
FIRST_DAY = 1_700_000_000
"""Unix time, November 2023: a clock before it was never set."""


@dataclass(frozen=True, slots=True)
class Board:
    """What `facts.sh` found."""

    model: str
    """Such as `Raspberry Pi 5 Model B Rev 1.0`; may be empty."""
    os: str
    machine: str
    """Of the programs, not of the kernel: a 32-bit system may have a 64-bit kernel."""
    python: tuple[int, ...]
    """Empty where there is none."""
    implementation: str
    glibc: tuple[int, ...]
    """Empty where the C library is another one."""
    systemd: str
    jetpack: str
    """NVIDIA's release; empty where it is no Jetson."""
    stick: bool
    """An Intel Neural Compute Stick is plugged in."""
    stick_runtime: str
    """`whole`; `broken`; `hidden`, where its Python lies in a home; empty where there is none."""
    cameras: tuple[str, ...]
    clock: int
    """Unix time."""
    free: int
    """Bytes where edge-fer will lie."""
    root: bool
    """The login is root, or may become it without a password."""
    needs_sudo: bool
    venv: bool
    config: bytes
    """/etc/edge-fer/edge-fer.toml as it is there; empty where it is not."""
    trusted: bytes
    """The key that an earlier deploy has pinned; empty for none."""

    @property
    def kind(self) -> str:
        """`pi`, `jetson`, or the machine's name."""
        if self.model.startswith("Raspberry Pi"):
            return "pi"
        return "jetson" if self.jetpack or "Jetson" in self.model else self.machine

    @property
    def interpreter(self) -> str:
        """As in a wheel's name: `cp311`."""
        return "cp" + "".join(map(str, self.python[:2]))

    def line(self) -> str:
        """For a person."""
        parts = [
            self.model or self.kind,
            self.machine,
            self.os,
            f"JetPack {self.jetpack}" if self.jetpack else "",
            "Python " + ".".join(map(str, self.python)),
            "glibc " + ".".join(map(str, self.glibc)),
            "Intel stick" if self.stick else "",
            f"cameras {' '.join(self.cameras)}" if self.cameras else "no V4L2 camera",
            f"{self.free >> 20} MB free",
        ]
        return ", ".join(filter(None, parts))

    def clock_line(self) -> str:
        """A warning where the clock was never set; empty else."""
        if self.clock >= FIRST_DAY:
            return ""
        return (
            "the board's clock was never set (it says Unix time "
            f"{self.clock}): events and logs will bear wrong times, TLS will fail until it is"
        )


def script() -> bytes:
    """What is run on the board to learn this."""
    return (resources.files("deploy") / "facts.sh").read_bytes()


def read(text: str) -> Board:
    """The script's answer; raises Refused where it is none."""
    found = dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)
    if found.get("end") != "yes":
        said = (text.strip().splitlines() or ["nothing"])[-1][:200]
        raise Refused(f"the board did not say what it is (it said: {said})")
    return Board(
        model=found["model"].strip(),
        os=found["os"].strip(),
        machine=found.get("platform", "").partition("-")[2] or found["machine"],
        python=_numbers(found.get("python", "")),
        implementation=found.get("implementation", ""),
        glibc=_numbers(found["glibc"]),
        systemd=found["systemd"],
        jetpack=_jetpack(found),
        stick=found["stick"] == "yes",
        stick_runtime=found["stick_runtime"],
        cameras=tuple(found["cameras"].split()),
        clock=int(found["clock"]),
        free=int(found["free_kb"] or 0) * 1024,
        root=found["root"] == "yes",
        needs_sudo=found["uid"] != "0",
        venv=found.get("venv") == "yes",
        config=_decoded(found["config"]),
        trusted=_decoded(found["trusted"]),
    )


def check(board: Board, python: str) -> None:
    """Raise Refused naming what the board lacks and what would help."""
    wanted = ".".join(map(str, OLDEST_PYTHON))
    if board.machine not in MACHINES:
        raise Refused(
            f"its programs are {board.machine}; there are wheels for {' and '.join(MACHINES)} "
            "alone: install a 64-bit system"
        )
    if not board.python:
        raise Refused(f"it has no {python}: install it, or name another with --python")
    if board.python < OLDEST_PYTHON:
        found = ".".join(map(str, board.python))
        raise Refused(
            f"its {python} is {found}, edge-fer needs {wanted} or newer: "
            "install a newer system, or name another Python of the board with --python"
        )
    if board.implementation != "cpython" or not board.venv:
        raise Refused(f"its {python} is no complete CPython: install Debian's python3 package")
    if board.glibc < OLDEST_GLIBC:
        raise Refused("its C library is not glibc 2.27 or newer, which the wheels need")
    if not board.systemd:
        raise Refused("it has no systemd to run edge-fer as a service")
    if not board.root:
        raise Refused("the login may not become root: use root, or allow `sudo -n` for it")


def _jetpack(found: Mapping[str, str]) -> str:
    """JetPack's version, else that of its Linux; empty where it is no Jetson."""
    if found["jetpack"].strip():
        return found["jetpack"].strip()
    release = re.search(r"R(\d+).*?REVISION: ([\d.]+)", found["tegra"])
    return f"(L4T {release[1]}.{release[2]})" if release else ""


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
