"""The command line: parse, call, print. Every import of weight lives inside its command."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Optional

import typer

from edge_fer.errors import ConfigError, EdgeFerError

app = typer.Typer(
    help="Facial-expression recognition on small machines: an expression worn, never a feeling.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
DEBUG = "EDGE_FER_DEBUG"
"""Environment variable: set, an internal error shows its traceback."""


def main() -> None:
    """Run the command line; every foreseen fault is one line on stderr and its exit status."""
    try:
        app()
    except EdgeFerError as error:
        _end(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)
    except OSError as error:
        if os.environ.get(DEBUG):
            raise
        _end(f"{error.filename or 'output'}: {error.strerror or error}", 74)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        _end(f"internal error: {type(error).__name__}: {error} ({DEBUG}=1 shows where)", 70)


def _end(line: str, status: int) -> None:
    print(f"edge-fer: {' '.join(line.split())}", file=sys.stderr)
    sys.exit(status)


@contextmanager
def _workshop(command: str) -> Iterator[None]:
    """Heavy imports: quiet TensorFlow, and one line that names an extra that is missing."""
    from edge_fer.plugins import missing
    from edge_fer.quiet import native_stderr_closed

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with native_stderr_closed():
            yield
            tensorflow = sys.modules.get("tensorflow")
            if tensorflow is not None:  # it looks for a GPU once, and complains where none is
                tensorflow.config.list_physical_devices()
    except ModuleNotFoundError as error:
        raise missing(error.name or "?", f"edge-fer {command}") from error


@app.command()
def train(
    data: Annotated[str, typer.Option(help="Dataset, such as fer2013:PATH")],
    out: Annotated[Path, typer.Option(help="Folder of the checkpoint and of the run's state")],
    init: Annotated[
        str, typer.Option(help='"imagenet", a Keras Xception .weights.h5, a checkpoint, "random"')
    ] = "imagenet",
    epochs: Annotated[float, typer.Option(help="Passes with all layers learning")] = 6.0,
    head_epochs: Annotated[float, typer.Option(help="Passes with the head alone")] = 0.5,
    size: Annotated[int, typer.Option(help="Side of the input in pixels, 71 or more")] = 72,
    colour: Annotated[str, typer.Option(help="What the network sees: grey or bgr")] = "grey",
    batch: Annotated[int, typer.Option(min=1, help="Faces a step")] = 64,
    rate: Annotated[float, typer.Option(help="Peak learning rate")] = 6e-4,
    seed: Annotated[int, typer.Option(help="Decides order, augmentation and new weights")] = 1,
    width: Annotated[float, typer.Option(help="Channel multiplier; 1 is Xception")] = 1.0,
    middle_blocks: Annotated[int, typer.Option(min=0, help="Repeated blocks; 8 is Xception")] = 8,
    precision: Annotated[
        str, typer.Option(help="auto, float32, mixed_bfloat16 or mixed_float16")
    ] = "auto",
) -> None:
    """Fine-tune Xception to seven expressions. A stopped run goes on when started again."""
    with _workshop("train"):
        from edge_fer.datasets import open_dataset
        from edge_fer.training.fit import train as fit
        from edge_fer.training.recipe import Architecture, Recipe, colour_named
    from edge_fer.progress import Bars

    recipe = Recipe(
        Architecture(size, colour_named(colour), width, middle_blocks),
        head_epochs=head_epochs,
        epochs=epochs,
        batch=batch,
        rate=rate,
        seed=seed,
    )
    with Bars() as bars:
        checkpoint = fit(open_dataset(data), recipe, init, out, precision, bars)
    figures = checkpoint.metrics["validation"]
    low, high = figures["accuracy_95"]
    typer.echo(
        f"{out}: validation accuracy {figures['accuracy']:.2%} [{low:.2%}, {high:.2%}] on "
        f"{figures['faces']} faces; next: edge-fer convert {out} --int8 --data {data}"
    )


@app.command()
def convert(
    checkpoint: Annotated[
        Optional[Path], typer.Argument(help="Checkpoint folder; the shipped one if omitted")
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Eight-bit integers")] = False,
    fp16: Annotated[bool, typer.Option("--fp16", help="Weights in half precision")] = False,
    fp32: Annotated[bool, typer.Option("--fp32", help="Full precision")] = False,
    format: Annotated[
        Optional[list[str]], typer.Option(help="tflite or openvino; both if omitted")
    ] = None,
    data: Annotated[
        Optional[str],
        typer.Option(help="Dataset to calibrate on (train) and to prove it on (validation)"),
    ] = None,
    samples: Annotated[int, typer.Option(help="Calibration faces taken from --data")] = 300,
    seed: Annotated[int, typer.Option(help="Chooses the calibration faces")] = 0,
    out: Annotated[Path, typer.Option(help="Folder that takes the bundles")] = Path("bundles"),
    max_drop: Annotated[
        float, typer.Option(help="Accuracy that may be lost, in percentage points")
    ] = 1.0,
) -> None:
    """Turn a checkpoint into bundles, each proven against its float parent or refused."""
    chosen = [n for n, asked in (("int8", int8), ("fp16", fp16), ("fp32", fp32)) if asked]
    if len(chosen) != 1:
        raise ConfigError("choose one precision: --int8, --fp16 or --fp32")
    from converters.order import Order

    asked = Order(
        precision=chosen[0],
        data=data,
        samples=samples,
        seed=seed,
        out=out,
        max_drop=max_drop / 100,
    )
    order = replace(
        asked,
        checkpoint=checkpoint or asked.checkpoint,
        formats=tuple(dict.fromkeys(format or asked.formats)),
    )
    with _workshop("convert"):
        from converters.convert import convert as make
    from edge_fer.progress import Bars

    with Bars() as bars:
        made = make(order, bars)
    for bundle, verdict in made:
        typer.echo(f"{bundle.path}  {bundle.size_bytes / 1e6:.1f} MB  {verdict.word}")
        for line in [*verdict.lines(), *bundle.calibration_lines()]:
            typer.echo(f"  {line}")


@app.command()
def run(
    camera: Annotated[
        str, typer.Option(help="0, /dev/video0, video:FILE, images:PATH or synthetic:")
    ] = "0",
    bundle: Annotated[
        Optional[Path], typer.Option(help="Bundle folder; the newest in bundles/ if omitted")
    ] = None,
    sink: Annotated[
        Optional[list[str]],
        typer.Option(help="jsonl:-, jsonl:FILE, mqtt:host=NAME or http: (live page); may repeat"),
    ] = None,
    detector: Annotated[
        Optional[str], typer.Option(help="blazeface, haar or whole (the image is the face)")
    ] = None,
    purpose: Annotated[
        Optional[str], typer.Option(help="Why faces are analysed; needed beyond stdout")
    ] = None,
    notice: Annotated[
        Optional[str], typer.Option(help="What the live page tells the people in view")
    ] = None,
    http_allow_remote: Annotated[
        bool, typer.Option("--http-allow-remote", help="Let other machines reach an http sink")
    ] = False,
    threads: Annotated[Optional[int], typer.Option(help="Threads of the engine")] = None,
    events: Annotated[Optional[int], typer.Option(help="End after so many frames")] = None,
    smoothing: Annotated[
        Optional[float], typer.Option(help="Time constant of a face's scores, in seconds; 0: off")
    ] = None,
) -> None:
    """Watch a camera and say which expressions are seen, one JSON object a frame."""
    from edge_fer.config import NOTICE, SMOOTHING_S, STDOUT, RunConfig
    from edge_fer.daemon import run as watch

    config = RunConfig(
        camera=camera,
        bundle=bundle,
        sinks=tuple(sink or (STDOUT,)),
        detector=detector,
        purpose=purpose,
        notice=NOTICE if notice is None else notice,
        http_allow_remote=http_allow_remote,
        threads=threads,
        events=events,
        smoothing_s=SMOOTHING_S if smoothing is None else smoothing,
    )
    raise typer.Exit(watch(config))


@app.command()
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
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds: a look, no proof")] = False,
) -> None:
    """Measure bundles beside the full-precision parent: accuracy, latency, memory, size."""
    with _workshop("bench"):
        from benchmarks.command import measure
    from edge_fer.progress import Bars

    with Bars() as bars:
        outcome = measure(bundles, data, split, checkpoint, out, limit, threads, quick, bars)
    typer.echo(outcome.text)
    typer.echo(f"report: {(out / 'report.html').absolute()}")
    raise typer.Exit(outcome.exit_status)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="Checkpoint or bundle folder")],
    data: Annotated[str, typer.Option(help="Labelled faces, such as fer2013:PATH")],
    split: Annotated[str, typer.Option(help="train, validation or test")] = "test",
    out: Annotated[Path, typer.Option(help="Folder of the report")] = Path("reports/evaluate"),
    limit: Annotated[Optional[int], typer.Option(min=1, help="Most faces to use")] = None,
    threads: Annotated[Optional[int], typer.Option(min=1, help="Threads of the model")] = None,
) -> None:
    """Measure one model on one split: per class, calibration, and slices by age or gender."""
    with _workshop("evaluate"):
        from benchmarks.evaluate import evaluate as measure
        from benchmarks.evaluation_page import plain, write
    from edge_fer.progress import Bars

    with Bars() as bars:
        found = measure(model, data, split, limit, threads, bars)
    write(found, out)
    typer.echo(plain(found))
    typer.echo(f"report: {(out / 'evaluation.html').absolute()}")


data_app = typer.Typer(help="Look at datasets before they are trained on.", no_args_is_help=True)
app.add_typer(data_app, name="data")


@data_app.command()
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


@app.command()
def doctor() -> None:
    """Say what this machine has, what is missing, and the command that mends it."""
    from edge_fer.doctor import examine, fit_to_run, report

    findings = examine()
    typer.echo(report(findings))
    raise typer.Exit(0 if fit_to_run(findings) else 1)


if __name__ == "__main__":
    main()
