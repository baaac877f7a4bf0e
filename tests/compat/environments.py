"""The pinned environments: what is in each, which bundles it must run, and how it is built."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from edge_fer.bundle import Manifest
from edge_fer.engines import myriad_home
from edge_fer.engines.interpreters import find_interpreter

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "compat"
FLOATS_AND_INT8 = ("fp32", "fp16", "int8")


@dataclass(frozen=True, slots=True)
class Environment:
    """One Python with pinned packages."""

    name: str
    python: str
    packages: tuple[str, ...]
    runs: dict[str, tuple[str, ...]]
    """Format to the precisions that are meant for it."""
    runner: str
    """A script beside this file, started in the environment."""
    edge_fer: str | None = None
    """How edge-fer itself goes in: the options of pip's install; None where it cannot."""

    @property
    def folder(self) -> Path:
        return CACHE / self.name

    @property
    def interpreter(self) -> Path:
        return self.folder / "bin" / "python"

    def meant_for(self, manifest: Manifest) -> bool:
        return manifest.precision in self.runs.get(manifest.format, ())


STICK = Environment(
    name="py3.9-openvino-2021.4.2",
    python="3.9",
    packages=myriad_home.PACKAGES,
    runs={"ncs": ("fp16",)},
    runner="run_stick.py",
)
ENVIRONMENTS = (
    STICK,
    Environment(
        name="py3.10-openvino-2022.3.2",
        python="3.10",
        packages=("openvino==2022.3.2",),
        runs={"openvino": FLOATS_AND_INT8, "ncs": ("fp16",)},
        runner="run_openvino.py",
    ),
    Environment(
        name="py3.10-device",
        python="3.10",
        packages=("onnxruntime==1.23.2",),
        runs={"tflite": FLOATS_AND_INT8, "openvino": FLOATS_AND_INT8, "onnx": FLOATS_AND_INT8},
        runner="run_edge_fer.py",
        edge_fer=".[openvino]",
    ),
    Environment(
        name="py3.11-tflite-runtime-2.14",
        python="3.11",
        packages=("tflite-runtime==2.14.0", "numpy<2"),
        runs={"tflite": FLOATS_AND_INT8},
        runner="run_edge_fer.py",
        edge_fer="--no-deps .",
    ),
    Environment(
        name="py3.13-today",
        python="3.13",
        packages=("onnxruntime",),
        runs={"tflite": FLOATS_AND_INT8, "openvino": FLOATS_AND_INT8, "onnx": FLOATS_AND_INT8},
        runner="run_edge_fer.py",
        edge_fer="--upgrade .[openvino]",
    ),
)


def build(environment: Environment) -> str | None:
    """Make the environment, or keep the one that is there; the reason when it cannot be."""
    python = find_interpreter(environment.python)
    if python is None:
        return f"no Python {environment.python} here"
    if environment is STICK:
        if not (environment.folder / myriad_home.STAMP).is_file():
            myriad_home.make(environment.folder, python, lambda line: print(f"  {line}"))
        return None
    stamp = environment.folder / ".built"
    recipe = hashlib.sha256(repr((str(python), environment)).encode()).hexdigest()
    new = not stamp.is_file() or stamp.read_text() != recipe
    if new:
        shutil.rmtree(environment.folder, ignore_errors=True)
        subprocess.run([str(python), "-m", "venv", str(environment.folder)], check=True)
        _pip(environment, "--only-binary", ":all:", *environment.packages)
    if environment.edge_fer:
        # The code of now, whatever was there; what it depends on only once.
        options = environment.edge_fer.split() if new else ["--no-deps", "--force-reinstall", "."]
        _pip(environment, *options)
    stamp.write_text(recipe)
    return None


def _pip(environment: Environment, *arguments: str) -> None:
    command = [str(environment.interpreter), "-m", "pip", "install", "--quiet", *arguments]
    subprocess.run(command, check=True, cwd=ROOT)
