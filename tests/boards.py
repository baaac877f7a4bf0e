"""A board in a folder: real ssh or none, the board's real program, a stand-in for systemd."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from consistent import linked, running
from tiny import tiny_pip

from deploy import settings
from deploy.bring import ask, bring
from deploy.facts import Board, read, script
from deploy.plan import Plan, seal
from deploy.transport import Host
from deploy.unit import unit
from deploy.wheels import Wheels

STANDIN = Path(__file__).with_name("standin_systemctl.py")
TOML = 'version = 1\ncamera = "synthetic:"\n'


class Here(Host):
    """This machine as the board, without ssh between."""

    def command(self, remote: str) -> list[str]:
        return ["sh", "-c", remote]


@cache
def facts() -> Board:
    """What this machine is."""
    return read(Here("here").ask(f"env PYTHON={sys.executable} sh -s", script()))


def survey(root: Path, **files: str) -> Board:
    """The real script on a tree of files; `__` in a name is a `/`."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    around = {**os.environ, "EDGE_FER_DEPLOY_ROOT": str(root), "PYTHON": sys.executable}
    done = subprocess.run(["sh", "-s"], input=script(), env=around, capture_output=True, check=True)
    assert done.stderr == b""
    return read(done.stdout.decode())


@dataclass
class FolderBoard:
    """A root folder, and what lies in it."""

    root: Path
    patience_s: float = 20.0

    def environment(self) -> dict[str, str]:
        program = self.root / "systemctl"
        if not program.exists():
            program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {STANDIN} "$@"\n')
            program.chmod(0o755)
        return {"EDGE_FER_DEPLOY_ROOT": str(self.root), "EDGE_FER_DEPLOY_SYSTEMCTL": str(program)}

    @property
    def home(self) -> Path:
        return self.root / "opt" / "edge-fer"

    def systemctl(self, *words: str) -> str:
        around = {**os.environ, **self.environment()}
        done = subprocess.run(
            [self.root / "systemctl", *words],
            env=around,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def plan(
        self, wheel: Path, bundle: Path, config: str = TOML, pip: Path | None = None, *more: Path
    ) -> Plan:
        """Built without asking an index for anything; `more` are wheels that edge-fer needs."""
        version = wheel.name.split("-")[1]
        wheels = Wheels(version, (wheel, pip or tiny_pip(self.root), *more))
        asked = settings.read(config.encode(), "edge-fer.toml")
        sealed = seal(bundle, [])
        text = unit(facts(), asked.camera, sealed.bundle.manifest.format)
        return Plan(wheels, sealed, asked, text, None, sys.executable, "cp3", self.patience_s)

    def bring(self, plan: Plan, faults: str = "") -> dict[str, Any]:
        plan.request["faults"] = faults
        return bring(Here("here"), sys.executable, plan, lambda _: None)[0]

    def ask(self, verb: str, **more: Any) -> dict[str, Any]:
        more.setdefault("patience_s", self.patience_s)
        return ask(Here("here"), sys.executable, verb, lambda _: None, **more)

    def boot(self) -> None:
        """The power is back: what is enabled starts, then what finishes a cut-off deploy."""
        self.systemctl("boot")
        wanted = self.root / "etc/systemd/system/multi-user.target.wants/edge-fer-recover.service"
        if wanted.is_file() and (self.home / "deploy" / "journal.json").is_file():
            words = wanted.read_text().partition("ExecStart=")[2].splitlines()[0].split()
            around = {**os.environ, **self.environment()}
            subprocess.run(words, env=around, check=True, capture_output=True)


def whole(board: FolderBoard) -> str | None:
    """The generation that is linked; fails where it is a mix."""
    return linked(board.root)


def runs(board: FolderBoard) -> str | None:
    """The generation that runs; fails where it is a mix."""
    shown = dict(line.partition("=")[::2] for line in board.systemctl("show").splitlines())
    return running(int(shown["MainPID"]))
