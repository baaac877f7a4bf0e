"""python run_stick.py BUNDLE FACES SCORES: the stick's engine on its CPU plugin, and the placing.

Not started in the old environment but here: the engine starts its own worker there.
"""

import json
import sys
from pathlib import Path

import numpy as np

from edge_fer.bundle import open_bundle
from edge_fer.engines.myriad import MyriadEngine, layers_on_stick

bundle, faces, scores = map(Path, sys.argv[1:])
opened = open_bundle(bundle)
layers = layers_on_stick(str(bundle), opened.files, opened.manifest.input_size)
engine = MyriadEngine(opened, 2, "CPU")
with np.load(faces) as given:
    np.save(scores, engine.infer(given["faces"]))
engine.close()
said = {"runtime": engine.runtime, "precision": engine.precision}
print(json.dumps({**said, "note": f"MYRIAD takes all {layers} layers"}))
