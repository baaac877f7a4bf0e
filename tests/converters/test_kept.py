"""The fewest worst layers in float32."""

from collections.abc import Sequence

import numpy as np
from networks import small_checkpoint

from converters.fold import folded_model
from converters.kept import MOST, Harm, fewest, layer_names, ranked, record

LAYERS = tuple(f"layer{i}" for i in range(40))
HARMS = tuple(Harm(layer, 1.0 / (i + 1)) for i, layer in enumerate(LAYERS))


def test_the_worst_layer_comes_first() -> None:
    parent = np.zeros((4, 7), np.float32)
    harm = {"layer3": 0.2, "layer7": 0.5}

    def scores(kept: Sequence[str]) -> np.ndarray:
        (alone,) = set(LAYERS) - set(kept)
        return parent + np.float32(harm.get(alone, 0.01)) / 7

    found = ranked(LAYERS, scores, parent, lambda done, total: None)
    assert [h.layer for h in found[:2]] == ["layer7", "layer3"]
    assert round(found[0].score_change, 5) == 0.5


def test_the_shortest_run_that_passes_is_found_with_few_trials() -> None:
    for needed in range(1, int(MOST * len(LAYERS)) + 1):
        tried: list[int] = []

        def passes(kept: Sequence[str], needed: int = needed, tried: list[int] = tried) -> bool:
            tried.append(len(kept))
            return len(kept) >= needed

        found = fewest(HARMS, passes)
        assert found == HARMS[:needed]
        assert len(tried) <= 7


def test_a_model_that_would_be_mostly_float_is_given_up() -> None:
    assert fewest(HARMS, lambda kept: len(kept) > MOST * len(LAYERS)) is None


def test_the_record_names_the_layers_and_why() -> None:
    said = record(HARMS[:1])
    assert said["kept_in_float32"] == [{"layer": "layer0", "score_change": 1.0}]
    assert "refused" in said["kept_because"]


def test_all_layers_with_kernels_are_named(rng: np.random.Generator) -> None:
    names = layer_names(folded_model(small_checkpoint("bgr", rng)))
    assert {"block1_conv1", "block2_shortcut", "block14_sepconv2", "head"} <= set(names)
    assert not any("bn" in name for name in names)
