"""FP16 IR of version 10 for the Intel stick: our ONNX through the `mo` of its own last runtime.

The stick runs half precision alone: its plugin knows no FakeQuantize, and IR of version 11, which
every later OpenVINO writes, is not read by the last release that drives it.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from onnx import ModelProto

from edge_fer.engines.myriad_home import home, python_of
from edge_fer.errors import EngineError


def to_files(model: ModelProto) -> dict[str, bytes]:
    """A float32 ONNX model (opset 13 at most) as `model.xml` and `model.bin`.

    The input stays (1, H, W, 3) and holds a camera's bytes: the engine asks the runtime to take
    uint8. Raises MissingExtra without the stick's environment, EngineError when `mo` refuses.
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
            said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise EngineError(f"mo 2021.4.2 does not convert the model: {said[-1]}")
        return {path.name: path.read_bytes() for path in written}
