"""What `edge-fer train` does with `--kfold` and with `--experiment`."""

from __future__ import annotations

import logging
from pathlib import Path

import typer

from benchmarks import experiments_page, folds_page
from edge_fer.datasets import SPLITS
from edge_fer.errors import ConfigError
from edge_fer.progress import Bars
from edge_fer.training.cross import cross_validate
from edge_fer.training.experiments import Trial, names_of
from edge_fer.training.initial import check
from edge_fer.training.kfold import Order
from edge_fer.training.machine import chosen_precision
from edge_fer.training.order import Work
from edge_fer.training.seen import require_unseen
from edge_fer.training.trial import run

# One network after another: TensorFlow warns that each of them is traced anew.
logging.getLogger("tensorflow").setLevel(logging.ERROR)

FOLDS = 5
"""Of an experiment for which no number is given."""


def cross_validation(
    work: Work,
    data: str,
    count: int,
    grouped: bool,
    splits: str,
    out: Path,
    ray: str | None,
    allow_seen: bool,
) -> None:
    """Cross-validate, write the report, print its summary."""
    if not allow_seen:
        require_unseen(work.init, work.teacher, data)
    order = _order(work, data, count, grouped, splits, out)
    with Bars() as bars:
        done = cross_validate(order, ray, bars)
    typer.echo(folds_page.plain(done))
    typer.echo(f"report: {folds_page.write(done, out)}")


def experiments(
    work: Work,
    names: str,
    large: str | None,
    small: str | None,
    count: int | None,
    grouped: bool,
    splits: str,
    out: Path,
    ray: str | None,
    allow_seen: bool,
) -> None:
    """Run the paper's experiments, write their table, print it."""
    chosen = names_of(names)
    if large is None or small is None:
        raise ConfigError("--experiment needs --large and --small, two datasets")
    if not allow_seen:
        require_unseen(work.init, work.teacher, small)
    order = _order(work, small, count or FOLDS, grouped, splits, out)
    with Bars() as bars:
        done = run(Trial(order, large, chosen), ray, bars)
    typer.echo(experiments_page.plain(done))
    typer.echo(f"report: {experiments_page.write(done, out)}")


def _order(work: Work, data: str, count: int, grouped: bool, splits: str, out: Path) -> Order:
    chosen = tuple(splits.split(","))
    for split in chosen:
        if split not in SPLITS:
            raise ConfigError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
    check(work.init)
    chosen_precision(work.precision)
    # Absolute: another machine, or another process, may stand in another folder.
    init = str(Path(work.init).absolute()) if Path(work.init).exists() else work.init
    return Order(
        data, chosen, count, grouped, work.recipe, init, work.precision,
        out.absolute(), work.teacher.absolute() if work.teacher else None,
    )  # fmt: skip
