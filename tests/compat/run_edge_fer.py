"""python -I run_edge_fer.py BUNDLE FACES SCORES: edge-fer's own engine, as installed here."""

import json
import sys
from pathlib import Path

import numpy as np

from edge_fer.bundle import open_bundle
from edge_fer.engines import open_engine

bundle, faces, scores = map(Path, sys.argv[1:])
engine = open_engine(open_bundle(bundle), threads=1)
with np.load(faces) as given:
    np.save(scores, engine.infer(given["faces"]))
print(json.dumps({"runtime": engine.runtime, "precision": engine.precision}))
