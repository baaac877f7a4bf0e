"""FP16 IR of version 10 for the Intel stick: our ONNX through the `mo` of its own last runtime.

The stick runs half precision alone: its plugin knows no FakeQuantize, and IR of version 11, which
every later OpenVINO writes, is not read by the last release that drives it.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from onnx import ModelProto

from edge_fer.engines.myriad import layers_on_stick
from edge_fer.engines.myriad_home import home, python_of
from edge_fer.engines.myriad_stick import need_libusb
from edge_fer.errors import EngineError


def check_ready() -> None:
    """Raise MissingExtra where the stick's environment or libusb is missing."""
    python_of(home())
    need_libusb()


def to_files(model: ModelProto) -> dict[str, bytes]:
    """A float32 ONNX model (opset 13 at most) as `model.xml` and `model.bin`.

    The input stays (1, H, W, 3) and holds a camera's bytes: the engine asks the runtime to take
    uint8. Raises MissingExtra without the stick's environment, EngineError when `mo` refuses and
    BundleError naming the layers that a stick would not run.
    """
    python = python_of(home())
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "faces.onnx"
        source.write_bytes(model.SerializeToString())
        command = [str(python), "-I", "-m", "mo", "--input_model", str(source), "--silent"]
        command += ["--data_type", "FP16", "--output_dir", scratch, "--model_name", "model"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        written = [Path(scratch) / name for name in ("model.xml", "model.bin")]
        if done.returncode or not all(path.is_file() for path in written):
            raise EngineError(f"mo 2021.4.2 does not convert the model: {_reason(done.stderr)}")
        files = {path.name: path.read_bytes() for path in written}
    side = int(model.graph.input[0].type.tensor_type.shape.dim[1].dim_value)
    layers_on_stick("the stick's model", files, side)
    return files


def _reason(said: str) -> str:
    """The last line that says something: `mo` frames its errors."""
    lines = [line.replace("[ ERROR ]", "").strip() for line in said.splitlines()]
    told = [line for line in lines if line and "----" not in line]
    return told[-1] if told else "no reason given"
