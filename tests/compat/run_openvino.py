"""python -I run_openvino.py BUNDLE FACES SCORES: an IR by OpenVINO's own API, without edge-fer."""

import json
import sys
from pathlib import Path

import numpy as np

try:
    from openvino import Core, get_version
except ImportError:  # before 2023
    from openvino.runtime import Core, get_version

bundle, faces, scores = map(Path, sys.argv[1:])
core = Core()
model = core.read_model(bundle / "model.xml")
settings = {"INFERENCE_NUM_THREADS": "1", "INFERENCE_PRECISION_HINT": "f32"}
request = core.compile_model(model, "CPU", settings).create_infer_request()
kind = np.dtype(model.input().get_element_type().to_dtype())
rows = []
with np.load(faces) as given:
    for face in given["faces"]:
        (answer,) = request.infer([face[None].astype(kind)]).values()
        rows.append(np.array(answer, np.float32).reshape(-1))
np.save(scores, np.array(rows))
print(
    json.dumps({"runtime": f"openvino {get_version().partition('-')[0]}", "precision": "f32 hint"})
)
