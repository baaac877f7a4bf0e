"""The manifest inside the model too: a file that lost its folder still says what it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from xml.sax.saxutils import quoteattr

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

from edge_fer.bundle import Manifest
from edge_fer.inspection import KEY


def embedded(manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files with the manifest in the model; the same in, the same bytes out.

    Left out of it are the files' hashes, which cannot be inside what they are the hashes of.
    """
    record = {key: value for key, value in asdict(manifest).items() if key != "files"}
    text = json.dumps(record, sort_keys=True)
    writers = {suffix: writer for suffix, writer in WRITERS.items() if manifest.format in writer[0]}
    return {
        name: next(
            (write(content, text) for end, (_, write) in writers.items() if name.endswith(end)),
            content,
        )
        for name, content in files.items()
    }


def _tflite(content: bytes, text: str) -> bytes:
    """As a named metadata buffer."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(text.encode(), np.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = KEY, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(content) + len(text))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _openvino(content: bytes, text: str) -> bytes:
    """As the network's own rt_info, where OpenVINO keeps what it was converted with."""
    entry = f"<{KEY} value={quoteattr(text)} />".encode()
    head, end, tail = content.rpartition(b"</rt_info>")
    if end and tail.strip() == b"</net>":
        return head + b"\t" + entry + b"\n\t" + end + tail
    head, end, tail = content.rpartition(b"</net>")
    return head + b"\t<rt_info>" + entry + b"</rt_info>\n" + end + tail


def _onnx(content: bytes, text: str) -> bytes:
    """As a metadata property."""
    model = onnx.load_from_string(content)
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, text
    return bytes(model.SerializeToString(deterministic=True))


WRITERS: Mapping[str, tuple[tuple[str, ...], Callable[[bytes, str], bytes]]] = {
    ".tflite": (("tflite",), _tflite),
    ".xml": (("openvino", "ncs"), _openvino),
    ".onnx": (("onnx",), _onnx),
}
"""Suffix of a model's file to the formats it belongs to, and how text gets inside."""
