"""Which backend measures the baseline."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from benchmarks.backends import BACKENDS, CHOSEN, choose, environment
from edge_fer.errors import ConfigError, MissingExtra


def test_a_backend_that_keras_does_not_have_is_refused(monkeypatch):
    monkeypatch.setenv(CHOSEN, "mxnet")
    with pytest.raises(ConfigError, match="KERAS_BACKEND=mxnet: choose from tensorflow, jax"):
        choose(cpu=True)


def test_on_the_cpu_the_first_one_that_is_installed_is_taken(monkeypatch):
    monkeypatch.delenv(CHOSEN, raising=False)
    assert choose(cpu=True) == next(name for name in BACKENDS if find_spec(name))


@pytest.mark.skipif(all(map(find_spec, BACKENDS)), reason="every backend is installed")
def test_a_chosen_backend_that_is_not_installed_is_named(monkeypatch):
    absent = next(name for name in BACKENDS if not find_spec(name))
    monkeypatch.setenv(CHOSEN, absent)
    with pytest.raises(MissingExtra, match=f"needs the package {absent}"):
        choose(cpu=True)


def test_cpu_hides_every_gpu_from_the_backend():
    hidden, open_ = environment("jax", cpu=True), environment("jax", cpu=False)
    assert (hidden["CUDA_VISIBLE_DEVICES"], hidden["JAX_PLATFORMS"]) == ("", "cpu")
    assert hidden[CHOSEN] == open_[CHOSEN] == "jax"
