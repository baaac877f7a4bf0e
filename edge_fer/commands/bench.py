"""`edge-fer bench` and its subcommands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Optional

import typer

from edge_fer.commands.plain import PlainByDefault, Unnamed
from edge_fer.commands.workshop import workshop
from edge_fer.storage import prove_folder

PLAIN = "bundles"
"""The command that is meant where no subcommand is named; it stands in no list."""


app = typer.Typer(cls=PlainByDefault)

Data = Annotated[Optional[str], typer.Option(help="Labelled faces to measure on")]
Split = Annotated[Optional[str], typer.Option(help="train, validation or test; test if omitted")]
Limit = Annotated[Optional[int], typer.Option(min=1, help="Most faces to use")]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer rounds: a look, no proof")]
Faults = Annotated[
    bool, typer.Option("--corruptions", help="Accuracy under camera faults and bad crops too")
]
ELSE = (
    "Also: edge-fer bench baseline | compare | estimate | peers | pipeline (--help after each). "
    "A folder of such a name is given as ./compare."
)


@app.command(PLAIN, cls=Unnamed, hidden=True, epilog=ELSE)
def bench(
    bundles: Annotated[
        Optional[list[Path]], typer.Argument(help="Bundle folders; all in bundles/ if omitted")
    ] = None,
    data: Data = None,
    split: Split = None,
    checkpoint: Annotated[
        Optional[Path], typer.Option(help="Full-precision parent; the shipped one if omitted")
    ] = None,
    baseline: Annotated[
        Optional[Path], typer.Option(help="File of `edge-fer bench baseline` in its stead")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report")] = Path("reports/bench"),
    limit: Limit = None,
    threads: Annotated[Optional[int], typer.Option(help="Threads of every engine")] = None,
    device: Annotated[
        Optional[str], typer.Option(help="CPU; onnx bundles also CUDA and TENSORRT")
    ] = None,
    quick: Quick = False,
    corruptions: Faults = False,
    estimate: Annotated[
        Optional[str],
        typer.Option(
            help="pi4, pi5, orin-nano or ncs2: what it would take there; measures nothing"
        ),
    ] = None,
) -> None:
    """Measure bundles beside the full-precision parent: accuracy, latency, memory, size, energy.

    Stopped by Ctrl-C or SIGTERM, the same command goes on where it was.
    """
    if estimate:
        _estimate([estimate], checkpoint)
        return
    if device is not None:
        from edge_fer.engines import DEVICE

        os.environ[DEVICE] = device  # every model is measured in a process of its own
    with workshop("bench"):
        from benchmarks.command import Asked, measure
    from edge_fer.progress import Bars

    chosen = tuple(bundles or ())
    asked = Asked(
        chosen, data, split, checkpoint, baseline, out, limit, threads, quick, corruptions
    )
    with _stoppable("finished parts are kept, the same command goes on"), Bars() as bars:
        outcome = measure(asked, bars)
    typer.echo(outcome.text)
    typer.echo(f"report: {(out / 'report.html').absolute()}")
    raise typer.Exit(outcome.exit_status)


@app.command()
def baseline(
    data: Annotated[str, typer.Option(help="Labelled faces, such as fer2013:PATH")],
    out: Annotated[Path, typer.Option(help="File that takes the result")],
    split: Split = None,
    checkpoint: Annotated[
        Optional[Path], typer.Option(help="What is measured; the shipped one if omitted")
    ] = None,
    cpu: Annotated[
        bool, typer.Option("--cpu", help="On the CPU, and named so; else a GPU is needed")
    ] = False,
    limit: Limit = None,
    quick: Quick = False,
    corruptions: Faults = False,
) -> None:
    """Measure the parent in Keras on a GPU: what bundles on any machine are then paired with."""
    with workshop("bench baseline"):
        from benchmarks.command import Asked
        from benchmarks.command import baseline as measure
    from edge_fer.progress import Bars

    asked = Asked((), data, split, checkpoint, None, out, limit, None, quick, corruptions)
    with _stoppable("nothing was written"), Bars() as bars:
        outcome = measure(asked, cpu, bars)
    typer.echo(outcome.text)
    typer.echo(f"baseline: {out.absolute()}")


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="report.json of the earlier run")],
    after: Annotated[Path, typer.Argument(help="report.json of the later one")],
    fail_on: Annotated[
        Optional[str],
        typer.Option(help="Status 1 if it holds for any model, such as 'drop>1pp,p90>1.2x'"),
    ] = None,
) -> None:
    """Say what changed between two runs of `edge-fer bench`."""
    from benchmarks.compare import compare as differences

    found = differences(before, after, fail_on)
    typer.echo("\n".join(found.lines))
    raise typer.Exit(int(bool(found.broken)))


@app.command()
def estimate(
    boards: Annotated[list[str], typer.Argument(help="pi4, pi5, orin-nano, ncs2 or here")],
    checkpoint: Annotated[
        Optional[Path], typer.Option(help="Whose network; the shipped one if omitted")
    ] = None,
) -> None:
    """Estimate what a model would take on a board, from its operations and the board's peaks."""
    _estimate(boards, checkpoint)


@app.command()
def peers(
    data: Annotated[str, typer.Option(help="Labelled faces, such as fer2013:PATH")],
    bundles: Annotated[
        Optional[list[Path]], typer.Option("--bundle", help="Bundle to run beside them; may repeat")
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation or test")] = "test",
    limit: Annotated[int, typer.Option(min=1, help="Most faces to use")] = 500,
    camera: Annotated[
        Optional[str],
        typer.Option(help="A clip of your own, video:FILE; else one is made of the faces"),
    ] = None,
    only: Annotated[
        Optional[list[str]], typer.Option(help="Name of a peer; all if omitted; may repeat")
    ] = None,
    files: Annotated[
        Optional[Path], typer.Option(help="Folder with model files that peers do not ship")
    ] = None,
    environments: Annotated[
        Path, typer.Option(help="Folder of the peers' own environments; made where missing")
    ] = Path(".cache/peers"),
    out: Annotated[Path, typer.Option(help="Folder of the report")] = Path("reports/peers"),
) -> None:
    """Measure other packages on the same faces and frames, each in an environment of its own."""
    prove_folder(out)
    from benchmarks.peers.command import Asked, measure_peers
    from edge_fer.progress import Bars

    chosen, named = tuple(bundles or ()), tuple(only or ())
    asked = Asked(data, split, limit, camera, named, chosen, files, environments, out)
    with _stoppable("nothing was written"), Bars() as bars:
        report = measure_peers(asked, bars)
    typer.echo(report.plain())
    typer.echo(f"report: {(out / 'peers.html').absolute()}")
    raise typer.Exit(report.exit_status)


if find_spec("edge_fer.commands.bench_pipeline"):  # whole chain, a module of its own
    app.command("pipeline")(import_module("edge_fer.commands.bench_pipeline").pipeline)


def _estimate(boards: list[str], checkpoint: Path | None) -> None:
    with workshop("bench estimate"):
        from benchmarks.estimate.command import estimate_boards as figures
    typer.echo(figures(boards, checkpoint))


@contextmanager
def _stoppable(consequence: str) -> Iterator[None]:
    """A signal ends the command in order, with one line and the status a shell gives for it."""
    from benchmarks.stopping import Stopped, stoppable

    try:
        with stoppable():
            yield
    except Stopped as stopped:
        typer.echo(f"edge-fer: stopped by {stopped}; {consequence}", err=True)
        raise typer.Exit(stopped.exit_code) from None
