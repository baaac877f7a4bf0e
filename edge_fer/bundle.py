"""A bundle is a folder: one converted model and its manifest, whole or refused.

The manifest holds the SHA-256 of every file. The bytes that were hashed are the bytes the engine
loads: nothing is read twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from edge_fer.emotions import LABELS
from edge_fer.errors import BundleError
from edge_fer.storage import new_folder

SCHEMA = "edge-fer/bundle/1"
MANIFEST = "manifest.json"
FORMATS = ("tflite", "openvino", "onnx", "ncs")
PRECISIONS = ("fp32", "fp16", "int8")
LARGEST_FILE = 512 * 2**20
"""Bytes; a bigger file in a bundle is refused before it is read."""
LARGEST_SIDE = 1024
"""Pixels; bounds what a manifest can make an engine allocate."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What weights cannot say; stored as `manifest.json`."""

    name: str
    format: str
    """Chooses the engine: `tflite`, `openvino`, `onnx` or `ncs`."""
    precision: str
    """Asked of the converter: `fp32`, `fp16` or `int8`."""
    input_size: int
    """Side of the square face, in pixels."""
    parent: str
    """SHA-256 of the checkpoint."""
    files: dict[str, str]
    """File name to SHA-256."""
    labels: tuple[str, ...] = LABELS
    temperature: float = 1.0
    """Already folded into the weights; for the record."""
    abstain_below: float = 0.0
    """Best probability under which the label is "uncertain"."""
    calibration: dict[str, Any] = field(default_factory=dict)
    """Dataset, split, count, per class, seed, hash of the sample list; empty for floats."""
    gate: dict[str, Any] = field(default_factory=dict)
    """How the model compared with its float parent, and the verdict."""
    made: dict[str, Any] = field(default_factory=dict)
    """Tools and versions, training data of the parent."""
    schema: str = SCHEMA


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle, its files in memory."""

    path: Path
    manifest: Manifest
    files: Mapping[str, bytes]
    sha256: str
    """Of the manifest file, and through it of everything."""

    def file(self, suffix: str) -> bytes:
        """The content of the one file with this suffix."""
        found = [content for name, content in self.files.items() if name.endswith(suffix)]
        if len(found) != 1:
            raise BundleError(f"{self.path}: expected one {suffix} file, found {len(found)}")
        return found[0]

    @property
    def size_bytes(self) -> int:
        """Of the model's files, without the manifest and what the selftest needs."""
        return sum(len(c) for name, c in self.files.items() if not name.startswith("selftest."))

    def calibration_lines(self) -> list[str]:
        """What its ranges were taken from, for a person; empty for floats."""
        record = self.manifest.calibration
        if not record:
            return []
        where = " ".join(filter(None, (record.get("dataset"), record.get("split"))))
        left_out = record.get("left_out", [])
        said = [f"calibrated on {record.get('used')} faces of {where}"]
        if "origin" in record:  # of data without splits
            said.append(f"judged by faces it was calibrated on: {record['origin']}")
        if left_out:
            said.append(
                f"left out as outliers: {', '.join(left_out[:5])}" + " ..." * (len(left_out) > 5)
            )
        return said


def open_bundle(path: Path, check: Callable[[Path, bytes], object] | None = None) -> Bundle:
    """Read and verify a bundle; raises BundleError naming what is wrong with it.

    `check` is given the manifest's path and the bytes that were read, and raises what it refuses.
    """
    if not path.is_dir():
        raise BundleError(f"{path}: no such bundle; make one with `edge-fer convert --int8`")
    raw = _read(path / MANIFEST)
    if check is not None:
        check(path / MANIFEST, raw)
    manifest = _parse(path / MANIFEST, raw)
    files = {}
    for name, expected in manifest.files.items():
        content = _read(path / name)
        actual = hashlib.sha256(content).hexdigest()
        if actual != expected:
            raise BundleError(
                f"{path / name}: altered or damaged (SHA-256 {actual[:12]}, the manifest says "
                f"{str(expected)[:12]}); copy the bundle again or convert anew",
                "hash",
            )
        files[name] = content
    return Bundle(path, manifest, files, hashlib.sha256(raw).hexdigest())


