"""Batches of faces for Keras: decided by the recipe, the step and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from edge_fer.datasets.faces import face_of
from edge_fer.emotions import LABELS
from edge_fer.training.augment import augment
from edge_fer.training.recipe import Recipe
from edge_fer.types import Sample


class TrainingBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Steps `start` to `stop` of a run: augmented faces and one-hot labels.

    With a teacher's `answers`, (N, 7), they stand behind the labels.

    Each epoch visits the samples in an order of its own, and each face of it is changed by a
    generator of its own: a run that resumes at a step sees what it would have seen.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        recipe: Recipe,
        start: int,
        stop: int,
        answers: np.ndarray | None = None,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=4)
        self._samples, self._recipe = samples, recipe
        self._start, self._stop, self._answers = start, stop, answers
        self._batch = min(recipe.batch, len(samples))

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """(B, size, size, 3) uint8 and (B, 7) or (B, 14) float32."""
        epoch, step = divmod(self._start + index, steps_per_epoch(len(self._samples), self._recipe))
        order = np.random.default_rng((self._recipe.seed, epoch)).permutation(len(self._samples))
        chosen = order[step * self._batch : (step + 1) * self._batch]
        faces = np.stack([self._face(int(i), epoch) for i in chosen])
        labels = np.eye(len(LABELS), dtype=np.float32)[[self._samples[i].emotion for i in chosen]]
        if self._answers is not None:
            labels = np.concatenate([labels, self._answers[chosen]], 1)
        return self._blended(faces, labels, (epoch, step))

    def _blended(
        self, faces: np.ndarray, labels: np.ndarray, where: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mixup: every face and label with those of another face of the batch, in one ratio."""
        if not self._recipe.mixup:
            return faces, labels
        rng = np.random.default_rng((self._recipe.seed, *where, len(self._samples)))
        share = np.float32(rng.beta(self._recipe.mixup, self._recipe.mixup))
        other = rng.permutation(len(faces))
        blend = share * faces + (1 - share) * faces[other].astype(np.float32)
        return np.rint(blend).astype(np.uint8), share * labels + (1 - share) * labels[other]

    def _face(self, index: int, epoch: int) -> np.ndarray:
        rng = np.random.default_rng((self._recipe.seed, epoch, index))
        face = face_of(self._samples[index], self._recipe.architecture.size)
        return augment(face, self._recipe, rng)


def steps_per_epoch(count: int, recipe: Recipe) -> int:
    """Whole batches in one pass."""
    return max(1, count // recipe.batch)
