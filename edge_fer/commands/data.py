"""`edge-fer data`: its subcommands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(help="Look at datasets before they are trained on.", no_args_is_help=True)


@app.command()
def check(
    specs: Annotated[list[str], typer.Argument(help="Datasets, such as fer2013:PATH")],
    strict: Annotated[bool, typer.Option("--strict", help="Status 1 if anything is wrong")] = False,
    near: Annotated[bool, typer.Option(help="Look for near duplicates too")] = True,
    json_file: Annotated[
        Optional[Path], typer.Option("--json", help="File that takes the whole report")
    ] = None,
) -> None:
    """Count what a dataset holds, and find what would spoil training or a measurement."""
    from edge_fer.datasets.check import check as examine
    from edge_fer.datasets.check.report import write
    from edge_fer.progress import Bars

    with Bars() as bars:
        reports = [examine(spec, bars, near) for spec in specs]
    for report in reports:
        typer.echo("\n".join(report.lines()))
    if json_file:
        write(json_file, reports)
    raise typer.Exit(int(strict and any(report.problems for report in reports)))
