"""`edge-fer selftest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def selftest(
    bundle: Annotated[
        Optional[Path], typer.Argument(help="Bundle folder; the newest in bundles/ if omitted")
    ] = None,
    device: Annotated[
        Optional[str], typer.Option(help="CPU; onnx bundles also CUDA and TENSORRT")
    ] = None,
    threads: Annotated[Optional[int], typer.Option(min=1, help="Threads of the engine")] = None,
) -> None:
    """Let a bundle answer on this machine what it answered where it was made; status 1 if not."""
    from edge_fer.bundle import newest_bundle, open_bundle
    from edge_fer.config import check_threads
    from edge_fer.engines import open_engine
    from edge_fer.selftest import selftest as examine

    check_threads(threads)
    opened = open_bundle(bundle or newest_bundle(Path("bundles")))
    outcome = examine(opened, open_engine(opened, threads, device))
    typer.echo(outcome.line())
    for line in outcome.differing:
        typer.echo(f"  {line}")
    raise typer.Exit(int(bool(outcome.differing)))
