"""Pieces of work as tasks of a real Ray of this machine."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

CODE = """
import sys
from pathlib import Path
from edge_fer.errors import BadData, EdgeFerError
from edge_fer.training.spread import each

def work(folder, number, progress):
    import os
    if number == 9:
        raise BadData("nine: cannot be used")
    (Path(folder) / f"{number}").write_text(str(os.getpid()))

def told(what, done, total, note=""):
    print(what, done, total)

def main(folder, numbers, address):
    try:
        each(work, [(folder, int(n)) for n in numbers.split(",")], address, told)
    except EdgeFerError as error:
        print(type(error).__name__, error.exit_code, str(error))
    import os
    print("driver", os.getpid())

main(*sys.argv[1:])
"""


def run(folder: Path, numbers: str, address: str) -> list[str]:
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'edge-fer[ray]'")
    done = subprocess.run(
        [sys.executable, "-c", CODE, folder, numbers, address],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.timeout(900)
def test_every_piece_is_done_in_another_process(tmp_path: Path) -> None:
    lines = run(tmp_path, "1,2,3", "local")
    assert lines[-2] == "Ray tasks 3 3"
    workers = {(tmp_path / name).read_text() for name in "123"}
    assert lines[-1].split()[1] not in workers


@pytest.mark.timeout(900)
def test_the_error_of_a_piece_is_its_own(tmp_path: Path) -> None:
    assert run(tmp_path, "9", "local")[-2] == "BadData 65 nine: cannot be used"
