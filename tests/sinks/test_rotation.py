"""A full file is begun anew without losing more of the past than was asked."""

import os
import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from edge_fer.errors import ConfigError, StorageError
from edge_fer.sinks import lines
from edge_fer.sinks.jsonl import JsonLines
from edge_fer.sinks.lines import LineFile

LIMIT = 10


@contextmanager
def without_descriptors() -> Iterator[None]:
    """Whatever is opened fails (EMFILE)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def past(path: Path) -> dict[str, str]:
    return {one.name: one.read_text() for one in path.parent.iterdir()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A full file and three older ones."""
    for name, text in {"e": "now......\n", "e.1": "1", "e.2": "2", "e.3": "3"}.items():
        (tmp_path / name).write_text(text)
    return tmp_path / "e"


def test_where_no_new_file_can_be_opened_nothing_is_lost(path: Path) -> None:
    before = past(path)
    with closing(LineFile(str(path), LIMIT, 3)) as file:
        with without_descriptors():
            for _ in range(5):
                with pytest.raises(StorageError, match=r"e\.new"):
                    file.put(b"next\n")
        assert past(path) == before
        file.put(b"next\n")
    assert past(path) == {"e": "next\n", "e.1": "now......\n", "e.2": "1", "e.3": "2"}


def test_a_gap_is_filled_and_nothing_older_goes(path: Path) -> None:
    (path.parent / "e.2").unlink()
    with closing(LineFile(str(path), LIMIT, 3)) as file:
        file.put(b"next\n")
    assert past(path) == {"e": "next\n", "e.1": "now......\n", "e.2": "1", "e.3": "3"}


def test_where_somebody_took_the_file_away_the_older_ones_stay(path: Path) -> None:
    with closing(LineFile(str(path), LIMIT, 3)) as file:
        path.rename(path.parent / "taken")
        file.put(b"next\n")
    expected = {"e": "next\n", "taken": "now......\n", "e.1": "1", "e.2": "2", "e.3": "3"}
    assert past(path) == expected


def test_without_older_files_only_the_new_one_is_left(path: Path) -> None:
    with closing(LineFile(str(path), LIMIT, 0)) as file:
        file.put(b"next\n")
    assert past(path)["e"] == "next\n"
    assert past(path)["e.1"] == "1"


def test_what_an_interrupted_rotation_left_is_no_obstacle_but_the_file_of_others_is(
    path: Path,
) -> None:
    left = path.parent / "e.new"
    left.touch()
    with closing(LineFile(str(path), LIMIT, 3)) as file:
        file.put(b"next.....\n")
        left.write_text("mine")
        with pytest.raises(StorageError, match=r"e\.new"):
            file.put(b"next\n")
    assert left.read_text() == "mine"


def test_a_lock_that_cannot_be_had_drops_events_and_ends_no_thread(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(descriptor: int, name: str) -> None:
        os.close(descriptor)
        raise ConfigError(f"{name}: another sink writes there already")

    with closing(JsonLines(f"{path},max_mb=0.00001")) as sink:
        monkeypatch.setattr(lines, "_claim", refused)
        sink.write({"n": 1})
        while not sink.dropped:
            pass
        assert sink._thread.is_alive()
        assert sink.trouble == "storage"
    assert "another sink writes there already; events are dropped" in capsys.readouterr().err
