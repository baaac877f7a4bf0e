"""The clip that packages watch: what is known of it, and what counts as found."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.peers.clip import Known, composed, finds, matched, overlap, recorded
from benchmarks.peers.command import measure_peers
from benchmarks.peers.own import Watcher
from benchmarks.pipeline_clip import MASK, SIDE
from benchmarks.records import Settings
from edge_fer.datasets import open_dataset, samples_of
from edge_fer.emotions import Emotion
from edge_fer.errors import BadData, NotFound
from edge_fer.types import Box

FEW = Settings(rounds=2, queries=2, turn_s=0.0, warmup=0, settle=1, rate_s=0.0)
HAPPY, ANGER = Emotion.HAPPY, Emotion.ANGER


def box(left: int, top: int = 0, side: int = 100) -> Box:
    return Box(left, top, left + side, top + side)


def test_overlap_is_intersection_over_union():
    assert overlap(box(0), box(0)) == 1
    assert overlap(box(0), box(50)) == pytest.approx(50 / 150)
    assert overlap(box(0), box(100)) == 0
    assert overlap(box(0), box(200, 200)) == 0


def test_a_find_serves_for_one_face_and_the_best_overlap_wins():
    assert matched([box(0), box(40)], [box(35)]) == {1: 0}
    assert matched([box(0), box(300)], [box(310), box(5)]) == {0: 1, 1: 0}
    assert matched([box(0)], [box(60)]) == {}


def test_found_named_and_beside_are_counted_over_all_frames():
    known = [[Known(box(0), HAPPY)], [Known(box(0), ANGER), Known(box(300), HAPPY)]]
    seen = [[(box(5), int(HAPPY)), (box(500), 0)], [(box(4), int(HAPPY))]]
    told = finds(known, seen)
    assert told.found.value == pytest.approx(2 / 3)
    assert told.beside == 0.5
    assert (told.right.value, told.right_of_all.value) == (
        pytest.approx(1 / 2),
        pytest.approx(1 / 3),
    )


def test_without_labels_nothing_is_said_of_them_and_without_finds_neither():
    told = finds([[Known(box(0), None)]], [[(box(0), 0)]])
    assert (told.found.value, told.right, told.right_of_all) == (1, None, None)
    none = finds([[Known(box(0), HAPPY)]], [[]])
    assert (none.found.value, none.right, none.right_of_all.value) == (0, None, 0)


def test_the_clip_shows_the_dataset_s_faces_where_it_says():
    clip = composed("synthetic:faces=14", "test", 6)
    assert [len(frame) for frame in clip.known] == [1, 1, 2, 2, 3, 3]
    assert (clip.facts.faces, clip.facts.different) == (12, 12)
    pictures = [
        (s.emotion, cv2.resize(s.read(), (SIDE, SIDE), interpolation=cv2.INTER_AREA))
        for s in samples_of(open_dataset("synthetic:faces=14"), "test")
    ]
    whole = MASK[..., 0] == 1
    for frame, known in zip(clip.frames, clip.known, strict=True):
        for face in known:
            b = face.box
            shown = frame[b.top : b.bottom, b.left : b.right][whole].astype(int)
            gaps = [np.abs(shown - picture[whole]).mean() for _, picture in pictures]
            assert pictures[int(np.argmin(gaps))][0] == face.emotion


def test_a_clip_longer_than_the_dataset_shows_faces_again_and_says_so():
    clip = composed("synthetic:faces=14", "test", 30)
    assert (clip.facts.faces, clip.facts.different) == (60, 14)


def test_ones_own_clip_has_the_faces_of_our_detector_and_no_labels(tmp_path):
    told = recorded("synthetic:faces=2,frames=4,live=no", 4).facts
    assert (told.frames, told.faces, told.labelled) == (4, 8, False)
    with pytest.raises(BadData, match="finds no face"):
        recorded("synthetic:faces=0,frames=2,live=no", 2)
    with pytest.raises(NotFound):
        recorded(f"video:{tmp_path / 'none.mp4'}")


def test_our_own_way_finds_and_names_faces_frame_by_frame(tflite_bundle, tmp_path):
    clip = composed("synthetic:faces=14", "test", 3)
    np.save(tmp_path / "frames.npy", clip.frames)
    running = Watcher()
    running.load("bundle", str(tflite_bundle), [0])
    running.see(str(tmp_path / "frames.npy"))
    once, again = running.watch(0, 3)["seen"], running.watch(0, 3)["seen"]
    # What was seen before changes nothing: each frame is answered by itself.
    assert once == again
    assert sum(map(len, once)) > 0
    for corners, scores in (face for frame in once for face in frame):
        assert 0 < Box(*corners).width < 640
        assert sum(scores) == pytest.approx(1, abs=1e-4)
    assert min(running.time(0, 2)["ns"]) > 0


def test_a_peer_watches_the_clip_and_a_blind_one_is_listed(one_tiny_peer, asked, tmp_path):
    report = measure_peers(asked(), lambda *_: None, FEW, FEW)
    tiny_one, blind, lacking = report.results
    assert tiny_one.clip.failed is None
    # It says that there is a face in the corner of every frame, which there never is.
    assert tiny_one.clip.cost.count == 4
    assert tiny_one.clip.finds.beside == 1
    assert tiny_one.clip.finds.found.value == 0
    assert blind.failed is None
    assert blind.clip.failed == "brings no face detector"
    assert lacking.clip is None
    assert report.exit_status == 0
    text = (tmp_path / "out" / "peers.md").read_text()
    assert "blind (clip): brings no face detector" in text
    told = json.loads((tmp_path / "out" / "peers.json").read_text())
    assert told["clip"]["faces"] == 240
    assert Path(tmp_path / "out" / "peers.html").is_file()


def test_a_bundle_that_fails_is_the_commands_failure(one_tiny_peer, asked, tmp_path):
    report = measure_peers(asked(bundles=(tmp_path / "gone",)), lambda *_: None, FEW, FEW)
    assert "no such bundle" in report.results[0].failed
    assert report.results[1].failed is None
    assert report.exit_status == 1
