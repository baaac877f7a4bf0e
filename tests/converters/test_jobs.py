"""Formats made at the same time: the same bundles, the same refusals, no process left over."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from converters.gate import Verdict
from converters.jobs import LostWorker, drafts
from converters.targets import Part
from edge_fer.bundle import Manifest
from edge_fer.errors import Refused
from edge_fer.progress import Progress, silent
from edge_fer.statistics import Interval

if TYPE_CHECKING:
    from converters.draft import Draft

PARTS: list[Part] = [("tflite", "fp16"), ("openvino", "fp32"), ("onnx", "fp32")]
LONG = 600
"""Seconds that no test would wait for."""


@dataclass(frozen=True)
class Drafter:
    """Drafts without a network; one format may go wrong."""

    refuses: str = ""
    dies: str = ""
    dawdles: str = ""

    def draft(self, part: Part, progress: Progress) -> Draft:
        name, precision = part
        if name == self.dawdles:
            time.sleep(LONG)
        if name == self.refuses:
            raise Refused(f"{name} is refused")
        if name == self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        verdict = Verdict(
            True, (), False, 1, {}, Interval(1, 1, 1), None, None, None
        )  # fmt: skip
        manifest = Manifest(f"{os.getpid()}", name, precision, 72, "parent", {})
        return manifest, {"model": name.encode()}, verdict


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_drafts_come_in_the_order_of_their_parts(jobs: int) -> None:
    made = drafts(Drafter(), PARTS, jobs, silent)
    assert [(manifest.format, manifest.precision) for manifest, _, _ in made] == PARTS
    here = {manifest.name for manifest, _, _ in made} == {str(os.getpid())}
    assert here == (jobs == 1)


def test_a_refusal_does_not_wait_for_the_others() -> None:
    before = time.monotonic()
    with pytest.raises(Refused, match="onnx is refused"):
        drafts(Drafter(refuses="onnx", dawdles="tflite"), PARTS, 3, silent)
    assert time.monotonic() - before < LONG
    assert not multiprocessing.active_children()


def test_a_killed_process_is_told_in_one_line() -> None:
    with pytest.raises(LostWorker, match="take fewer jobs"):
        drafts(Drafter(dies="openvino"), PARTS, 2, silent)
    assert not multiprocessing.active_children()


def test_how_many_are_ready_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    drafts(Drafter(), PARTS, 2, lambda what, done, total, note="": told.append((what, done, total)))
    assert told[0] == ("drafts", 0, 3)
    assert told[-1] == ("drafts", 3, 3)
