"""The moving parts of one training run, between its start and its last saved state."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_fer.datasets.faces import classes_of, faces_of
from edge_fer.errors import Refused
from edge_fer.progress import Progress
from edge_fer.training import distil, state
from edge_fer.training.average import AveragingAdamW, refresh_statistics
from edge_fer.training.batches import TrainingBatches, steps_per_epoch
from edge_fer.training.curves import Curves
from edge_fer.training.initial import initialise
from edge_fer.training.model import build
from edge_fer.training.phases import Phase, one_cycle, phases, stops
from edge_fer.training.recipe import Recipe
from edge_fer.training.setting import Setting, require_same
from edge_fer.types import Sample

CHUNK = 64
"""Steps between two saved states: what a kill can cost."""
REFRESH = 64
"""Batches over which batch-norm statistics are taken anew for averaged weights, at most."""


class Run:
    """Trains `model` on samples; what it saves on the way lies in `out`."""

    def __init__(
        self,
        samples: Sequence[Sample],
        held_out: Sequence[Sample],
        setting: Setting,
        out: Path,
        progress: Progress,
    ) -> None:
        self.samples, self.held_out, self.setting = samples, held_out, setting
        self.curves = Curves(out)
        self.start: dict[str, Any] = {}
        """What the initial weights were, and the runs before."""
        self._state, self._progress = out / state.NAME, progress
        self._per_epoch = steps_per_epoch(len(samples), setting.recipe)
        self._faces = faces_of(held_out, setting.recipe.architecture.size)
        self.truth = classes_of(held_out)
        """(N,) true classes of the validation faces."""

    def go(self) -> None:
        """Run all phases, or what is left of them; raises Refused where the loss is no number."""
        recipe = self.setting.recipe
        saved = state.load_record(self._state)
        self._asked = self.setting.identity(self.samples, self.held_out)
        if saved is not None:
            require_same(self._state, saved, self._asked)
        keras.utils.set_random_seed(recipe.seed)
        keras.mixed_precision.set_global_policy(self.setting.precision)
        self.model = build(recipe.architecture, recipe.dropout)
        self._trainer = self._taught()
        done = 0
        if saved is None:
            self.start = initialise(self.model, self.setting.init, recipe.architecture)
        else:
            self.start, done = dict(saved["start"]), int(saved["done"])
        planned = phases(len(self.samples), recipe)
        for phase in planned:
            # The last phase is set up even when it is done: its optimizer holds the mean weights.
            if done < phase.stop or phase is planned[-1]:
                self._compile(phase)
                if saved is not None:
                    optimizer = self._optimizer if done > phase.start else None
                    state.restore(self._state, self.model, optimizer)
                    saved = None
                self._phase(phase, max(done, phase.start))
        if planned and recipe.ema and planned[-1].whole:
            self._average(planned[-1].stop)

    def _taught(self) -> keras.Model:
        """What is trained: the network, or it and its teacher beside it."""
        teacher, recipe = self.setting.teacher, self.setting.recipe
        self._answers = None
        if teacher is None:
            return self.model
        if recipe.distil_faces == "changed":
            return distil.beside(self.model, teacher)
        self._answers = distil.plain_answers(
            teacher, self.samples, recipe, self._state.parent, self._progress
        )
        keras.mixed_precision.set_global_policy(self.setting.precision)  # it answered in float32
        return self.model

    def _record(self, done: int) -> dict[str, Any]:
        return {**self._asked, "start": self.start, "done": done}

    def _compile(self, phase: Phase) -> None:
        recipe = self.setting.recipe
        for layer in self.model.layers:
            layer.trainable = phase.whole or layer.name == "head"
        self._optimizer = _optimizer(phase, recipe)
        crossentropy = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=recipe.label_smoothing
        )
        taught = self.setting.teacher is not None
        self._trainer.compile(
            optimizer=self._optimizer,
            loss=distil.loss(recipe) if taught else crossentropy,
            metrics=[distil.accuracy] if taught else ["accuracy"],
        )
        self._optimizer.build(self._trainer.trainable_variables)

    def _phase(self, phase: Phase, done: int) -> None:
        began, first, recipe = time.monotonic(), done, self.setting.recipe
        for stop in stops(phase, done, self._per_epoch, CHUNK):
            batches = TrainingBatches(self.samples, recipe, done, stop, self._answers)
            history = self._trainer.fit(batches, epochs=1, shuffle=False, verbose=0).history
            if not math.isfinite(history["loss"][-1]):
                raise _diverged(phase, f"steps {done + 1} to {stop}: the loss is no number", recipe)
            done = stop
            rate = (done - first) * min(recipe.batch, len(self.samples))
            row = {
                "step": done,
                "phase": phase.name,
                "loss": history["loss"][-1],
                "accuracy": history["accuracy"][-1],
                "faces_per_s": rate / (time.monotonic() - began),
            }
            if done == phase.stop or done % self._per_epoch == 0:
                logits = self.logits()
                if not np.isfinite(logits).all():
                    raise _diverged(phase, f"step {done}: the answers are no numbers", recipe)
                row["validation_accuracy"] = float((logits.argmax(1) == self.truth).mean())
            self.curves.add(row)
            state.save(self._state, self.model, self._optimizer, self._record(done))
            self._progress(phase.name, done, phase.stop, _note(row))

    def _average(self, done: int) -> None:
        """The mean weights in place of the last, with batch-norm statistics of their own."""
        self._optimizer.use_means()
        enough = min(REFRESH, 2 * self._per_epoch)
        ahead = TrainingBatches(self.samples, self.setting.recipe, done, done + enough)
        refresh_statistics(self.model, _faces(ahead))

    def logits(self) -> np.ndarray:
        """(N, 7) of the validation faces."""
        return np.asarray(self.model.predict(self._faces, batch_size=128, verbose=0))


def _optimizer(phase: Phase, recipe: Recipe) -> Any:
    schedule = one_cycle(phase, recipe.warmup)
    options = {"weight_decay": recipe.weight_decay, "global_clipnorm": 1.0}
    if recipe.ema and phase.whole:
        return AveragingAdamW(schedule, momentum=recipe.ema, **options)
    return keras.optimizers.AdamW(schedule, **options)


def _faces(batches: TrainingBatches) -> Iterator[np.ndarray]:
    return (batches[index][0] for index in range(len(batches)))


def _diverged(phase: Phase, what: str, recipe: Recipe) -> Refused:
    rate = (
        f"--rate (it is {recipe.rate:g})"
        if phase.whole
        else f"head_rate (--set head_rate=...; it is {recipe.head_rate:g})"
    )
    return Refused(f"{phase.name}, {what}; lower {rate} and choose another --out")


def _note(row: dict[str, Any]) -> str:
    note = (
        f"loss {row['loss']:.3f}  accuracy {row['accuracy']:.3f}  {row['faces_per_s']:.0f} faces/s"
    )
    if "validation_accuracy" in row:
        note += f"  validation {row['validation_accuracy']:.4f}"
    return note
