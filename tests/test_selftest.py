"""A bundle proves itself on the board."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
from ai_edge_litert.tools import flatbuffer_utils
from conftest import RunCli
from fakes import FakeEngine, scores_of

from edge_fer.bundle import MANIFEST, Bundle, Manifest, create_bundle, open_bundle
from edge_fer.emotions import Emotion
from edge_fer.errors import BundleError, Refused
from edge_fer.selftest import ANSWERS, COUNT, FACES, TOLERANCE, selftest, selftest_files
from edge_fer.types import FaceBatch

SIDE = 8
MADE = {"runtime": "fake 1.0", "device": "CPU"}


@pytest.fixture
def faces(rng: np.random.Generator) -> FaceBatch:
    return rng.integers(0, 256, (COUNT + 8, SIDE, SIDE, 3), dtype=np.uint8)


def own_scores(count: int) -> np.ndarray:
    return np.stack([scores_of(Emotion(i % 7), 0.8) for i in range(count)])


@pytest.fixture
def bundle(tmp_path: Path, faces: FaceBatch) -> Bundle:
    own = own_scores(len(faces))
    files = selftest_files(faces, own, own, "int8", MADE)
    manifest = Manifest("m", "tflite", "int8", SIDE, "0" * 64, {})
    return create_bundle(tmp_path / "m", manifest, {"m.tflite": b"x", **files})


def engine_like(bundle: Bundle) -> FakeEngine:
    """Answers as the bundle's own record."""

    class Known(FakeEngine):
        def infer(self, faces: FaceBatch) -> np.ndarray:
            self.batches.append(faces)
            return self.told.copy()

    engine = Known()
    engine.told = np.array(json.loads(bundle.files[ANSWERS])["own"], np.float32)
    return engine


def test_the_carried_faces_come_back_byte_for_byte(bundle: Bundle, faces: FaceBatch) -> None:
    engine = engine_like(bundle)
    assert not selftest(bundle, engine).differing
    carried = {face.tobytes() for face in engine.batches[0]}
    assert len(carried) == COUNT
    assert carried <= {face.tobytes() for face in faces}


def test_a_small_change_is_tolerated_and_a_large_one_named(bundle: Bundle) -> None:
    engine = engine_like(bundle)
    engine.told[3, 0] += 0.9 * TOLERANCE["int8"]
    assert not selftest(bundle, engine).differing
    engine.told[5, 1] += 1.1 * TOLERANCE["int8"]
    (line,) = selftest(bundle, engine).differing
    assert line.startswith("face 5:")


def test_another_label_is_named_with_both(bundle: Bundle) -> None:
    engine = engine_like(bundle)
    engine.told[2] = scores_of(Emotion.FEAR, 0.8)
    wanted = Emotion(int(np.array(json.loads(bundle.files[ANSWERS])["own"])[2].argmax()))
    outcome = selftest(bundle, engine)
    assert outcome.differing == (
        f"face 2: fear 0.800 here, {wanted.label} 0.800 where it was made",
    )
    with pytest.raises(Refused, match="31 of 32 faces"):
        outcome.demand()


def test_faces_whose_label_is_a_toss_up_are_not_taken(faces: FaceBatch) -> None:
    own = own_scores(len(faces))
    own[::2] = 1 / 7
    record = json.loads(selftest_files(faces, own, own, "int8", MADE)[ANSWERS])
    assert np.array(record["own"]).max(axis=1).min() == pytest.approx(0.8)


def test_a_bundle_of_an_earlier_version_says_what_to_do(tmp_path: Path) -> None:
    manifest = Manifest("m", "tflite", "int8", SIDE, "0" * 64, {})
    old = create_bundle(tmp_path / "m", manifest, {"m.tflite": b"x"})
    with pytest.raises(BundleError, match="convert it anew"):
        selftest(old, FakeEngine())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (ANSWERS, b"{"), (ANSWERS, b"[]"), (ANSWERS, b'{"own": [[1]], "parent": [[1]]}'),
        (ANSWERS, b'{"own": [], "parent": [], "tolerance": 0.1}'), (FACES, b"no picture"),
    ],
)  # fmt: skip
def test_carried_files_that_are_broken_are_one_line(
    bundle: Bundle, name: str, content: bytes
) -> None:
    files = {**bundle.files, name: content}
    broken = create_bundle(bundle.path, bundle.manifest, files)
    with pytest.raises(BundleError, match=r"broken|does not fit"):
        selftest(broken, FakeEngine())


@pytest.mark.parametrize("format_", ["tflite", "openvino", "onnx"])
def test_every_format_passes_where_it_was_made(bundles: Path, cli: RunCli, format_: str) -> None:
    done = cli("selftest", bundles / f"xception-int8-{format_}")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "32 of 32 faces answer as where it was made" in done.stdout


def shuffled_tflite(files: Mapping[str, bytes]) -> bytes:
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(files["model.tflite"]))
    largest = max((b for b in model.buffers if b.data is not None), key=lambda b: len(b.data))
    largest.data = largest.data[::-1]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def shuffled_bin(files: Mapping[str, bytes]) -> bytes:
    places = re.findall(rb'element_type="i8" [^>]*offset="(\d+)" size="(\d+)"', files["model.xml"])
    size, start = max((int(size), int(offset)) for offset, size in places)
    content = files["model.bin"]
    return content[:start] + content[start : start + size][::-1] + content[start + size :]


def shuffled_onnx(files: Mapping[str, bytes]) -> bytes:
    model = onnx.load_from_string(files["model.onnx"])
    largest = max(model.graph.initializer, key=lambda constant: len(constant.raw_data))
    largest.raw_data = onnx.numpy_helper.to_array(largest).ravel()[::-1].tobytes()
    return bytes(model.SerializeToString())


SHUFFLE = {".tflite": shuffled_tflite, ".bin": shuffled_bin, ".onnx": shuffled_onnx}


def planted(folder: Path, target: Path) -> Path:
    """The largest layer's weights turned round, the hashes made to fit: whole, but wrong."""
    bundle = open_bundle(folder)
    name = next(n for n in bundle.files if Path(n).suffix in SHUFFLE)
    content = SHUFFLE[Path(name).suffix](bundle.files)
    create_bundle(target, bundle.manifest, {**bundle.files, name: content})
    recorded = json.loads((target / MANIFEST).read_text())["files"][name]
    assert recorded == hashlib.sha256(content).hexdigest()
    return target


@pytest.mark.parametrize("format_", ["tflite", "openvino", "onnx"])
def test_altered_weights_with_fitting_hashes_are_caught(
    bundles: Path, tmp_path: Path, cli: RunCli, format_: str
) -> None:
    done = cli("selftest", planted(bundles / f"xception-int8-{format_}", tmp_path / "b"))
    assert done.returncode == 1, done.stderr
    assert "where it was made" in done.stdout.splitlines()[1]
    assert "Traceback" not in done.stderr


def test_the_daemon_refuses_before_its_first_frame(
    bundles: Path, tmp_path: Path, cli: RunCli
) -> None:
    wrong = planted(bundles / "xception-int8-tflite", tmp_path / "b")
    asked = ("--camera", "synthetic:", "--events", "1", "--selftest", "--detector", "whole")
    done = cli("run", "--bundle", wrong, *asked)
    assert (done.returncode, done.stdout) == (1, "")
    assert "face" in done.stderr
    right = cli("run", "--bundle", bundles / "xception-int8-tflite", *asked)
    assert right.returncode == 0, right.stderr
    assert "32 of 32 faces" in right.stderr
