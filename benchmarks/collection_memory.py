"""Peak memory of reading, checking and training on a collection as large as AffectNet.

    python -m benchmarks.collection_memory FOLDER --faces 290000 --layout later

Draws the collection in one of AffectNet's two layouts (small pictures: how many there are is what
is asked), then does each piece of work in a process of its own and prints its peak resident
memory. A second time, FOLDER is used as it is. Status 1 where a piece takes more than `--limit`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_fer.datasets.affectnet import HEADER

SIDE = 40
"""Pixels of a picture."""
TEST = 4000
"""Faces of the official validation set, about."""
TINY = "width=0.1,middle_blocks=0,epochs=0.02,head_epochs=0,batch=64"
"""A network small enough that the faces are what takes memory."""
READ = """
from edge_fer.datasets import SPLITS, open_dataset
dataset = open_dataset(SPEC)
kept = {split: dataset.samples(split) for split in SPLITS}
print({split: len(samples) for split, samples in kept.items()})
"""
# Run in the child after its work: the kernel's own count of what it held at most.
PEAK = "import resource; print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"


def draw(folder: Path, faces: int, layout: str) -> None:
    """Different pictures, nearly all of one of the seven, below a folder that is not there yet."""
    (_later if layout == "later" else _of_2017)(folder, faces)


def _later(folder: Path, faces: int) -> None:
    for part, count in (("train_set", faces - TEST), ("val_set", TEST)):
        images, notes = folder / part / "images", folder / part / "annotations"
        images.mkdir(parents=True)
        notes.mkdir()
        for number, data in enumerate(_pictures(count, len(part))):
            (images / f"{number}.jpg").write_bytes(data)
            np.save(notes / f"{number}_exp.npy", np.array(str(_label(number))))


def _of_2017(folder: Path, faces: int) -> None:
    for table, count in (("training.csv", faces - TEST), ("validation.csv", TEST)):
        (folder / "Manually_Annotated_Images" / table[:5]).mkdir(parents=True)
        with (folder / table).open("w") as rows:
            print(",".join(HEADER), file=rows)
            for number, data in enumerate(_pictures(count, len(table))):
                name = f"{table[:5]}/{number}.jpg"
                (folder / "Manually_Annotated_Images" / name).write_bytes(data)
                marks = ";".join(["20.25"] * 136)  # 68 landmarks, as the real rows have
                print(
                    f"{name},2,2,{SIDE - 4},{SIDE - 4},{marks},{_label(number)},0.1,-0.2", file=rows
                )


def _label(number: int) -> int:
    """One of the seven, but for one face in fifty."""
    return number % 7 if number % 50 else 7 + number // 50 % 4


def _pictures(count: int, seed: int) -> Iterator[bytes]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        yield cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def pieces(spec: str, out: Path) -> dict[str, str]:
    """The Python text of each piece of work."""
    call = "import sys; from edge_fer.cli import app; app({}, standalone_mode=False)\n"
    trained = ["train", "--data", spec, "--init", "random", "--set", TINY, "--out", str(out)]
    return {
        "read all splits": READ.replace("SPEC", repr(spec)),
        "data check": call.format(["data", "check", spec]),
        "train": call.format(trained),
    }


def peak_of(text: str) -> tuple[int, float]:
    """Peak resident bytes and seconds of a piece in a process of its own."""
    began = time.monotonic()
    # `data check` ends by raising its exit status: the count is taken whatever happens.
    body = f"import atexit\natexit.register(lambda: exec({PEAK!r}))\n{text}"
    done = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stderr[-2000:]}\nstatus {done.returncode}")
    peak = next(line for line in done.stdout.splitlines() if line.startswith("peak "))
    return int(peak.split()[1]), time.monotonic() - began


def main() -> int:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faces", type=int, default=290_000)
    parser.add_argument("--layout", choices=("2017", "later"), default="later")
    parser.add_argument("--limit", type=float, default=2.0, help="gigabytes")
    asked = parser.parse_args()
    if not asked.folder.exists():
        draw(asked.folder, asked.faces, asked.layout)
    worst = 0
    print(f"{asked.faces:,} faces, layout {asked.layout}, load {os.getloadavg()[0]:.1f}")
    out = asked.folder.with_name(f"{asked.folder.name}-run")
    for name, text in pieces(f"affectnet:{asked.folder}", out).items():
        peak, seconds = peak_of(text)
        worst = max(worst, peak)
        print(f"{name}: {peak / 1e9:.2f} GB at most, {seconds:.0f} s", flush=True)
    return int(worst > asked.limit * 1e9)


if __name__ == "__main__":
    sys.exit(main())
