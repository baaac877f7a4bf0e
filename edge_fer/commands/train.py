"""`edge-fer train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from edge_fer.commands.workshop import workshop
from edge_fer.training.recipe import Recipe

if TYPE_CHECKING:
    from edge_fer.training.order import Work

RECIPE = Recipe()
"""Its values stand in the help, and hold where nothing else is asked for."""


def _help(text: str, name: str) -> str:
    known = RECIPE.architecture if hasattr(RECIPE.architecture, name) else RECIPE
    return f"{text} [default: {getattr(known, name)}]"


def _asked(text: str, name: str, **limits: Any) -> Any:
    return typer.Option(help=_help(text, name), show_default=False, **limits)


def train(
    out: Annotated[Path, typer.Option(help="Folder of the checkpoint and of the run's state")],
    data: Annotated[Optional[str], typer.Option(help="Dataset, such as fer2013:PATH")] = None,
    init: Annotated[
        Optional[str],
        typer.Option(
            help='"imagenet", a Keras Xception .weights.h5, a checkpoint, "random" '
            "[default: imagenet; for a student its teacher]"
        ),
    ] = None,
    recipe: Annotated[
        Optional[Path], typer.Option(help="TOML file, or a checkpoint whose recipe is taken")
    ] = None,
    settings: Annotated[
        str, typer.Option("--set", help="Any of the recipe, such as mixup=0.4,ema=0.999")
    ] = "",
    epochs: Annotated[Optional[float], _asked("Passes with all layers learning", "epochs")] = None,
    head_epochs: Annotated[
        Optional[float], _asked("Passes with the head alone", "head_epochs")
    ] = None,
    size: Annotated[
        Optional[int], _asked("Side of the input in pixels, 71 or more", "size")
    ] = None,
    colour: Annotated[Optional[str], _asked("What the network sees: grey or bgr", "colour")] = None,
    batch: Annotated[Optional[int], _asked("Faces a step", "batch", min=1)] = None,
    rate: Annotated[Optional[float], _asked("Peak learning rate", "rate")] = None,
    seed: Annotated[
        Optional[int], _asked("Decides order, augmentation and new weights", "seed")
    ] = None,
    width: Annotated[Optional[float], _asked("Channel multiplier; 1 is Xception", "width")] = None,
    middle_blocks: Annotated[
        Optional[int], _asked("Repeated blocks; 8 is Xception", "middle_blocks", min=0)
    ] = None,
    coverage: Annotated[
        Optional[float],
        _asked("Share of validation faces that the abstention threshold labels", "coverage"),
    ] = None,
    student: Annotated[
        Optional[float], typer.Option(help="Train a network of this width that learns from one")
    ] = None,
    teacher: Annotated[
        Optional[Path], typer.Option(help="Checkpoint that a student learns from [the shipped one]")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="auto, float32, mixed_bfloat16 or mixed_float16")
    ] = "auto",
    kfold: Annotated[
        Optional[int], typer.Option(help="Cross-validate in so many stratified, grouped folds")
    ] = None,
    group: Annotated[
        bool, typer.Option(help="Keep subjects, else duplicates, on one side of every fold")
    ] = True,
    splits: Annotated[
        str, typer.Option(help="Splits that the folds are made of")
    ] = "train,validation,test",
    allow_seen: Annotated[
        bool,
        typer.Option(
            "--allow-seen",
            help="Test folds that --init or the teacher may have seen; the report tells of it",
        ),
    ] = False,
    ray: Annotated[
        Optional[str], typer.Option(help="Run folds as Ray tasks: a cluster's address, or local")
    ] = None,
    experiment: Annotated[
        Optional[str],
        typer.Option(help="scratch, frozen, finetune, combined, several by comma, or all"),
    ] = None,
    large: Annotated[
        Optional[str], typer.Option(help="Dataset that experiments learn from")
    ] = None,
    small: Annotated[Optional[str], typer.Option(help="Dataset that it is for")] = None,
) -> None:
    """Fine-tune Xception to seven expressions. A stopped run goes on when started again."""
    from edge_fer.errors import ConfigError

    values = {
        "epochs": epochs, "head_epochs": head_epochs, "size": size, "colour": colour,
        "batch": batch, "rate": rate, "seed": seed, "width": width,
        "middle_blocks": middle_blocks, "coverage": coverage,
    }  # fmt: skip
    if (data is None) == (experiment is None):
        raise ConfigError("name --data, or an --experiment with its --large and --small")
    with workshop("train"):
        from edge_fer.training.order import Asked, settle
    work = settle(Asked(recipe, settings, values, init, precision, student, teacher))
    if experiment is not None:
        with workshop("train"):
            from edge_fer.commands.trials import experiments
        experiments(work, experiment, large, small, kfold, group, splits, out, ray, allow_seen)
    elif kfold is not None and data is not None:
        with workshop("train"):
            from edge_fer.commands.trials import cross_validation
        cross_validation(work, data, kfold, group, splits, out, ray, allow_seen)
    elif data is not None:
        _one(work, data, out)


def _one(work: Work, data: str, out: Path) -> None:
    with workshop("train"):
        from edge_fer.training.fit import train as fit
    from edge_fer.datasets import open_dataset
    from edge_fer.progress import Bars

    with Bars() as bars:
        checkpoint = fit(
            open_dataset(data), work.recipe, work.init, out, work.precision, bars, work.teacher
        )
    figures = checkpoint.metrics["validation"]
    low, high = figures["accuracy_95"]
    typer.echo(
        f"{out}: validation accuracy {figures['accuracy']:.2%} [{low:.2%}, {high:.2%}] on "
        f"{figures['faces']} faces; next: edge-fer convert {out} --int8 --data {data}"
    )
    if drawn := checkpoint.data["validation"].get("drawn"):
        typer.echo(f"{data} has no splits; validation is {drawn}")
