"""`edge-fer setup-ncs`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def setup_ncs(
    python: Annotated[
        Optional[Path], typer.Option(help="A Python 3.9; looked for if omitted")
    ] = None,
    dir: Annotated[
        Optional[Path],
        typer.Option(help="The environment's folder; EDGE_FER_NCS or ~/.local/share/edge-fer/ncs"),
    ] = None,
) -> None:
    """Make the environment that drives an Intel stick, and that converts models for it."""
    from edge_fer.engines.myriad_home import VARIABLE, find_python, home, make
    from edge_fer.engines.myriad_stick import state

    folder = (dir or home()).absolute()
    make(folder, find_python(python), typer.echo)
    if folder != home().absolute():
        typer.echo(f"set {VARIABLE}={folder} wherever edge-fer runs")
    for line in state():
        typer.echo(line)
