"""`edge-fer train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_fer.commands.workshop import workshop


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
    with workshop("train"):
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
