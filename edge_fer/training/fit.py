"""One training run: two phases, resumable, the same on every Keras backend."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_fer import statistics
from edge_fer.datasets import list_hash, samples_of
from edge_fer.datasets.faces import classes_of, faces_of, schemes
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, CheckpointError
from edge_fer.progress import Progress
from edge_fer.protocols import Dataset
from edge_fer.training import state
from edge_fer.training.batches import TrainingBatches, steps_per_epoch
from edge_fer.training.checkpoint import Checkpoint, weights_of
from edge_fer.training.curves import Curves
from edge_fer.training.initial import check, initialise
from edge_fer.training.machine import chosen_precision, tools
from edge_fer.training.model import build
from edge_fer.training.recipe import Recipe
from edge_fer.training.temperature import abstention_threshold, fit_temperature, softmax
from edge_fer.types import Sample

CHUNK = 64
"""Steps between two saved states: what a kill can cost."""
COVERAGE = 0.9
"""Share of validation faces that keep a label under the abstention threshold."""


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


def train(
    dataset: Dataset, recipe: Recipe, init: str, out: Path, precision: str, progress: Progress
) -> Checkpoint:
    """Fine-tune on the train split, choose nothing on test; writes and returns the checkpoint.

    A run that was stopped goes on from its last saved state when it is started again with the
    same arguments.
    """
    check(init)
    train_set, held_out = samples_of(dataset, "train"), samples_of(dataset, "validation")
    missing = {emotion.label for emotion in Emotion} - {s.emotion.label for s in train_set}
    if missing:
        raise BadData(f"{dataset.name}: no training faces of {', '.join(sorted(missing))}")
    run = _Run(train_set, held_out, recipe, out, chosen_precision(precision), progress)
    origin = run.go(init)
    checkpoint = _finish(run, dataset, origin)
    checkpoint.save(out)
    return checkpoint


class _Run:
    """The moving parts of one training run."""

    def __init__(
        self,
        samples: Sequence[Sample],
        held_out: Sequence[Sample],
        recipe: Recipe,
        out: Path,
        precision: str,
        progress: Progress,
    ) -> None:
        self.samples, self.held_out, self.recipe = samples, held_out, recipe
        self.precision, self._progress = precision, progress
        self._state = out / "state"
        self._curves = Curves(out)
        self._faces = faces_of(held_out, recipe.architecture.size)
        self._truth = classes_of(held_out)
        self._identity = {"recipe": recipe.to_json(), "train": list_hash(samples)}

    def go(self, init: str) -> str:
        """Run all phases; returns what the initial weights were."""
        keras.utils.set_random_seed(self.recipe.seed)
        keras.mixed_precision.set_global_policy(self.precision)
        self.model = build(self.recipe.architecture, self.recipe.dropout)
        saved = state.load_record(self._state)
        if saved is None:
            origin, done = initialise(self.model, init, self.recipe.architecture), 0
        else:
            self._same_run(saved)
            origin, done = str(saved["origin"]), int(saved["done"])
        self._identity["origin"] = origin
        for phase in phases(len(self.samples), self.recipe):
            if done < phase.stop:
                self._compile(phase)
                if saved is not None:
                    state.restore(self._state, self.model, same_phase=done > phase.start)
                    saved = None
                self._phase(phase, max(done, phase.start))
        if saved is not None:
            state.restore(self._state, self.model, same_phase=False)
        return origin

    def _same_run(self, saved: dict[str, Any]) -> None:
        if any(saved.get(key) != self._identity[key] for key in ("recipe", "train")):
            raise CheckpointError(
                f"{self._state}: holds a run with another recipe or other data; "
                "choose another --out or remove the folder"
            )

    def _compile(self, phase: Phase) -> None:
        for layer in self.model.layers:
            layer.trainable = phase.whole or layer.name == "head"
        self.model.compile(
            optimizer=keras.optimizers.AdamW(
                one_cycle(phase, self.recipe.warmup),
                weight_decay=self.recipe.weight_decay,
                global_clipnorm=1.0,
            ),
            loss=keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=self.recipe.label_smoothing
            ),
            metrics=["accuracy"],
        )
        self.model.optimizer.build(self.model.trainable_variables)

    def _phase(self, phase: Phase, done: int) -> None:
        began, first = time.monotonic(), done
        for stop in _stops(phase, done, steps_per_epoch(len(self.samples), self.recipe)):
            batches = TrainingBatches(self.samples, self.recipe, done, stop)
            history = self.model.fit(batches, epochs=1, shuffle=False, verbose=0).history
            done = stop
            rate = (done - first) * self.recipe.batch / (time.monotonic() - began)
            row = {
                "step": done,
                "phase": phase.name,
                "loss": history["loss"][-1],
                "accuracy": history["accuracy"][-1],
                "faces_per_s": rate,
            }
            if done == phase.stop or done % steps_per_epoch(len(self.samples), self.recipe) == 0:
                row["validation_accuracy"] = self.accuracy()
            self._curves.add(row)
            state.save(self._state, self.model, {**self._identity, "done": done})
            self._progress(phase.name, done, phase.stop, _note(row))

    def logits(self) -> np.ndarray:
        """(N, 7) of the validation faces."""
        return np.asarray(self.model.predict(self._faces, batch_size=128, verbose=0))

    def accuracy(self) -> float:
        """On the validation faces."""
        return float((self.logits().argmax(1) == self._truth).mean())

    @property
    def truth(self) -> np.ndarray:
        """(N,) true classes of the validation faces."""
        return self._truth


def phases(count: int, recipe: Recipe) -> list[Phase]:
    """The head's phase and that of all layers, in steps."""
    per_epoch = steps_per_epoch(count, recipe)
    head = round(recipe.head_epochs * per_epoch)
    whole = round(recipe.epochs * per_epoch)
    return [
        Phase("head", 0, head, recipe.head_rate, whole=False),
        Phase("all layers", head, head + whole, recipe.rate, whole=True),
    ]


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


def _stops(phase: Phase, done: int, per_epoch: int) -> Iterator[int]:
    """Where to pause: every CHUNK steps, at every epoch's end and at the phase's."""
    while done < phase.stop:
        epoch_end = (done // per_epoch + 1) * per_epoch
        done = min(done + CHUNK, epoch_end, phase.stop)
        yield done


def _note(row: dict[str, Any]) -> str:
    note = (
        f"loss {row['loss']:.3f}  accuracy {row['accuracy']:.3f}  {row['faces_per_s']:.0f} faces/s"
    )
    if "validation_accuracy" in row:
        note += f"  validation {row['validation_accuracy']:.4f}"
    return note


def _finish(run: _Run, dataset: Dataset, origin: str) -> Checkpoint:
    """Temperature, threshold and figures, from the validation split at the run's precision."""
    logits, truth = run.logits(), run.truth
    temperature = fit_temperature(logits, truth)
    scores = softmax(logits / temperature)
    return Checkpoint(
        weights=weights_of(run.model),
        recipe=run.recipe,
        temperature=temperature,
        abstain_below=abstention_threshold(scores, COVERAGE),
        data={
            split: {
                "spec": schemes(dataset.name),
                "faces": len(samples),
                "sha256": list_hash(samples),
            }
            for split, samples in (("train", run.samples), ("validation", run.held_out))
        },
        metrics={"validation": statistics.summary(scores, truth)},
        made={**tools(), "precision": run.precision, "init": origin},
    )
