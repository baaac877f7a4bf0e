"""What `edge-fer data check` finds, on drawn collections and on FER2013."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import RunCli
from layouts import affectnet_later, affectnet_table, empathic, link, picture, row

from edge_fer.datasets.check import check
from edge_fer.datasets.check.duplicates import NEAR, exact_groups, near_groups, near_pairs
from edge_fer.datasets.check.look import pixel_hash
from edge_fer.datasets.check.report import Report
from edge_fer.emotions import LABELS
from edge_fer.errors import ConfigError, NotFound


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """A face of every expression in every split, all different."""
    for s, split in enumerate(("train", "validation", "test")):
        for e, label in enumerate(LABELS):
            picture(tmp_path / split / label / "1.png", 7 * s + e)
    return tmp_path


def kinds(report: Report) -> dict[str, int]:
    return {problem.kind: problem.count for problem in report.problems}


def found(folder: Path, near: bool = False) -> dict[str, int]:
    return kinds(check(f"folder:{folder}", near=near))


def test_nothing_is_wrong_with_clean_data(clean: Path) -> None:
    report = check(f"folder:{clean}")
    assert report.problems == ()
    assert [split.faces for split in report.splits] == [7, 7, 7]
    assert report.splits[0].classes == dict.fromkeys(LABELS, 1)
    assert report.sizes == {"48x48": 21}


def test_faces_of_equal_pixels_are_found_in_other_file_formats(clean: Path) -> None:
    image = cv2.imread(str(clean / "train" / "happy" / "1.png"))
    cv2.imwrite(str(clean / "train" / "happy" / "2.bmp"), image)
    assert found(clean) == {"duplicates": 1}


def test_duplicates_across_splits_and_conflicting_labels_are_counted(clean: Path) -> None:
    source = clean / "train" / "happy" / "1.png"
    link(source, clean / "test" / "happy" / "2.png")
    link(source, clean / "train" / "sad" / "2.png")
    expected = {"duplicates": 1, "duplicates across splits": 1, "conflicting labels": 1}
    assert found(clean) == expected


def test_a_face_saved_again_as_jpeg_is_a_near_duplicate(clean: Path) -> None:
    smooth = cv2.GaussianBlur(cv2.imread(str(clean / "train" / "fear" / "1.png")), (0, 0), 5)
    smooth = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX)
    cv2.imwrite(str(clean / "train" / "fear" / "1.png"), smooth)
    cv2.imwrite(str(clean / "test" / "fear" / "2.jpg"), smooth, [cv2.IMWRITE_JPEG_QUALITY, 60])
    report = check(f"folder:{clean}")
    assert kinds(report) == {"near duplicates across splits": 1}
    assert report.near is not None
    assert (report.near.groups, report.near.faces) == (1, 2)


def test_near_duplicates_within_a_split_are_told_but_not_wrong(clean: Path) -> None:
    image = cv2.imread(str(clean / "train" / "fear" / "1.png"))
    cv2.imwrite(str(clean / "train" / "fear" / "2.png"), np.clip(image, 1, 254))
    report = check(f"folder:{clean}")
    assert report.problems == ()
    assert report.near is not None
    assert report.near.groups == 1


def test_unreadable_files_are_counted_and_named(clean: Path) -> None:
    (clean / "train" / "happy" / "1.png").write_bytes(b"")
    (clean / "train" / "sad" / "1.png").write_text("<html>")
    report = check(f"folder:{clean}", near=False)
    assert kinds(report) == {"unreadable": 2}
    assert "is empty (0 bytes)" in report.problems[0].examples[0]


def test_missing_pictures_and_boxes_outside_them_are_counted(tmp_path: Path) -> None:
    rows = [row("gone.png", 0), row("a.png", 1, (99, 99, 9, 9)), row("b.png", 2)]
    spec = affectnet_table(tmp_path, "validation.csv", *rows)
    for name in ("a.png", "b.png"):
        picture(tmp_path / "Manually_Annotated_Images" / name, ord(name[0]))
    report = check(spec, near=False)
    assert kinds(report)["unreadable"] == 2
    assert report.sizes == {"40x40": 1}


def test_faces_of_an_odd_size_are_counted(clean: Path) -> None:
    picture(clean / "train" / "happy" / "1.png", 99, side=64)
    assert found(clean) == {"odd size": 1}


def test_faces_too_small_to_show_anything_are_counted(clean: Path) -> None:
    picture(clean / "train" / "happy" / "1.png", 99, side=16)
    assert found(clean) == {"odd size": 1, "too small": 1}


def test_an_expression_without_faces_is_named(clean: Path) -> None:
    shutil.rmtree(clean / "test" / "disgust")
    report = check(f"folder:{clean}", near=False)
    assert report.problems[0].text == "test: no faces of disgust"


def test_subjects_in_two_splits_are_counted(tmp_path: Path) -> None:
    rows = []
    for n, split in enumerate(("train", "validation", "test")):
        for e, label in enumerate(LABELS):
            picture(tmp_path / f"{n}{e}.png", 7 * n + e)
            rows.append(f"{n}{e}.png,{label},{split},{'ana' if e == 0 else f'{n}{e}'}")
    (tmp_path / "faces.csv").write_text("\n".join(["file,label,split,subject", *rows]))
    assert found(tmp_path / "faces.csv") == {"subjects across splits": 1}


def test_dropped_rows_are_told_and_are_not_wrong(tmp_path: Path) -> None:
    affectnet_later(tmp_path, "train_set", [n % 7 for n in range(700)])
    report = check(affectnet_later(tmp_path, "val_set", [*range(9)]), near=False)
    assert report.splits[2].dropped == {"contempt": 1, "none": 1}
    assert any("dropped: 1 contempt, 1 none" in line for line in report.lines())


def test_a_split_that_cannot_be_read_is_wrong_and_the_others_are_checked(tmp_path: Path) -> None:
    report = check(affectnet_later(tmp_path, "val_set", range(7)), near=False)
    assert [problem.kind for problem in report.problems] == ["split", "split"]
    assert [split.faces for split in report.splits] == [0, 0, 7]


def test_data_that_cannot_be_read_at_all_raise(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="expected"):
        check(f"affectnet:{tmp_path}", near=False)


def test_a_folder_that_serves_every_split_is_looked_at_once(tmp_path: Path) -> None:
    for e, label in enumerate(LABELS):
        picture(tmp_path / label / "1.png", e)
    report = check(f"folder:{tmp_path}", near=False)
    assert report.problems == ()
    assert {split.origin for split in report.splits} == {"the same faces for every split"}


def test_a_split_that_is_a_copy_of_another_is_wrong(clean: Path) -> None:
    shutil.rmtree(clean / "test")
    shutil.copytree(clean / "train", clean / "test")
    assert found(clean) == {"duplicates": 7, "duplicates across splits": 7}


def test_a_joined_spec_is_checked_across_its_parts(clean: Path, tmp_path: Path) -> None:
    one, other = clean / "train" / "happy" / "1.png", tmp_path / "other" / "test" / "happy"
    link(one, other / "x.png")
    spec = f"folder:{clean}+folder:{tmp_path / 'other'}"
    assert "duplicates across splits" not in kinds(check(f"folder:{clean}", near=False))
    for split in ("train", "validation"):
        picture(tmp_path / "other" / split / "sad" / "y.png", len(split) + 50)
    assert kinds(check(spec, near=False))["duplicates across splits"] == 1


def test_equal_hashes_group_and_empty_ones_do_not() -> None:
    assert exact_groups([b"a", b"", b"b", b"a", b""]) == [[0, 3]]


def test_the_shape_is_part_of_the_pixels_hash() -> None:
    assert pixel_hash(np.zeros((4, 9, 3), np.uint8)) != pixel_hash(np.zeros((9, 4, 3), np.uint8))


def test_near_pairs_are_those_of_a_comparison_of_all(rng: np.random.Generator) -> None:
    hashes = rng.integers(0, 2**64, 300, np.uint64)
    flips = [np.uint64(sum(1 << int(b) for b in rng.permutation(64)[:k])) for k in range(9)]
    hashes = np.concatenate([hashes, *(hashes[k * 9 : k * 9 + 9] ^ f for k, f in enumerate(flips))])
    expected = {
        (i, j)
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if int(hashes[i] ^ hashes[j]).bit_count() <= NEAR
    }
    assert {(int(i), int(j)) for i, j in near_pairs(hashes)} == expected
    assert len(expected) == 9 * (NEAR + 1)


def test_near_groups_hold_the_equal_faces_of_their_members() -> None:
    likeness = np.array([0b1, 0b11, 2**60 - 1, 0b1], np.uint64)
    assert near_groups([b"a", b"b", b"c", b"a"], likeness) == [[0, 1, 3]]


def test_no_faces_make_no_groups() -> None:
    assert near_groups([], np.array([], np.uint64)) == []


def test_strict_ends_with_status_1_only_when_something_is_wrong(clean: Path, cli: RunCli) -> None:
    spec = f"folder:{clean}"
    assert cli("data", "check", spec, "--strict").returncode == 0
    link(clean / "train" / "happy" / "1.png", clean / "test" / "happy" / "2.png")
    assert cli("data", "check", spec).returncode == 0
    done = cli("data", "check", spec, "--strict")
    assert done.returncode == 1
    assert "1 of these groups stand in several splits" in done.stdout


def test_several_specs_go_into_one_json_file(clean: Path, tmp_path: Path, cli: RunCli) -> None:
    target = tmp_path / "out" / "check.json"
    other = empathic(tmp_path / "people")
    done = cli("data", "check", f"folder:{clean}", other, "--json", target, "--no-near")
    assert done.returncode == 0, done.stderr
    one, two = json.loads(target.read_text())
    assert one["schema"] == "edge-fer/data-check/1"
    assert (one["problems"], one["near"]) == ([], None)
    assert two["data"] == other


def test_an_unknown_scheme_is_one_line(cli: RunCli) -> None:
    done = cli("data", "check", "faces:here")
    assert done.returncode == ConfigError.exit_code
    assert len(done.stderr.splitlines()) == 1


def test_progress_reaches_the_end(clean: Path) -> None:
    told: list[tuple[str, int, int]] = []

    def progress(what: str, done: int, total: int, note: str = "") -> None:
        told.append((what, done, total))

    check(f"folder:{clean}", progress, near=False)
    assert told == [(f"{split}: faces", 7, 7) for split in ("train", "validation", "test")]


@pytest.fixture(scope="module")
def fer2013(fer2013_path: Path) -> Callable[[], Report]:
    """Checked once, for all who ask; near duplicates would take the longer half of the time."""
    report = check(f"fer2013:{fer2013_path}", near=False)
    return lambda: report


def test_fer2013_has_557_groups_of_equal_faces_across_splits(fer2013: Callable[[], Report]) -> None:
    assert fer2013().exact.across_splits == 557
    assert kinds(fer2013())["duplicates across splits"] == 557


def test_fer2013_has_1516_groups_of_3369_equal_faces(fer2013: Callable[[], Report]) -> None:
    assert (fer2013().exact.groups, fer2013().exact.faces) == (1516, 3369)


def test_fer2013_has_57_groups_of_conflicting_labels(fer2013: Callable[[], Report]) -> None:
    assert fer2013().exact.conflicting == 57


def test_fer2013_is_wrong_in_nothing_else(fer2013: Callable[[], Report]) -> None:
    expected = {"duplicates", "duplicates across splits", "conflicting labels"}
    assert kinds(fer2013()).keys() == expected
