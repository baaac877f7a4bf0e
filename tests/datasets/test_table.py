"""What every dataset of the table promises."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from layouts import affectnet_2017, empathic, rafdb_basic

from edge_fer.datasets import DATASETS, SPLITS, list_hash, open_dataset, samples_of
from edge_fer.emotions import LABELS
from edge_fer.errors import ConfigError


def write_faces(folder: Path) -> Path:
    """`<split>/<label>/0.png` for every split and label."""
    for split in SPLITS:
        for label in LABELS:
            (folder / split / label).mkdir(parents=True)
            face = np.full((48, 48, 3), len(split), np.uint8)
            cv2.imwrite(str(folder / split / label / "0.png"), face)
    return folder


SPECS: dict[str, Callable[[Path], str]] = {
    "affectnet": affectnet_2017,
    "empathic": empathic,
    "fer2013": lambda folder: f"fer2013:{write_faces(folder)}",
    "folder": lambda folder: f"folder:{write_faces(folder)}",
    "rafdb": rafdb_basic,
    "synthetic": lambda _: "synthetic:faces=14",
}


def test_every_dataset_of_the_table_is_tested_here() -> None:
    assert SPECS.keys() == DATASETS.keys()


@pytest.mark.parametrize("scheme", DATASETS)
@pytest.mark.parametrize("split", SPLITS)
def test_every_split_gives_readable_faces_of_all_seven(
    scheme: str, split: str, tmp_path: Path
) -> None:
    samples = samples_of(open_dataset(SPECS[scheme](tmp_path)), split)
    assert {sample.emotion.label for sample in samples} == set(LABELS)
    face = samples[0].read()
    assert face.dtype == np.uint8
    assert face.shape[2:] == (3,)


@pytest.mark.parametrize("scheme", DATASETS)
def test_the_order_is_the_same_every_time(scheme: str, tmp_path: Path) -> None:
    spec = SPECS[scheme](tmp_path)
    one, two = (list_hash(open_dataset(spec).samples("test")) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("scheme", DATASETS)
def test_sources_name_one_face_each(scheme: str, tmp_path: Path) -> None:
    sources = [sample.source for sample in open_dataset(SPECS[scheme](tmp_path)).samples("train")]
    assert len(sources) == len(set(sources))


def test_an_unknown_dataset_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'faces'.*fer2013, folder, rafdb, synthetic"):
        open_dataset("faces:here")