def create_bundle(target: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Bundle:
    """Write a bundle whole, filling in its hashes; raises StorageError leaving nothing behind."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    record = {**asdict(manifest), "files": hashes}
    ordered = {"schema": record.pop("schema"), **record}
    with new_folder(target) as scratch:
        for name, content in files.items():
            (scratch / name).write_bytes(content)
        (scratch / MANIFEST).write_text(json.dumps(ordered, indent=1) + "\n")
    return open_bundle(target)


def newest_bundle(folder: Path) -> Path:
    """The bundle below `folder` that was made last; raises BundleError where there is none."""
    made = [(p.stat().st_mtime_ns, p.parent) for p in folder.glob(f"*/{MANIFEST}")]
    if not made:
        raise BundleError(f"{folder}: no bundle here; make one with `edge-fer convert --int8`")
    return max(made)[1]


def _read(path: Path) -> bytes:
    """The content of a regular file inside its own folder."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise BundleError(f"{path}: missing; copy the whole bundle folder again") from error
    except OSError as error:
        raise BundleError(f"{path}: cannot be opened ({error.strerror})") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(f"{path}: not a regular file")
        if status.st_size > LARGEST_FILE:
            raise BundleError(f"{path}: {status.st_size} bytes, at most {LARGEST_FILE} allowed")
        return file.read()


def _parse(path: Path, raw: bytes) -> Manifest:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: not JSON ({error}); copy the bundle again") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        found = record.get("schema") if isinstance(record, dict) else type(record).__name__
        raise BundleError(f"{path}: schema {found!r}; this edge-fer reads {SCHEMA}")
    known = {f.name for f in fields(Manifest)}
    try:
        manifest = Manifest(**{k: v for k, v in record.items() if k in known})
    except TypeError as error:
        raise BundleError(f"{path}: {str(error).partition(') ')[2] or error}") from error
    _check(path, manifest)
    return manifest


def _check(path: Path, manifest: Manifest) -> None:
    """Refuse values that are of the wrong type or that this program cannot serve."""
    if not isinstance(manifest.labels, list) or tuple(manifest.labels) != LABELS:
        text = f"{path}: labels {manifest.labels}; edge-fer needs {list(LABELS)}"
        raise BundleError(text, "labels")
    wrong = [
        ("format", manifest.format, manifest.format in FORMATS, f"one of {', '.join(FORMATS)}"),
        ("precision", manifest.precision, manifest.precision in PRECISIONS, "fp32, fp16 or int8"),
        ("input_size", manifest.input_size, _is_side(manifest.input_size), f"1 to {LARGEST_SIDE}"),
        ("abstain_below", manifest.abstain_below, _is_share(manifest.abstain_below), "0 to 1"),
        ("name", manifest.name, isinstance(manifest.name, str), "text"),
        ("parent", manifest.parent, isinstance(manifest.parent, str), "a SHA-256"),
        ("files", manifest.files, _are_files(manifest.files), "plain names with their SHA-256"),
    ]
    for key, value, fine, wanted in wrong:
        if not fine:
            raise BundleError(f"{path}: {key} is {str(value)[:80]!r}, expected {wanted}")


def _is_side(value: Any) -> bool:
    return type(value) is int and 1 <= value <= LARGEST_SIDE


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def _are_files(value: Any) -> bool:
    """A few plain names: nothing that leads out of the folder."""
    if not isinstance(value, dict) or not 1 <= len(value) <= 8:
        return False
    return all(
        isinstance(hash_, str) and name == Path(name).name and name not in ("", ".", "..", MANIFEST)
        for name, hash_ in value.items()
    )
