"""One camera followed through its losses and returns; rows of the fault table by their number."""

import errno
import itertools
from pathlib import Path

import numpy as np
import pytest
from fakes import frame_of
from timeline import Follow, Log, Shown, Timeline, noise, steady

from edge_fer.daemon import retries, watch
from edge_fer.daemon.pace import Pace
from edge_fer.errors import CameraError, NoFrames

GONE = CameraError("camera /dev/video0 is not there; plug the camera in")


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Follow:
    monkeypatch.setattr(retries, "present", tuple)
    return Follow(tmp_path, monkeypatch)


def test_c1_an_absent_camera_is_tried_again_ever_more_seldom(follow: Follow) -> None:
    log = follow([GONE], seconds=200)
    waits = np.diff(log.opened)
    for wait, wanted in zip(waits, [1, 2, 4, 8, 16, 30, 30, 30], strict=False):
        assert 0.8 * wanted <= wait <= 1.2 * wanted + watch.POLL_S
    assert len(waits) >= 8


def test_c1_an_absent_camera_is_told_once_and_then_once_a_minute(
    follow: Follow, capsys: pytest.CaptureFixture[str]
) -> None:
    log = follow([GONE], seconds=600)
    assert log.states == ["lost"]
    first, *reminders = capsys.readouterr().err.splitlines()
    assert "camera state lost: camera /dev/video0 is not there" in first
    assert 6 <= len(reminders) <= 9
    assert all("camera is still lost: camera /dev/video0" in line for line in reminders)


def test_c1_the_camera_that_comes_is_ok_and_waits_begin_anew(follow: Follow) -> None:
    come = Timeline(steady(10, 5), error=GONE)
    log = follow([GONE, GONE, come, GONE], seconds=30)
    assert log.states == ["lost", "ok", "lost"]
    # Its picture came 5 s after the third opening; the fourth is a first attempt again.
    assert 0.8 <= log.opened[3] - (log.opened[2] + 5) <= 1.3


def test_c2_an_unplugged_camera_is_lost_and_nothing_is_repeated(follow: Follow) -> None:
    log = follow([Timeline(steady(10, 20), error=GONE), GONE], seconds=60)
    assert log.states == ["ok", "lost"]
    assert log.entered("lost") - 20 <= 5
    assert max(log.updates) <= 20
    assert log.reopened("error") >= 1


def test_c2_frames_older_than_a_second_give_no_event(follow: Follow) -> None:
    old = [Shown(shown.at, shown.image, age=1.5) for shown in steady(10, 5)]
    log = follow([Timeline(old)], seconds=4)
    assert log.updates == []
    assert log.dropped("too_old") > 30


def test_c3_a_camera_that_was_plugged_in_is_tried_at_once(
    follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[Log] = []

    def present() -> tuple[str, ...]:
        return ("/dev/video7",) if log and log[0].clock.t > 1100 else ()

    original = watch.Watch.run
    monkeypatch.setattr(retries, "present", present)
    monkeypatch.setattr(watch.Watch, "run", lambda w: (log.append(w._sinks), original(w)))
    told = follow([GONE], seconds=110)
    first, *later = [at - 100 for at in told.opened if at > 100]
    assert first < 1.0
    # While udev has not given it to the group video yet, it is still forbidden.
    assert max(later) < 10
    assert len(later) == 3


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.EAGAIN])
def test_r2_a_machine_that_has_nothing_left_to_open_a_camera_with_is_asked_again(
    follow: Follow, number: int
) -> None:
    log = follow([OSError(number, "nothing left"), Timeline(steady(10, 5))], seconds=6)
    assert log.states == ["lost", "ok"]


def test_an_error_of_another_kind_is_not_waited_out(follow: Follow) -> None:
    with pytest.raises(OSError, match="broken"):
        follow([OSError(errno.EIO, "broken")], seconds=6)


def test_c4_a_silent_camera_is_stalled_and_opened_again_at_once(follow: Follow) -> None:
    log = follow([Timeline(steady(10, 20)), Timeline(steady(10, 5))], seconds=40)
    assert log.states[:3] == ["ok", "stalled", "ok"]
    assert log.entered("stalled") - 20 <= 10
    assert min(at for at in log.updates if at > 20.01) - 20 <= 15
    assert log.reopened("stalled") >= 1


