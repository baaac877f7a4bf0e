"""python -I run_openvino_2022.py BUNDLE FACES SCORES: by the API of 2022, without edge-fer."""

import json
import sys
from pathlib import Path

import numpy as np
from openvino.runtime import Core, get_version

bundle, faces, scores = map(Path, sys.argv[1:])
core = Core()
model = core.read_model(bundle / "model.xml")
settings = {"INFERENCE_NUM_THREADS": "2", "INFERENCE_PRECISION_HINT": "f32"}
request = core.compile_model(model, "CPU", settings).create_infer_request()
kind = np.dtype(model.input().get_element_type().to_dtype())
rows = []
with np.load(faces) as given:
    for face in given["faces"]:
        (answer,) = request.infer([face[None].astype(kind)]).values()
        rows.append(answer.reshape(-1).copy())
np.save(scores, np.array(rows, np.float32))
print(
    json.dumps({"runtime": f"openvino {get_version().partition('-')[0]}", "precision": "f32 hint"})
)
