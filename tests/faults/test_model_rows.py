"""Rows M1 to M7 and U5: a wrong model is refused, in one line, never by the daemon's own death."""

import json
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import INPUT_SIZE as SIDE
from conftest import RunCli
from fakes import FakeEngine, fake_bundle
from models import bomb

from edge_fer.bundle import LARGEST_FILE, MANIFEST, Manifest, create_bundle, open_bundle
from edge_fer.config import RunConfig
from edge_fer.daemon.model import load_model, open_model
from edge_fer.daemon.probe import prove
from edge_fer.emotions import LABELS
from edge_fer.engines import ENGINES
from edge_fer.errors import BundleError
from edge_fer.signature import make_keys, sign
from edge_fer.telemetry.metrics import resident_bytes

REAL = ENGINES["tflite"]
HANG_GUARD_S = 60


@pytest.fixture(autouse=True)
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "tflite", "fakes:FakeEngine")


def edited(bundle: Path, **changes: object) -> Path:
    record = json.loads((bundle / MANIFEST).read_text())
    (bundle / MANIFEST).write_text(json.dumps({**record, **changes}))
    return bundle


def test_m1_a_missing_model_exits_78_naming_the_path(cli: RunCli, tmp_path: Path) -> None:
    path = fake_bundle(tmp_path / "b").path
    (path / "m.tflite").unlink()
    done = cli("run", "--bundle", path, "--camera", "synthetic:")
    assert (done.returncode, done.stdout) == (78, "")
    assert f"{path}/m.tflite: missing" in done.stderr
    assert done.stderr.count("\n") == 1


def test_m2_each_of_a_thousand_flipped_bits_is_refused(tmp_path: Path) -> None:
    content = random.Random(2).randbytes(4096)
    manifest = Manifest("m", "tflite", "int8", 8, "0" * 64, {})
    path = create_bundle(tmp_path / "b", manifest, {"m.tflite": content}).path / "m.tflite"
    with path.open("r+b", buffering=0) as file:
        for bit in random.Random(1).sample(range(8 * len(content)), 1000):
            byte = content[bit // 8]
            os.pwrite(file.fileno(), bytes([byte ^ 1 << bit % 8]), bit // 8)
            with pytest.raises(BundleError, match="altered or damaged"):
                open_bundle(path.parent)
            os.pwrite(file.fileno(), bytes([byte]), bit // 8)
    assert open_bundle(path.parent).files["m.tflite"] == content


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"x" * 100])
def test_m3_truncated_or_zero_filled_is_refused_and_the_fallback_serves_if_it_is_configured(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, old = fake_bundle(tmp_path / "new").path, fake_bundle(tmp_path / "old").path
    (broken / "m.tflite").write_bytes(content)
    with pytest.raises(BundleError, match="altered or damaged"):
        open_model(RunConfig(bundle=broken))
    model = open_model(RunConfig(bundle=broken, fallback=old))
    assert (model.bundle.path, model.fallback) == (old, True)
    assert f"the fallback {old} serves instead" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("engine", "said"),
    [("Aborting", "with SIGABRT"), ("Crashing", "with SIGSEGV"), ("Raising", "fake: refused")],
)
def test_m4_a_model_that_crashes_does_so_in_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, said: str
) -> None:
    monkeypatch.setitem(ENGINES, "tflite", f"models:{engine}")
    with pytest.raises(BundleError, match=said):
        load_model(RunConfig(), fake_bundle(tmp_path / "b").path)


def test_m4_a_model_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "tflite", "models:Hanging")
    monkeypatch.setattr("edge_fer.daemon.probe.LIMIT_S", 1.0)
    with pytest.raises(BundleError, match="hangs"):
        prove(fake_bundle(tmp_path / "b"))


def test_m5_a_shape_bomb_swells_no_more_than_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "tflite", REAL)
    bundle = create_bundle(
        tmp_path / "b",
        Manifest("bomb", "tflite", "fp32", 8, "0" * 64, {}),
        {"model.tflite": bomb(input_size=8, rows=60_000_000)},
    )
    before = resident_bytes()
    with pytest.raises(BundleError):
        load_model(RunConfig(threads=1), bundle.path)
    assert resident_bytes() - before < 20 * 2**20


