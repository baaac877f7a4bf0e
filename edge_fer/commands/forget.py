"""`edge-fer forget`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_fer.errors import EdgeFerError


def forget(
    config: Annotated[Path, typer.Option(help="edge-fer.toml, as the daemon has read it")],
    after_line: Annotated[
        bool, typer.Option("--after-line", hidden=True, help="Begin once a line came on stdin")
    ] = False,
) -> None:
    """Clear what MQTT brokers keep of this device; the daemon must have ended before."""
    from edge_fer.plugins import load, split_spec
    from edge_fer.settings import Plan
    from edge_fer.sinks import LEFT_BEHIND

    told = Plan({}, config).read()
    specs = [split_spec(sink) for sink in told.sinks]
    all_of_them = [
        load("sink", LEFT_BEHIND, scheme)(argument, told)
        for scheme, argument in specs
        if scheme in LEFT_BEHIND
    ]
    # The secrets have been read: a credential of systemd is gone when the daemon has ended.
    if after_line:
        typer.echo("ready")
        if not sys.stdin.readline():
            raise typer.Exit(1)
    if not all_of_them:
        typer.echo("no sink of this configuration leaves anything with others")
    failures = [error for one in all_of_them if (error := _failure(one))]
    if failures:
        raise type(failures[0])("; ".join(map(str, failures)))


def _failure(one: Any) -> EdgeFerError | None:
    """Why a broker could not be cleared; the others are, all the same."""
    try:
        typer.echo(one.clear())
    except EdgeFerError as error:
        return error
    return None
