"""The system's ssh: its keys, its known hosts, its configuration; nothing is ever typed."""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from edge_fer.errors import (
    ConfigError,
    EdgeFerError,
    HostUnreachable,
    InUse,
    NotFound,
    NotPermitted,
    Refused,
    StorageError,
)

KINDS: Mapping[str, type[EdgeFerError]] = {
    "refused": Refused,
    "disk": StorageError,
    "busy": InUse,
    "missing": NotFound,
    "broken": HostUnreachable,
}
"""How a refusal of the board ends this program."""
OPTIONS = {
    "BatchMode": "yes",  # no password, no question
    "StrictHostKeyChecking": "yes",
    "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "RequestTTY": "no",
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",  # a board that is gone is noticed within 20 s
    "ServerAliveCountMax": "3",
    "LogLevel": "ERROR",
}
FAILED = 255
"""ssh's own exit status; every other one is the command's."""
BOOTSTRAP = (
    "import os,sys\n"
    "f=os.memfd_create('agent',0)\n"
    "n={size}\n"
    "while n:\n"
    " d=os.read(0,n)\n"
    " d or sys.exit('cut off')\n"
    " n-=os.write(f,d)\n"
    "os.execv(sys.executable,[sys.executable,'-I','/proc/self/fd/%d'%f])"
)
"""Takes the agent from stdin and becomes it: nothing is left on the board's disk."""


@dataclass(frozen=True, slots=True)
class Host:
    """One board, as ssh knows it."""

    name: str
    """`HOST` or `USER@HOST`, or a name in ssh's configuration."""
    config: Path | None = None
    """ssh's configuration, where it is not the user's own."""
    sudo: bool = False

    def __post_init__(self) -> None:
        if not self.name or self.name.startswith("-") or set(self.name) & set(" \t\n'\"\\"):
            raise ConfigError(f"{self.name!r} is no host: write HOST or USER@HOST")

    def command(self, remote: str) -> list[str]:
        """The words of ssh."""
        asked = [f"-o{key}={value}" for key, value in OPTIONS.items()]
        chosen = ["-F", str(self.config)] if self.config else []
        return ["ssh", *chosen, *asked, "--", self.name, remote]

    def ask(self, remote: str, sent: bytes) -> str:
        """What a short command says; raises HostUnreachable, NotPermitted or ConfigError."""
        with _started(self.command(remote), subprocess.PIPE) as child:
            out, err = child.communicate(sent)
        if child.returncode == FAILED:
            raise reason(err.decode(errors="replace"))
        return out.decode(errors="replace")

    @contextmanager
    def agent(self, python: str, program: bytes) -> Iterator[Session]:
        """Start `program`, a zip file, with the board's Python as root; talk to it."""
        code = f"{shlex.quote(python)} -c {shlex.quote(BOOTSTRAP.format(size=len(program)))}"
        remote = f"sudo -n {code}" if self.sudo else code
        # A file, for its complaints may be longer than a pipe holds while we are busy sending.
        with tempfile.TemporaryFile() as complaints:
            session = Session(_started(self.command(remote), complaints), complaints)
            try:
                session.send(program)
                yield session
            finally:
                session.close()


class Session:
    """A conversation with the agent; every loss of the connection is one line."""

    def __init__(self, child: subprocess.Popen[bytes], complaints: IO[bytes]) -> None:
        self._child, self._complaints = child, complaints
        self.sent = 0
        """Bytes that ssh has taken."""

    def send(self, data: bytes) -> None:
        """Hand over all of it; raises as `hear`."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(data)
            self._child.stdin.flush()
        except BrokenPipeError:
            while True:  # it ended, and why is still to be read
                self.hear()
        self.sent += len(data)

    def hear(self) -> dict[str, Any]:
        """The next line of the board; raises what it refuses, or `_loss` when no line comes."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._loss()
        told: dict[str, Any] = json.loads(line)
        if "refused" in told:
            raise KINDS[told["refused"]["kind"]](told["refused"]["line"])
        return told

    def close(self) -> None:
        """End it; the board notices, and finishes or undoes by itself."""
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        self._child.wait()

    def _loss(self) -> EdgeFerError:
        self.close()
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace")
        if self._child.returncode == FAILED:
            return reason(said)
        last = (said.strip().splitlines() or ["it says nothing"])[-1]
        if "sudo" in last:
            return NotPermitted(f"the login may not become root ({last})")
        return HostUnreachable(f"the board's side ended ({last})")


def reason(said: str) -> EdgeFerError:
    """Why ssh failed, in one line that says what to do."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["ssh says nothing"]
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        return NotPermitted(
            "its host key is not the one that is known here: somebody may be between; "
            "if the board was set up anew, remove the old key with ssh-keygen -R"
        )
    if "Host key verification failed" in said:
        return NotPermitted(
            "its host key is not known here: log in once with ssh, compare the "
            "fingerprint with the board's, and deploy again"
        )
    if "Permission denied" in said:
        return NotPermitted("no key of yours is let in: put one there with ssh-copy-id")
    if "onfiguration option" in said or "config file" in said:
        return ConfigError(f"ssh's configuration: {lines[0]}")
    return HostUnreachable(f"cannot be reached ({lines[-1].removeprefix('ssh: ')})")


def _started(command: list[str], stderr: int | IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
        )
    except FileNotFoundError as error:
        raise NotFound("ssh is not installed: apt-get install openssh-client") from error