def test_m5_a_manifest_cannot_ask_for_a_huge_input(tmp_path: Path) -> None:
    path = edited(fake_bundle(tmp_path / "b").path, input_size=1 << 20)
    with pytest.raises(BundleError, match="input_size"):
        open_bundle(path)


def test_m6_other_labels_are_refused_with_both(tmp_path: Path) -> None:
    path = edited(fake_bundle(tmp_path / "b").path, labels=list(reversed(LABELS)))
    with pytest.raises(BundleError, match=r"'anger'.*edge-fer needs \['neutral'"):
        open_bundle(path)


def test_m6_a_precision_that_is_not_executed_is_refused_with_both(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="says fp32, the model executes int8"):
        load_model(RunConfig(), fake_bundle(tmp_path / "b", precision="fp32").path)


def test_m6_another_input_size_is_refused_with_both(
    tflite_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "tflite", REAL)
    copy = tmp_path / "b"
    shutil.copytree(tflite_bundle, copy)
    with pytest.raises(
        BundleError, match=rf"takes \[\[1, {SIDE}, {SIDE}, 3\]\], the manifest says \[1, 71"
    ):
        load_model(RunConfig(threads=1), edited(copy, input_size=71))


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def outside(path: Path) -> None:
    (path.parent.parent / "secret").write_bytes(b"x")
    path.symlink_to("../secret")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)


@pytest.mark.parametrize("kind", [fifo, device, outside, huge])
def test_m7_what_is_no_plain_file_of_its_folder_is_refused_without_hanging(
    tmp_path: Path, kind: Any
) -> None:
    path = fake_bundle(tmp_path / "b").path / "m.tflite"
    path.unlink()
    kind(path)
    start = time.monotonic()
    with pytest.raises(BundleError, match=r"m\.tflite"):
        open_bundle(path.parent)
    assert time.monotonic() - start < HANG_GUARD_S


def forged(bundle: Path, keys: Path) -> None:
    """Another's signature."""
    make_keys(keys / "b.key", keys / "b.pub")
    sign(bundle / MANIFEST, keys / "b.key")


def altered(bundle: Path, _: Path) -> None:
    """Other content under a signature that fits the manifest."""
    (bundle / "m.tflite").write_bytes(b"y")


def over_two_gib(bundle: Path, _: Path) -> None:
    with (bundle / "m.tflite").open("wb") as file:
        file.truncate((2 << 30) + 1)


@pytest.mark.parametrize("fault", [forged, altered, over_two_gib])
def test_u5_a_bundle_that_is_not_what_was_signed_is_refused(tmp_path: Path, fault: Any) -> None:
    bundle = fake_bundle(tmp_path / "b").path
    make_keys(tmp_path / "a.key", tmp_path / "a.pub")
    sign(bundle / MANIFEST, tmp_path / "a.key")
    config = RunConfig(trusted_key=tmp_path / "a.pub")
    assert load_model(config, bundle).bundle.path == bundle
    fault(bundle, tmp_path)
    with pytest.raises(BundleError):
        load_model(config, bundle)


def test_u5_what_is_swapped_after_the_check_is_not_what_runs(tmp_path: Path) -> None:
    path = fake_bundle(tmp_path / "b").path
    bundle = open_bundle(path)
    (path / "m.tflite").write_bytes(b"swapped")
    assert bundle.files["m.tflite"] == b"x"
    # A child that proves the model opens the folder anew, and so finds the swap.
    with pytest.raises(BundleError, match="altered or damaged"):
        prove(bundle)


def test_a_good_model_passes_its_proof_and_is_used(tmp_path: Path) -> None:
    model = load_model(RunConfig(), fake_bundle(tmp_path / "b").path)
    assert isinstance(model.engine, FakeEngine)
    assert model.engine.infer(np.zeros((1, 8, 8, 3), np.uint8)).shape == (1, len(LABELS))
