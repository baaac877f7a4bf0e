"""`edge-fer convert`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from edge_fer.commands.interrupts import interruptible
from edge_fer.commands.workshop import workshop

if TYPE_CHECKING:
    from converters.gate import Verdict
    from converters.order import Order
    from edge_fer.bundle import Bundle


def convert(
    checkpoint: Annotated[
        Optional[Path],
        typer.Argument(help="Checkpoint folder, or a .keras file; the shipped one if omitted"),
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Eight-bit integers")] = False,
    fp16: Annotated[bool, typer.Option("--fp16", help="Weights in half precision")] = False,
    fp32: Annotated[bool, typer.Option("--fp32", help="Full precision")] = False,
    format: Annotated[
        Optional[list[str]],
        typer.Option(help="tflite, openvino, onnx or ncs; the first two if omitted. May repeat"),
    ] = None,
    target: Annotated[
        Optional[str], typer.Option(help="pi, x86, jetson, ncs or all: format and precision")
    ] = None,
    labels: Annotated[
        Optional[str],
        typer.Option(help="Of a .keras file: its seven classes in its order, commas between"),
    ] = None,
    colour: Annotated[str, typer.Option(help="A .keras file takes: rgb, bgr or grey")] = "rgb",
    scale: Annotated[str, typer.Option(help="Its pixels: 0..255, 0..1 or -1..1")] = "0..255",
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
    jobs: Annotated[
        int, typer.Option(help="Formats made at the same time, about 2 GB of memory each")
    ] = 1,
) -> None:
    """Turn a checkpoint into bundles, each proven against its float parent or refused."""
    chosen = [n for n, asked in (("int8", int8), ("fp16", fp16), ("fp32", fp32)) if asked]
    from converters.order import Order

    asked = Order(
        precisions=tuple(chosen),
        formats=tuple(format or ()),
        target=target,
        data=data,
        samples=samples,
        seed=seed,
        out=out,
        max_drop=max_drop / 100,
        jobs=jobs,
    )
    order = replace(asked, checkpoint=checkpoint or asked.checkpoint)
    foreign = labels is not None or (checkpoint is not None and checkpoint.is_file())
    with interruptible():
        made = _foreign(order, labels, colour, scale) if foreign else _own(order)
    for bundle, verdict in made:
        typer.echo(f"{bundle.path}  {bundle.size_bytes / 1e6:.1f} MB  {verdict.word}")
        for line in [*verdict.lines(), *bundle.calibration_lines()]:
            typer.echo(f"  {line}")


def _own(order: Order) -> list[tuple[Bundle, Verdict]]:
    """A checkpoint of this project."""
    with workshop("convert"):
        from converters.convert import convert as make
    from edge_fer.progress import Bars

    with Bars() as bars:
        return make(order, bars)


def _foreign(
    order: Order, labels: str | None, colour: str, scale: str
) -> list[tuple[Bundle, Verdict]]:
    """A Keras file: looked at before anything of weight is imported."""
    from converters.keras_file import scan
    from edge_fer.emotions import LABELS
    from edge_fer.errors import ConfigError
    from edge_fer.progress import Bars

    if labels is None:
        raise ConfigError(
            f"{order.checkpoint}: say what its seven classes are, in its own order, such as "
            f"--labels {','.join(LABELS)}"
        )
    scan(order.checkpoint)
    with workshop("convert"):
        from converters.foreign import Terms, labels_of
        from converters.foreign_convert import convert_foreign
    terms = Terms(tuple(labels_of(labels)), colour, scale)
    with Bars() as bars:
        return convert_foreign(order, terms, bars)
