"""One board: ask what it is, bring it a plan, ask how it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

from deploy import facts
from deploy.agent import program
from deploy.facts import Board
from deploy.plan import Plan
from deploy.transport import Host
from edge_fer.errors import ConfigError

PYTHON = re.compile(r"[A-Za-z0-9_./-]+")
CHUNK = 1 << 20
Say = Callable[[str], None]
Status = dict[str, Any]


def survey(host: Host, python: str) -> Board:
    """What the board is; raises HostUnreachable, NotPermitted, ConfigError or Refused."""
    if not PYTHON.fullmatch(python):
        raise ConfigError(f"--python {python!r} is no program's name")
    return facts.read(host.ask(f"env PYTHON={python} sh -s", facts.script()))


def ask(host: Host, python: str, verb: str, say: Say, **more: Any) -> Status:
    """Let the board do one of its verbs; its status afterwards."""
    with host.agent(python, program()) as session:
        session.send(_line({"verb": verb, **more}))
        return _heard(session, say)


def bring(host: Host, python: str, plan: Plan, say: Say) -> tuple[Status, int]:
    """Send what the board lacks, and wait for its verdict; its status, and the bytes sent."""
    with host.agent(python, program()) as session:
        session.send(_line({"verb": "deploy", **plan.request}))
        told = _heard(session, say, until="want")
        if "want" in told:
            size = sum(plan.size(name) for name in told["want"])
            say(f"sending {size / 1e6:.1f} MB in {len(told['want'])} files")
            for name in told["want"]:
                with closing(plan.open(name)) as file:
                    while part := file.read(CHUNK):
                        session.send(part)
            told = _heard(session, say)
        return told, session.sent


def _heard(session: Any, say: Say, until: str = "done") -> dict[str, Any]:
    """What follows the lines for the person; raises what the board refuses."""
    while True:
        told: dict[str, Any] = session.hear()
        if "done" in told:
            done: dict[str, Any] = told["done"]
            return done
        if until in told:
            return told
        if told.get("say"):
            say(told["say"])


def _line(request: dict[str, Any]) -> bytes:
    import json

    return json.dumps(request).encode() + b"\n"
