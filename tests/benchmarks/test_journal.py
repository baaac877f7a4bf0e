"""Finished parts survive, and belong to their own plan alone."""

from __future__ import annotations

import pytest

from benchmarks import throttle
from benchmarks.journal import NAME, Journal
from benchmarks.sitting import Sitting
from benchmarks.throttle import Throttling
from edge_fer.errors import StorageError

PLAN = {"subjects": [("a", "bundle", "ab")], "settings": {"rounds": 2}}


@pytest.fixture
def opened(tmp_path):
    """Opens journals in one folder, and closes them all."""
    journals = []

    def one(plan=PLAN):
        journals.append(Journal(tmp_path, plan))
        return journals[-1]

    yield one
    for journal in journals:
        journal.close()


def test_parts_of_an_earlier_sitting_are_known(opened):
    first = opened()
    first.put([1.5, 2.5], "round", 0)
    second = opened()
    assert second.get("round", 0) == [1.5, 2.5]
    assert second.get("round", 1) is None
    assert (first.sittings, second.sittings) == (1, 2)


def test_another_plan_begins_anew(opened):
    opened().put(1, "round", 0)
    other = opened({**PLAN, "settings": {"rounds": 3}})
    assert (other.get("round", 0), other.sittings) == (None, 1)


def test_a_line_that_was_torn_is_left_out_and_the_rest_kept(opened, tmp_path):
    opened().put(1, "round", 0)
    with (tmp_path / NAME).open("a") as file:
        file.write('{"part": ["round", 1], "is": [1.')
    second = opened()
    assert (second.get("round", 0), second.get("round", 1)) == (1, None)
    second.put(2, "round", 1)
    assert opened().get("round", 1) == 2


def test_a_finished_run_leaves_nothing(tmp_path):
    journal = Journal(tmp_path / "new" / "folder", PLAN)
    journal.put(1, "round", 0)
    journal.finish()
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_found_at_the_door(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="choose another --out"):
        Journal(tmp_path / "file", PLAN)
    with pytest.raises(StorageError, match="choose another --out"):
        Journal(tmp_path / "file" / "below", PLAN)


def test_a_round_in_a_slowed_sitting_is_remembered_by_the_next_one(opened, tmp_path, monkeypatch):
    events = iter((0, 0, 2, 2, 2))
    monkeypatch.setattr(throttle, "read", lambda: Throttling((), (), next(events)))
    first = opened()
    sitting = Sitting(None, None, tmp_path, first, None, lambda *_: None)
    sitting._keep(0, {})
    assert first.get("slowed") is None
    sitting._keep(1, {})
    later = opened()
    Sitting(None, None, tmp_path, later, None, lambda *_: None)._keep(2, {})
    assert later.get("slowed") == "throttled 2 times"
