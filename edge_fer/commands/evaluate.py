"""`edge-fer evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from edge_fer.commands.workshop import workshop
from edge_fer.storage import prove_folder


def evaluate(
    model: Annotated[Path, typer.Argument(help="Checkpoint or bundle folder")],
    data: Annotated[str, typer.Option(help="Labelled faces, such as fer2013:PATH")],
    split: Annotated[str, typer.Option(help="train, validation or test")] = "test",
    out: Annotated[Path, typer.Option(help="Folder of the report")] = Path("reports/evaluate"),
    limit: Annotated[Optional[int], typer.Option(min=1, help="Most faces to use")] = None,
    threads: Annotated[Optional[int], typer.Option(min=1, help="Threads of the model")] = None,
    corruptions: Annotated[
        bool, typer.Option("--corruptions", help="Also under blur, JPEG, low light, roll, ...")
    ] = False,
) -> None:
    """Measure one model on one split: per class, calibration, and slices by age or gender."""
    prove_folder(out)
    with workshop("evaluate"):
        from benchmarks.evaluate import evaluate as measure
        from benchmarks.evaluation_page import plain, write
    from edge_fer.progress import Bars

    with Bars() as bars:
        found = measure(model, data, split, limit, threads, bars, corruptions)
    write(found, out)
    typer.echo(plain(found))
    typer.echo(f"report: {(out / 'evaluation.html').absolute()}")
