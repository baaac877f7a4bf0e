"""The two stretches of a run, their steps, and how the learning rate goes through them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import keras

from edge_fer.training.batches import steps_per_epoch
from edge_fer.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of steps with one optimizer."""

    name: str
    start: int
    """First step, counted from the beginning of the run."""
    stop: int
    rate: float
    whole: bool
    """All layers learn, not the head alone."""


def phases(count: int, recipe: Recipe) -> list[Phase]:
    """The head's phase and that of all layers, in steps; one without steps is left out."""
    per_epoch = steps_per_epoch(count, recipe)
    head = round(recipe.head_epochs * per_epoch)
    whole = round(recipe.epochs * per_epoch)
    both = [
        Phase("head", 0, head, recipe.head_rate, whole=False),
        Phase("all layers", head, head + whole, recipe.rate, whole=True),
    ]
    return [phase for phase in both if phase.stop > phase.start]


def one_cycle(phase: Phase, warmup: float) -> keras.optimizers.schedules.LearningRateSchedule:
    """A linear rise, then a cosine to zero (Smith, 2018; Loshchilov and Hutter, 2017)."""
    steps = max(1, phase.stop - phase.start)
    rise = max(1, round(warmup * steps))
    return keras.optimizers.schedules.CosineDecay(
        phase.rate / 25,
        decay_steps=max(1, steps - rise),
        alpha=0.0,
        warmup_target=phase.rate,
        warmup_steps=rise,
    )


def stops(phase: Phase, done: int, per_epoch: int, chunk: int) -> Iterator[int]:
    """Where to pause: every `chunk` steps, at every epoch's end and at the phase's."""
    while done < phase.stop:
        epoch_end = (done // per_epoch + 1) * per_epoch
        done = min(done + chunk, epoch_end, phase.stop)
        yield done
