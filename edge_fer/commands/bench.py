"""`edge-fer bench`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from edge_fer.commands.workshop import workshop


def bench(
    bundles: Annotated[
        Optional[list[Path]], typer.Argument(help="Bundle folders; all in bundles/ if omitted")
    ] = None,
    data: Annotated[Optional[str], typer.Option(help="Labelled faces to measure on")] = None,
    split: Annotated[str, typer.Option(help="train, validation or test")] = "test",
    checkpoint: Annotated[
        Optional[Path], typer.Option(help="Full-precision parent; the shipped one if omitted")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report")] = Path("reports/bench"),
    limit: Annotated[Optional[int], typer.Option(min=1, help="Most faces to use")] = None,
    threads: Annotated[Optional[int], typer.Option(help="Threads of every engine")] = None,
    device: Annotated[
        Optional[str], typer.Option(help="CPU; onnx bundles also CUDA and TENSORRT")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds: a look, no proof")] = False,
) -> None:
    """Measure bundles beside the full-precision parent: accuracy, latency, memory, size."""
    if device is not None:
        from edge_fer.engines import DEVICE

        os.environ[DEVICE] = device  # every model is measured in a process of its own
    with workshop("bench"):
        from benchmarks.command import measure
    from edge_fer.progress import Bars

    with Bars() as bars:
        outcome = measure(bundles, data, split, checkpoint, out, limit, threads, quick, bars)
    typer.echo(outcome.text)
    typer.echo(f"report: {(out / 'report.html').absolute()}")
    raise typer.Exit(outcome.exit_status)
