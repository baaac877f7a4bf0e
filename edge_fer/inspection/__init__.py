"""What a model's file holds, read without running it: operators, precision, provenance, gate."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_fer.bundle import LARGEST_FILE, Bundle, open_bundle
from edge_fer.errors import BadData, NotFound
from edge_fer.plugins import load

KEY = "edge_fer_manifest"
"""Name under which a model's file holds its manifest."""
READERS = {
    ".tflite": "edge_fer.inspection.tflite:read",
    ".xml": "edge_fer.inspection.openvino:read",
    ".onnx": "edge_fer.inspection.onnx:read",
}
"""Suffix to the function that makes a Graph of the file's bytes."""
BOUND = 2**40
"""Multiply-adds over which a file is lying about its shapes."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of a graph."""

    name: str
    """The format's own word for it."""
    precision: str
    """In which it computes: int8, fp16, fp32 or the format's own word."""
    multiply_adds: int = 0
    """Of one face; counted for convolutions and matrices alone."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A model's file."""

    operators: tuple[Operator, ...]
    manifest: str | None
    """The JSON text inside; None where there is none."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is known of one file."""

    path: Path
    size_bytes: int
    operators: tuple[Operator, ...]
    manifest: dict[str, Any]
    """Of the folder, or else the one inside the file; empty where neither is."""
    source: str
    """Where the manifest was found."""

    @property
    def int8_share(self) -> float:
        """Share of the multiply-adds that the file asks to be done in INT8."""
        total = sum(operator.multiply_adds for operator in self.operators)
        ours = sum(o.multiply_adds for o in self.operators if o.precision == "int8")
        return ours / total if total else 0.0

    def counts(self) -> dict[str, Counter[str]]:
        """Precision to the operators that have it."""
        found: dict[str, Counter[str]] = {}
        for operator in self.operators:
            found.setdefault(operator.precision, Counter())[operator.name] += 1
        return found

    def to_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        return {
            "path": str(self.path),
            "size_bytes": self.size_bytes,
            "operators": {p: dict(c.most_common()) for p, c in sorted(self.counts().items())},
            "multiply_adds": sum(operator.multiply_adds for operator in self.operators),
            "int8_share": self.int8_share,
            "manifest_from": self.source,
            "manifest": self.manifest,
        }


def inspect(path: Path) -> Inspection:
    """Look at a bundle or a model's file.

    Raises NotFound, BundleError for a bundle that is not whole, and BadData for a file that is
    no model or is damaged.
    """
    if path.is_dir():
        return _of_bundle(open_bundle(path))
    if not path.is_file():
        raise NotFound(f"{path}: no such bundle or file")
    if path.suffix not in READERS:
        raise BadData(f"{path}: no model that is known here; know {', '.join(READERS)}")
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise BadData(f"{path}: {size} bytes, at most {LARGEST_FILE} are read")
    graph = _read(path, path.read_bytes())
    source = "inside the file" if graph.manifest else "nowhere: not made by edge-fer"
    return Inspection(path, size, graph.operators, _parsed(path, graph.manifest), source)


def _of_bundle(bundle: Bundle) -> Inspection:
    from dataclasses import asdict

    name, content = next((n, c) for n, c in bundle.files.items() if Path(n).suffix in READERS)
    graph = _read(bundle.path / name, content)
    return Inspection(
        bundle.path, bundle.size_bytes, graph.operators, asdict(bundle.manifest), "the bundle"
    )


def _read(path: Path, content: bytes) -> Graph:
    reader = load("format", READERS, path.suffix)
    try:
        graph: Graph = reader(content)
    except ImportError:
        raise
    except Exception as error:  # damaged bytes fail in as many ways as a parser has lines
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise BadData(f"{path}: not a whole {path.suffix} model ({reason})") from error
    if not graph.operators or sum(o.multiply_adds for o in graph.operators) > BOUND:
        raise BadData(f"{path}: not a model (no operators, or shapes beyond belief)")
    return graph


def _parsed(path: Path, text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadData(f"{path}: the manifest inside is not JSON ({error})") from error
    if not isinstance(record, dict):
        raise BadData(f"{path}: the manifest inside is no record")
    return record
