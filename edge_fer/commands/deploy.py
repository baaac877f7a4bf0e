"""`edge-fer deploy` and its subcommands."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from edge_fer.commands.plain import PlainByDefault, Unnamed

PLAIN = "hosts"
"""The command that is meant where no subcommand is named; it stands in no list."""
FAULTS = "EDGE_FER_DEPLOY_FAULTS"
"""Environment variable: points at which the board's side is to die or fail, for tests."""

app = typer.Typer(cls=PlainByDefault)

Hosts = Annotated[
    list[str], typer.Argument(metavar="HOST", help="HOST, USER@HOST, or a name of ssh's own")
]
Python = Annotated[str, typer.Option(help="The board's Python, 3.10 or newer")]
SshConfig = Annotated[
    Optional[Path], typer.Option(exists=True, dir_okay=False, help="In place of ~/.ssh/config")
]
Wait = Annotated[
    float, typer.Option(min=1.0, help="Seconds from the start to the first frame, else back")
]
ELSE = "Also: edge-fer deploy status | rollback | remove | logs (--help after each)."


@app.command(PLAIN, cls=Unnamed, hidden=True, epilog=ELSE)
def deploy(
    hosts: Hosts,
    bundle: Annotated[
        Optional[Path], typer.Option(help="Bundle folder; the newest in bundles/ if omitted")
    ] = None,
    config: Annotated[
        Optional[Path], typer.Option(help="edge-fer.toml; the board's own stays if omitted")
    ] = None,
    trusted_key: Annotated[
        Optional[Path], typer.Option(help="Public key: unsigned bundles are refused from now on")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; the board is only asked")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no index: take wheels fetched before")
    ] = False,
    wheel: Annotated[
        Optional[Path], typer.Option(help="edge-fer's wheel; built from its sources if omitted")
    ] = None,
    python: Python = "python3",
    ssh_config: SshConfig = None,
    wait: Wait = 60.0,
) -> None:
    """Bring edge-fer and a bundle to boards over ssh; what does not work there is taken back.

    One board after the other; the first that refuses ends it. The boards need no internet.
    """
    from deploy.bring import ask, bring, survey
    from deploy.order import Order, prepare
    from deploy.report import intended, line
    from deploy.transport import Host
    from edge_fer.bundle import newest_bundle

    folder = bundle or newest_bundle(Path("bundles"))
    order = Order(folder, config, trusted_key, wheel, offline, python, wait)
    for name in hosts:
        began = time.monotonic()
        with _named(name, hosts):
            host = Host(name, ssh_config)
            board = survey(host, python)
            _say(name, board.line())
            if board.clock_line():
                _say(name, f"warning: {board.clock_line()}")
            plan = prepare(name, board, order)
            host = replace(host, sudo=board.needs_sudo)
            plan.request |= {"who": _who(), "faults": os.environ.get(FAULTS, "")}
            if dry_run:
                told = ask(host, python, "compare", partial(_say, name), **plan.request)
                _say(name, intended(plan, told))
                continue
            told, sent = bring(host, python, plan, partial(_say, name))
            _say(name, line(told))
            if not told.get("unchanged"):
                _say(name, f"{time.monotonic() - began:.1f} s, {sent / 1e6:.1f} MB sent")


@app.command()
def status(hosts: Hosts, python: Python = "python3", ssh_config: SshConfig = None) -> None:
    """Say what boards run; status 1 where one does not work."""
    from deploy.report import line, remarks

    works = True
    for name in hosts:
        told = _asked(name, hosts, ssh_config, python, "status")
        for one in (line(told), *remarks(told)):
            _say(name, one)
        works = works and bool(told["works"]) and not told["trouble"]
    raise typer.Exit(0 if works else 1)


@app.command()
def rollback(
    hosts: Hosts, python: Python = "python3", ssh_config: SshConfig = None, wait: Wait = 60.0
) -> None:
    """Go back to what boards ran before the last deploy: release, bundle and configuration."""
    from deploy.report import line

    for name in hosts:
        told = _asked(name, hosts, ssh_config, python, "rollback", patience_s=wait)
        _say(name, line(told))


@app.command()
def remove(hosts: Hosts, python: Python = "python3", ssh_config: SshConfig = None) -> None:
    """Take edge-fer off boards; /etc/edge-fer and /var/lib/edge-fer stay."""
    for name in hosts:
        _asked(name, hosts, ssh_config, python, "remove")
        _say(name, "removed; /etc/edge-fer and /var/lib/edge-fer were left")


@app.command()
def logs(
    host: Annotated[str, typer.Argument(help="HOST, USER@HOST, or a name of ssh's own")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="The last so many")] = 100,
    ssh_config: SshConfig = None,
) -> None:
    """Show the journal of the daemon on a board."""
    from deploy.transport import FAILED, Host, reason

    command = f"journalctl --unit edge-fer --no-pager --output short-iso --lines {lines}"
    asked = Host(host, ssh_config).command(command + " --follow" * follow)
    done = subprocess.run(asked, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == FAILED:
        with _named(host, [host]):
            raise reason(done.stderr)
    typer.echo(done.stderr, nl=False, err=True)
    raise typer.Exit(done.returncode)


def _asked(
    name: str, hosts: list[str], config: Path | None, python: str, verb: str, **more: Any
) -> dict[str, Any]:
    """One verb on one board; its status afterwards."""
    from deploy.bring import ask, survey
    from deploy.transport import Host

    with _named(name, hosts):
        host = Host(name, config)
        host = replace(host, sudo=survey(host, python).needs_sudo)
        more |= {"who": _who(), "faults": os.environ.get(FAULTS, "")}
        return ask(host, python, verb, partial(_say, name), **more)


@contextmanager
def _named(name: str, hosts: list[str]) -> Iterator[None]:
    """An error names the board, and those that were not tried because of it."""
    from edge_fer.errors import EdgeFerError

    try:
        yield
    except EdgeFerError as error:
        left = hosts[hosts.index(name) + 1 :]
        tail = f"; not tried: {', '.join(left)}" if left else ""
        raise type(error)(f"{name}: {error}{tail}") from error


def _who() -> str:
    """Who holds the board, for another one who comes meanwhile."""
    return f"edge-fer deploy of {getpass.getuser()} from {socket.gethostname()}"


def _say(name: str, line: str) -> None:
    typer.echo(f"{name}: {line}", err=line.startswith("warning: "))
