"""What pictures say about their camera."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge_fer.cameras.health import Health
from edge_fer.cameras.synthetic import SyntheticCamera
from edge_fer.types import Frame, Image

RNG = np.random.default_rng(5)
SCENE = SyntheticCamera("faces=2,size=320x240").picture(40)
GRAIN = RNG.normal(0, 2, (16, *SCENE.shape))
"""Of a sensor: two steps of standard deviation."""


def grainy(picture: Image, number: int) -> Image:
    return np.clip(picture + GRAIN[number % 16], 0, 255).astype(np.uint8)


def states(
    health: Health,
    picture: Callable[[int], Image],
    seconds: float,
    begin: float = 0.0,
    fps: float = 15.0,
    moves: bool = True,
) -> list[tuple[float, str]]:
    told = []
    for number in range(int(seconds * fps)):
        captured = begin + (number + 1) / fps
        frame = Frame(picture(number), number, captured, 0.0)
        told.append((captured, health.state(frame, moves=moves)))
    return told


def entered(told: list[tuple[float, str]], state: str) -> float:
    return next(at for at, one in told if one == state)


def test_a_living_picture_is_ok() -> None:
    told = states(Health(), lambda n: grainy(SCENE, n), 120, fps=5)
    assert {state for _, state in told} == {"ok"}


def test_c7_the_same_bytes_are_frozen_after_five_to_seven_seconds() -> None:
    told = states(Health(), lambda _: SCENE.copy(), 10)
    assert 5 <= entered(told, "frozen") <= 7


def test_c7_one_changed_byte_is_no_freeze() -> None:
    def almost(number: int) -> Image:
        picture = SCENE.copy()
        picture[201, 77, 1] = number % 256
        return picture

    assert {state for _, state in states(Health(), almost, 30)} == {"ok"}


def test_c7_slow_cameras_are_given_thirty_frames() -> None:
    told = states(Health(), lambda _: SCENE, 60, fps=1)
    assert 29 <= entered(told, "frozen") <= 31


def test_c7_a_still_picture_that_may_be_still_is_ok() -> None:
    told = states(Health(), lambda _: SCENE, 600, fps=5, moves=False)
    assert {state for _, state in told} == {"ok"}


def test_c7_three_hours_of_noisy_video_is_never_frozen() -> None:
    small = SCENE[::4, ::4]
    noise = [np.clip(small + GRAIN[n, ::4, ::4], 0, 255).astype(np.uint8) for n in range(16)]
    told = states(Health(), lambda n: noise[n % 16], 3 * 3600, fps=1)
    assert {state for _, state in told} == {"ok"}


@pytest.mark.parametrize(
    ("picture", "state"),
    [
        (np.zeros_like(SCENE), "dark"),
        (SCENE // 12, "dark"),
        (np.full_like(SCENE, 90), "obstructed"),
        (cv2.GaussianBlur(np.full_like(SCENE, 60) + SCENE // 40, (0, 0), 20), "obstructed"),
    ],
    ids=["black", "night", "grey", "hand"],
)
def test_c8_a_useless_picture_is_told_after_ten_to_twelve_seconds(
    picture: Image, state: str
) -> None:
    told = states(Health(), lambda n: grainy(picture, n), 20)
    assert 10 <= entered(told, state) <= 12


def test_c8_black_without_any_noise_is_dark_not_frozen() -> None:
    told = states(Health(), lambda _: np.zeros_like(SCENE), 30)
    assert {state for _, state in told} == {"ok", "dark"}


@pytest.mark.parametrize("sigma", [8, 20])
def test_c8_a_lens_out_of_focus_is_seen_against_what_it_showed_before(sigma: int) -> None:
    health = Health()
    states(health, lambda n: grainy(SCENE, n), 60)
    blurred = cv2.GaussianBlur(SCENE, (0, 0), sigma)
    told = states(health, lambda n: grainy(blurred, n), 20, begin=60)
    assert 70 <= entered(told, "obstructed") <= 72


def test_c8_seconds_between_two_openings_are_not_dark_ones() -> None:
    health = Health()
    told = states(health, lambda n: grainy(np.zeros_like(SCENE), n), 5)
    health.begin()
    told += states(health, lambda n: grainy(np.zeros_like(SCENE), n), 9, begin=12)
    assert {state for _, state in told} == {"ok"}
    told = states(health, lambda n: grainy(np.zeros_like(SCENE), n), 5, begin=21)
    assert 22 <= entered(told, "dark") <= 24
    health.begin()
    told = states(health, lambda n: grainy(np.zeros_like(SCENE), n), 5, begin=30)
    assert {state for _, state in told} == {"dark"}


def test_c8_a_hand_that_passes_is_nobody_s_business() -> None:
    health, grey = Health(), np.full_like(SCENE, 90)
    told = states(health, lambda n: grainy(SCENE, n), 60)
    told += states(health, lambda n: grainy(grey, n), 8, begin=60)
    told += states(health, lambda n: grainy(SCENE, n), 20, begin=68)
    assert {state for _, state in told} == {"ok"}


def test_c8_light_that_returns_is_ok_within_a_second() -> None:
    health = Health()
    states(health, lambda _: np.zeros_like(SCENE), 20)
    told = states(health, lambda n: grainy(SCENE, n), 5, begin=20)
    assert entered(told, "ok") <= 21


def test_people_who_come_and_go_are_no_fault() -> None:
    health, camera = Health(), SyntheticCamera("faces=3,size=320x240,fps=5")
    empty = SyntheticCamera("faces=0,size=320x240").picture(0)
    empty[40:, 200:260] //= 2  # a door
    told = states(health, lambda n: grainy(camera.picture(n), n), 60, fps=5)
    told += states(health, lambda n: grainy(empty, n), 60, begin=60, fps=5)
    assert {state for _, state in told} == {"ok"}


def test_an_evening_that_falls_is_no_obstruction() -> None:
    health = Health()
    told = states(
        health, lambda n: grainy((SCENE * (1 - n / 4000)).astype(np.uint8), n), 600, fps=5
    )
    assert {state for _, state in told} == {"ok"}