def test_c4_a_camera_that_never_gives_a_frame_is_not_opened_again_and_again(
    follow: Follow,
) -> None:
    log = follow([Timeline([]), Timeline([])], seconds=600)
    assert log.states == ["stalled"]
    assert len(log.opened) < 20


def test_c5_while_a_camera_cannot_be_closed_the_loop_goes_on_and_opens_no_second_one(
    follow: Follow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stuck = Timeline(steady(10, 2))
    stuck.gone = False
    ticks: list[float] = []
    tick = watch.Watch._tick
    monkeypatch.setattr(watch.Watch, "_tick", lambda w: (ticks.append(w._clock.now()), tick(w)))
    log = follow([stuck], seconds=60)
    assert log.opened == [0.0]
    assert log.states == ["ok", "stalled"]
    assert log.told[-1][1]["degraded"] == ["camera"]
    assert max(np.diff(ticks)) <= 0.1
    assert "cannot be killed" in capsys.readouterr().err


def test_c5_once_the_process_is_gone_the_camera_is_opened_again(follow: Follow) -> None:
    stuck = Timeline(steady(10, 2))
    stuck.gone = False
    stuck.close = lambda: setattr(stuck, "gone", True)  # type: ignore[method-assign]
    log = follow([stuck, Timeline(steady(10, 20))], seconds=30)
    assert log.states[:3] == ["ok", "stalled", "ok"]


def test_c5_where_it_was_asked_for_a_camera_that_never_comes_back_ends_the_daemon_with_75(
    follow: Follow,
) -> None:
    stuck = Timeline(steady(10, 2))
    stuck.gone = False
    for openings in ([stuck], [GONE]):
        with pytest.raises(NoFrames, match="no frame for 300 s") as caught:
            follow(openings, seconds=400, config={"patience_s": 300.0})
        assert caught.value.exit_code == 75


def test_c5_a_camera_that_comes_back_in_time_is_waited_for_anew(follow: Follow) -> None:
    away = [GONE] * 10  # 1, 2, 4, 8, 16, 30 ... s: about three minutes
    back = [Timeline(steady(10, 5), error=GONE), Timeline(steady(10, 900))]
    log = follow([*away, back[0], *away, back[1]], seconds=600, config={"patience_s": 300.0})
    assert log.states == ["lost", "ok", "lost", "ok"]


def test_c6_a_frame_with_the_stamp_of_the_last_one_is_no_frame(follow: Follow) -> None:
    twice = [Shown(n / 10, noise(n), captured=n // 2 / 5) for n in range(1, 41)]
    log = follow([Timeline(twice)], seconds=6)
    assert (len(log.updates), log.dropped("repeat")) == (21, 19)


def test_c6_a_driver_that_only_repeats_is_stalled(follow: Follow) -> None:
    repeats = [Shown(shown.at, shown.image, captured=0.1) for shown in steady(10, 30)]
    log = follow([Timeline(repeats), Timeline(steady(10, 5))], seconds=25)
    assert len([at for at in log.updates if at < 8]) == 1
    assert log.states[:2] == ["ok", "stalled"]


def test_c7_a_frozen_picture_is_told_in_time_and_reopened_once(follow: Follow) -> None:
    def frozen(_: int) -> np.ndarray:
        return noise(0)

    shown = [*steady(10, 10), *steady(10, 20, frozen, begin=10)]
    log = follow([Timeline(shown), Timeline(steady(10, 60, frozen))], seconds=80)
    assert log.states == ["ok", "frozen"]
    assert 5 <= log.entered("frozen") - 10 <= 7
    assert max(log.updates) <= log.entered("frozen")
    assert (len(log.opened), log.reopened("frozen")) == (2, 1)


def test_c7_a_picture_that_moves_again_is_ok_and_the_next_freeze_is_reopened_too(
    follow: Follow,
) -> None:
    freezes = [*steady(10, 5), *steady(10, 10, lambda _: noise(0), begin=5)]
    openings = [Timeline(freezes), Timeline(freezes), Timeline(steady(10, 60))]
    log = follow(openings, seconds=60)
    assert log.states == ["ok", "frozen", "ok", "frozen", "ok"]
    assert log.reopened("frozen") == 2


def test_c7_a_camera_told_that_nothing_may_move_is_never_frozen(follow: Follow) -> None:
    still = Timeline(steady(10, 60, lambda _: noise(0)))
    still.moves = False
    assert follow([still], seconds=50).states == ["ok"]


@pytest.mark.parametrize(
    ("picture", "state"),
    [
        (np.zeros((48, 64, 3), np.uint8), "dark"),
        (np.full((48, 64, 3), 120, np.uint8), "obstructed"),
    ],
)
def test_c8_a_covered_camera_is_told_without_opening_it_again(
    follow: Follow, picture: np.ndarray, state: str
) -> None:
    shown = [*steady(10, 40), *steady(10, 100, lambda _: picture, begin=40)]
    log = follow([Timeline([*shown, *steady(10, 10, begin=140)])], seconds=145)
    assert log.states == ["ok", state, "ok"]
    assert 10 <= log.entered(state) - 40 <= 12
    assert len(log.opened) == 1


def test_c10_every_event_tells_the_size_of_its_own_frame(follow: Follow) -> None:
    sizes = [(480, 640), (240, 320), (480, 640)]
    rng = np.random.default_rng(2)
    shown = [
        Shown((n + 1) / 10, rng.integers(0, 256, (*sizes[n // 10], 3), np.uint8)) for n in range(30)
    ]
    log = follow([Timeline(shown)], seconds=4)
    told = [event["frame"] for _, event in log.told if event["type"] == "update"]
    assert [(f["height"], f["width"]) for f in told] == [sizes[n // 10] for n in range(30)]
    assert log.states == ["ok"]


def test_c11_one_frame_in_five_seconds_is_no_stall(follow: Follow) -> None:
    falls = [*steady(15, 10), *steady(0.2, 300, begin=10)]
    log = follow([Timeline(falls)], seconds=200)
    assert log.states == ["ok"]
    assert len(log.opened) == 1


def test_c11_a_camera_asked_for_one_frame_in_ten_seconds_is_not_opened_again(
    follow: Follow,
) -> None:
    slow = Timeline(steady(0.1, 1000))
    slow.interval_s = 10.0
    log = follow([slow], seconds=900)
    assert (log.states, len(log.opened)) == (["ok"], 1)


def test_c11_every_other_frame_lost_changes_nothing(follow: Follow) -> None:
    half = [shown for shown, kept in zip(steady(15, 60), itertools.cycle((1, 0))) if kept]
    log = follow([Timeline(half)], seconds=55)
    assert (log.states, len(log.opened)) == (["ok"], 1)


def test_c15_a_stream_that_ends_is_connected_anew(follow: Follow) -> None:
    ends = Timeline(steady(10, 5), error=CameraError("stream rtsp://host:554/ has ended"))
    log = follow([ends, Timeline(steady(10, 60))], seconds=30)
    assert log.states == ["ok", "lost", "ok"]


def test_while_it_is_switched_off_nothing_is_analysed_and_nothing_is_wrong(follow: Follow) -> None:
    black = Timeline(steady(10, 60, lambda _: np.zeros((48, 64, 3), np.uint8)))
    log = follow([black], seconds=50, enabled=False)
    assert (log.states, log.updates) == (["disabled"], [])


def test_the_pace_grows_with_the_interval() -> None:
    pace = Pace(0.0)
    assert (pace.silent, pace.limit_s) == (True, 15.0)
    for number in range(50):
        pace.arrived(frame_of(index=number, captured=6.0 * number), 6.0 * number)
    assert pace.limit_s == pytest.approx(15.0, abs=0.1)
    assert not pace.overdue(6.0 * 49 + 14)
    assert pace.overdue(6.0 * 49 + 16)


def test_waits_double_to_thirty_seconds_and_vary_by_a_fifth() -> None:
    waits = list(itertools.islice(retries.retry_waits(), 8))
    for wait, seconds in zip(waits, [1, 2, 4, 8, 16, 30, 30, 30], strict=True):
        assert 0.8 * seconds <= wait <= 1.2 * seconds
