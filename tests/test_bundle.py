"""A bundle is whole or refused."""

import json
import os
from pathlib import Path

import pytest

from edge_fer.bundle import MANIFEST, Manifest, create_bundle, newest_bundle, open_bundle
from edge_fer.emotions import LABELS
from edge_fer.errors import BundleError, StorageError

MODEL = bytes(range(256)) * 8


def manifest(**changes: object) -> Manifest:
    fields = {
        "name": "m", "format": "tflite", "precision": "int8",
        "input_size": 72, "parent": "0" * 64, "files": {},
    }  # fmt: skip
    return Manifest(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return create_bundle(tmp_path / "b", manifest(), {"model.tflite": MODEL}).path


def edit(bundle: Path, **changes: object) -> None:
    record = json.loads((bundle / MANIFEST).read_text())
    (bundle / MANIFEST).write_text(json.dumps({**record, **changes}))


def test_a_bundle_reads_back_what_was_written(bundle: Path) -> None:
    opened = open_bundle(bundle)
    assert opened.file(".tflite") == MODEL
    assert opened.manifest.input_size == 72
    assert tuple(opened.manifest.labels) == LABELS


@pytest.mark.parametrize("bit", [0, 1, 7, 8 * 1000 + 3, 8 * len(MODEL) - 1])
def test_one_flipped_bit_is_refused_and_the_file_named(bundle: Path, bit: int) -> None:
    content = bytearray(MODEL)
    content[bit // 8] ^= 1 << bit % 8
    (bundle / "model.tflite").write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.tflite: altered or damaged"):
        open_bundle(bundle)


def test_another_label_order_is_refused_and_both_are_named(bundle: Path) -> None:
    edit(bundle, labels=["anger", *LABELS[1:6], "neutral"])
    with pytest.raises(BundleError, match=r"'anger'.*edge-fer needs.*'neutral'"):
        open_bundle(bundle)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", "onnxx"), ("precision", "int4"), ("input_size", 10**9), ("input_size", -1),
        ("input_size", "72"), ("input_size", True), ("abstain_below", 2), ("abstain_below", None),
        ("files", {}), ("files", {"../model.tflite": "0"}), ("files", {"/etc/passwd": "0"}),
        ("files", []), ("labels", "neutral"), ("schema", "edge-fer/bundle/9"), ("name", None),
    ],
)  # fmt: skip
def test_a_wrong_manifest_value_is_refused(bundle: Path, key: str, value: object) -> None:
    edit(bundle, **{key: value})
    with pytest.raises(BundleError, match=key):
        open_bundle(bundle)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 1}', "\0" * 100])
def test_a_manifest_that_is_none_is_refused(bundle: Path, text: str) -> None:
    (bundle / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match=MANIFEST):
        open_bundle(bundle)


def test_a_missing_field_is_named(bundle: Path) -> None:
    record = json.loads((bundle / MANIFEST).read_text())
    del record["input_size"]
    (bundle / MANIFEST).write_text(json.dumps(record))
    with pytest.raises(BundleError, match="input_size"):
        open_bundle(bundle)


def test_a_field_of_a_later_version_is_ignored(bundle: Path) -> None:
    edit(bundle, tomorrow=1)
    assert open_bundle(bundle).manifest.name == "m"


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / "model.tflite").unlink()
    with pytest.raises(BundleError, match=r"model\.tflite: missing"):
        open_bundle(bundle)


def test_a_link_that_leads_out_is_refused(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(MODEL)
    (bundle / "model.tflite").unlink()
    (bundle / "model.tflite").symlink_to(tmp_path / "outside")
    with pytest.raises(BundleError, match="cannot be opened"):
        open_bundle(bundle)


def test_a_pipe_in_place_of_a_model_is_refused_without_waiting(bundle: Path) -> None:
    (bundle / "model.tflite").unlink()
    os.mkfifo(bundle / "model.tflite")
    with pytest.raises(BundleError, match="not a regular file"):
        open_bundle(bundle)


def test_no_bundle_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="edge-fer convert --int8"):
        open_bundle(tmp_path / "none")
    with pytest.raises(BundleError, match="edge-fer convert --int8"):
        newest_bundle(tmp_path)


def test_the_newest_bundle_is_the_one_made_last(tmp_path: Path) -> None:
    for name in ("old", "new"):
        create_bundle(tmp_path / name, manifest(name=name), {"model.tflite": MODEL})
    os.utime(tmp_path / "old" / MANIFEST, (1, 1))
    assert newest_bundle(tmp_path).name == "new"


def test_an_unwritable_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        create_bundle(tmp_path / "file" / "b", manifest(), {"model.tflite": MODEL})
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
