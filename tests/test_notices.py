"""Lines on stderr: of one form, not too many, and as the journal wants them."""

import json
import os
import subprocess
import sys

import pytest

from edge_fer.notices import BURST, REFILL_S, Log


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def log(now: list[float]) -> Log:
    return Log(lambda: now[0])


def test_a_line_is_one_line(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    log.say("a\nb\r\n  c")
    assert capsys.readouterr().err == "edge-fer: a b c\n"


def test_json_lines_have_a_level_and_a_time(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    log.form = "json"
    log.say('say "no"', "warning")
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["text"], line["program"]) == ("warning", 'say "no"', "edge-fer")
    assert line["time"].endswith("Z")


def test_a_flood_is_cut_and_counted(
    log: Log, now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(1000):
        log.say(str(i))
    assert capsys.readouterr().err.count("\n") == BURST
    now[0] += REFILL_S
    log.say("after")
    said = capsys.readouterr().err.splitlines()
    assert said == [f"edge-fer: {1000 - BURST} lines were left out", "edge-fer: after"]


def test_in_an_hour_no_more_than_the_promised_lines_are_said(
    log: Log, now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(36_000):
        now[0] += 0.1
        log.say("again")
    lines = [one for one in capsys.readouterr().err.splitlines() if one.endswith("again")]
    assert len(lines) <= BURST + 3600 / REFILL_S


def test_a_clock_that_steps_back_opens_no_gate(
    log: Log, now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(100):
        now[0] = -float(i)
        log.say("x")
    assert capsys.readouterr().err.count("\n") == BURST


CHILD = """
import os, sys
from edge_fer.notices import notice
status = os.fstat(2)
if sys.argv[1] == "named":
    os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
notice("a", "error")
notice("b")
"""


@pytest.mark.parametrize(
    ("named", "said"),
    [("named", "<3>edge-fer: a\n<6>edge-fer: b\n"), ("not", "edge-fer: a\nedge-fer: b\n")],
)
def test_only_the_journal_gets_priorities(named: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, named],
        env={**os.environ, "JOURNAL_STREAM": "1:1"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stderr == said
