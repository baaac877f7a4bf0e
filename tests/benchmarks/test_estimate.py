"""What a model would take elsewhere: arithmetic, and facts that name their source."""

from __future__ import annotations

import re

import pytest

from benchmarks.estimate.boards import BOARDS, X86
from benchmarks.estimate.bracket import check
from benchmarks.estimate.command import REFERENCE
from benchmarks.estimate.here import described
from benchmarks.estimate.roofline import Device, Like, estimate
from benchmarks.estimate.work import Layer, layers_of

HEAVY = Layer("multiplies", 1_000_000_000, 0, 0)
LONG = Layer("moves", 0, 500_000_000, 500_000_000)
LIKES = (Like("slow", 1.0, 100.0, "a card"), Like("fast", 1.0, 20.0, "a card"))


def device(precision="int8", likes=LIKES):
    return Device("board", precision, 100.0, 10.0, "a sheet", likes)


def test_like_models_tell_which_share_of_the_peak_is_reached():
    assert device().efficiencies() == pytest.approx((0.1, 0.5))


def test_multiplying_is_bound_by_the_units_and_moving_by_the_memory():
    multiplying, moving = estimate([HEAVY], device()), estimate([LONG], device())
    assert (multiplying.low_ms, multiplying.high_ms) == pytest.approx((20.0, 100.0))
    assert (moving.low_ms, moving.high_ms) == pytest.approx((1000 / 8, 1000 / 3))


def test_layers_follow_each_other():
    both = estimate([HEAVY, LONG], device())
    assert both.low_ms == pytest.approx(20.0 + 125.0)


def test_a_shorter_number_moves_fewer_bytes():
    assert estimate([LONG], device("fp32")).low_ms == pytest.approx(4 * 125.0)


def test_the_model_that_set_the_efficiency_is_bracketed_by_it():
    found = estimate([Layer("net", 1_000_000_000, 0, 0)], device())
    assert found.holds(20.0)
    assert found.holds(100.0)
    assert not found.holds(19.0)
    assert found.low_ms < found.middle_ms < found.high_ms


def test_layers_are_counted_as_the_papers_count_them():
    keras = pytest.importorskip("keras")
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="conv")(image)
    x = keras.layers.SeparableConv2D(6, 3, padding="same", name="separable")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(7, name="head")(x))
    found = {layer.name: layer for layer in layers_of(model)}
    assert found["conv"].macs == 4 * 4 * 4 * 3 * 3 * 3
    assert found["separable/depthwise"].macs == 4 * 4 * 4 * 3 * 3
    assert found["separable/pointwise"].macs == 4 * 4 * 4 * 6
    assert found["head"].macs == 6 * 7
    assert sum(layer.weights for layer in found.values()) == model.count_params()
    assert found["conv"].bytes("fp32") == 4 * (3 * 3 * 3 * 4 + 4 + 8 * 8 * 3 + 4 * 4 * 4)


def test_this_machine_in_int8_has_the_peak_that_its_instructions_allow():
    peaks = {"gmacs": 50.0, "gbytes": 20.0, "int8_times": 4.0, "x86": True}
    floats, integers = described(peaks, 2)
    assert (floats.precision, floats.peak_gmacs) == ("fp32", 100.0)
    assert (integers.precision, integers.peak_gmacs) == ("int8", 400.0)
    shares = [share for one in X86 for share in one.efficiencies()]
    assert floats.efficiencies() == pytest.approx((min(shares), max(shares)))


@pytest.mark.parametrize("one", [d for board in BOARDS.values() for d in board] + list(X86),
                         ids=lambda d: f"{d.name} {d.precision}")  # fmt: skip
def test_every_board_names_its_sources_and_reaches_less_than_its_peak(one):
    least, most = one.efficiencies()
    assert 0 < least <= most < 1
    assert one.source
    assert all(re.search(r"[a-z]", like.source) for like in one.likes)


def test_the_reference_machine_is_bracketed_by_its_own_peaks():
    found = list(check(REFERENCE / "epyc-2-cores"))
    assert len(found) >= 4
    assert {"fp32", "int8"} <= {one.name.split("-")[1] for one in found}
    assert [one.line() for one in found if not one.holds] == []
