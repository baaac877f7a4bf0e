"""Settings as `name=value`."""

from dataclasses import dataclass

import pytest

from edge_fer.errors import ConfigError
from edge_fer.options import read_options


@dataclass(frozen=True)
class Settings:
    count: int = 1
    rate: float = 2.0
    size: tuple[int, int] = (4, 3)
    live: bool = True

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("count is not negative")


def test_no_argument_keeps_the_defaults() -> None:
    assert read_options(Settings(), "", "here") == Settings()


def test_values_take_the_type_of_their_default() -> None:
    read = read_options(Settings(), "count=3, rate=0.5,size=64x48,live=no", "here")
    assert read == Settings(3, 0.5, (64, 48), False)


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("colour=red", "unknown option 'colour': choose from count, rate, size, live"),
        ("count=many", "count is a whole number, not 'many'"),
        ("size=big", "size is WIDTHxHEIGHT, not 'big'"),
        ("live=perhaps", "live is yes or no, not 'perhaps'"),
        ("count", "count is a whole number, not ''"),
        ("count=-1", "count is not negative"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_wanted(argument: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_options(Settings(), argument, "here")
    assert str(caught.value) == f"here: {told}"
