"""Channel scales and biases moved through the network: the answers stay."""

import numpy as np
import pytest
from networks import SMALL, scores_of, small_checkpoint

from converters.bias import corrected, gain
from converters.equalize import equalized, streams
from converters.fold import fold
from converters.probe import MIDDLE, flow
from edge_fer.progress import silent
from edge_fer.training.checkpoint import Checkpoint, Weights
from edge_fer.training.recipe import Architecture
from edge_fer.types import FaceBatch


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return small_checkpoint("bgr", np.random.default_rng(7), middle_blocks=1)


@pytest.fixture(scope="module")
def faces() -> FaceBatch:
    return np.random.default_rng(8).integers(0, 256, (6, 71, 71, 3), dtype=np.uint8)


def quiet(done: int, total: int) -> None:
    silent("", done, total)


def test_evened_channels_give_the_same_answers(checkpoint: Checkpoint, faces: FaceBatch) -> None:
    architecture, weights = checkpoint.recipe.architecture, fold(checkpoint)
    even, _ = equalized(weights, architecture, flow(weights, architecture, faces, quiet))
    moved = [n for n in weights if not np.allclose(weights[n], even[n])]
    assert any("depthwise" in name for name in moved)
    assert (
        np.abs(scores_of(even, checkpoint, faces) - scores_of(weights, checkpoint, faces)).max()
        < 1e-5
    )


def test_the_flow_of_evened_weights_is_foretold(checkpoint: Checkpoint, faces: FaceBatch) -> None:
    architecture, weights = checkpoint.recipe.architecture, fold(checkpoint)
    even, foretold = equalized(weights, architecture, flow(weights, architecture, faces, quiet))
    found = flow(even, architecture, faces, quiet)
    for name in found.largest:
        assert np.allclose(found.peaks(name), foretold.peaks(name), rtol=1e-3, atol=1e-5), name


def test_evening_brings_quiet_channels_up(checkpoint: Checkpoint, faces: FaceBatch) -> None:
    architecture, weights = checkpoint.recipe.architecture, fold(checkpoint)
    before = flow(weights, architecture, faces, quiet)
    _, after = equalized(weights, architecture, before)

    def spread(peaks: np.ndarray) -> float:
        alive = peaks[peaks > 0.01 * peaks.max()]
        return float(alive.max() / np.median(alive))

    name = "block5_sepconv2"
    assert spread(after.peaks(name)) < 0.7 * spread(before.peaks(name))
    assert spread(after.peaks(name + MIDDLE)) < spread(before.peaks(name + MIDDLE))


def test_every_separable_convolution_reads_one_stream() -> None:
    architecture = Architecture(**SMALL)  # type: ignore[arg-type]
    readers = [name for stream in streams(architecture) for name in stream.depthwise]
    assert len(readers) == len(set(readers))


def rounded(weights: Weights) -> Weights:
    """Each kernel rounded as INT8 will, the batch norm behind it folded in first."""
    out = dict(weights)
    for key, values in weights.items():
        name, _, kind = key.partition("/")
        if kind == "depthwise_kernel":
            out[key] = to_steps(values, (0, 1), 1.0)
        elif kind in ("kernel", "pointwise_kernel") and values.ndim == 4:
            out[key] = to_steps(values, (0, 1, 2), gain(weights, f"{name}_bn"))
    return out


def to_steps(kernel: np.ndarray, inner: tuple[int, ...], scale: np.ndarray | float) -> np.ndarray:
    folded = kernel * scale
    step = np.abs(folded).max(inner, keepdims=True) / 127
    return np.asarray(np.round(folded / step) * step / scale, np.float32)


def test_the_bias_takes_back_what_rounding_a_kernel_shifts(
    checkpoint: Checkpoint, faces: FaceBatch
) -> None:
    architecture, weights = checkpoint.recipe.architecture, fold(checkpoint)
    wanted = flow(weights, architecture, faces, quiet)
    plain = flow(rounded(weights), architecture, faces, quiet)
    mended = flow(rounded(corrected(weights, wanted)), architecture, faces, quiet)

    def shift(found: object) -> float:
        name = "block2_sepconv2"  # behind the first separable convolution
        return float(np.abs(found.means(name) - wanted.means(name)).mean())  # type: ignore[attr-defined]

    assert shift(mended) < 0.5 * shift(plain)
