"""SIGKILL in the middle of an epoch, and a disk that fills: nothing is lost."""

import shutil
from pathlib import Path

import pytest
from killing import PATIENCE, SMALL, kill_when, train

from edge_fer.training import state
from edge_fer.training.checkpoint import RECORD, WEIGHTS, Checkpoint

pytestmark = pytest.mark.timeout(5 * PATIENCE)

# An epoch of 77 steps; states at 64 and 77.
ASKED = ("--data", "synthetic:faces=77", "--set", f"{SMALL},batch=1,head_epochs=0,epochs=1,ema=0.9")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    done = train(*ASKED, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed amid its epoch."""
    out = tmp_path_factory.mktemp("killed") / "run"

    kill_when((out / state.NAME).is_file, *ASKED, "--out", out)
    saved = state.load_record(out / state.NAME)
    assert saved
    assert saved["done"] == 64
    assert not (out / RECORD).exists()
    return out


def curve(out: Path) -> list[str]:
    file = out / "curves.csv"
    return file.read_text().splitlines()[1:] if file.is_file() else []


def same(out: Path, whole: Path) -> bool:
    one, other = Checkpoint.load(out), Checkpoint.load(whole)
    assert (out / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    figures = (one.temperature, one.abstain_below, one.metrics)
    return figures == (other.temperature, other.abstain_below, other.metrics)


def test_a_killed_run_ends_bit_for_bit_as_an_undisturbed_one(
    killed: Path, whole: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(killed, tmp_path / "run"))
    done = train(*ASKED, "--out", out)
    assert done.returncode == 0, done.stderr
    assert [row.partition(",")[0] for row in curve(out)] == ["64", "77"]
    assert same(out, whole)


def test_a_full_disk_is_one_line_and_status_74_and_the_run_goes_on_later(
    killed: Path, whole: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(killed, tmp_path / "run"))
    before = (out / state.NAME).read_bytes()
    done = train(*ASKED, "--out", out, largest=len(before) // 2)
    assert done.returncode == 74, done.stderr
    last = done.stderr.splitlines()[-1]
    assert f"{state.NAME}: cannot be written" in last
    assert "Traceback" not in done.stderr
    assert (out / state.NAME).read_bytes() == before
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]
    assert train(*ASKED, "--out", out).returncode == 0
    assert same(out, whole)
