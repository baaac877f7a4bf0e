"""An OpenVINO IR read as the XML that it is."""

from __future__ import annotations

from math import prod
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from edge_fer.inspection import KEY, Graph, Operator

WEIGHTED = ("Convolution", "GroupConvolution", "MatMul")
MOVING = ("Transpose", "Reshape")
"""Layers that change no value."""
SILENT = ("Const", "Parameter", "Result")
PRECISIONS = {"FP32": "fp32", "FP16": "fp16", "I8": "int8", "U8": "int8"}
LARGEST = 16 * 2**20
"""Bytes of XML; ours have half a million."""


def read(content: bytes) -> Graph:
    """The layers, and the manifest in the network's rt_info."""
    if len(content) > LARGEST or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ValueError("too large, or with a DOCTYPE, which no IR has")
    net = ElementTree.fromstring(content)
    if net.tag != "net":
        raise ValueError(f"its root is {net.tag}, not net")
    layers = {layer.attrib["id"]: layer for layer in net.iterfind("layers/layer")}
    before = {
        (edge.attrib["to-layer"], edge.attrib["to-port"]): layers[edge.attrib["from-layer"]]
        for edge in net.iterfind("edges/edge")
    }
    operators = [
        _operator(layer, before) for layer in layers.values() if layer.attrib["type"] not in SILENT
    ]
    entry = net.find(f"rt_info/{KEY}")
    return Graph(tuple(operators), None if entry is None else entry.attrib["value"])


def _operator(layer: Element, before: dict[tuple[str, str], Element]) -> Operator:
    kind = layer.attrib["type"]
    result = layer.find("output/port")
    word = result.attrib.get("precision", "") if result is not None else ""
    precision = PRECISIONS.get(word, word.lower())
    if kind not in WEIGHTED:
        return Operator(kind, precision)
    ports = layer.findall("input/port")
    entry = _giver(layer, before)
    while entry is not None and entry.attrib["type"] in MOVING:
        entry = _giver(entry, before)
    if entry is not None and entry.attrib["type"] == "FakeQuantize":
        precision = "int8"
    return Operator(kind, precision, _multiply_adds(kind, ports, layer))


def _giver(layer: Element, before: dict[tuple[str, str], Element]) -> Element | None:
    """What gives a layer its first input."""
    port = layer.find("input/port")
    return None if port is None else before.get((layer.attrib["id"], port.attrib["id"]))


def _multiply_adds(kind: str, ports: list[Element], layer: Element) -> int:
    result = layer.find("output/port")
    assert result is not None
    kernel, whole = _dims(ports[1]), _dims(result)
    if kind == "MatMul":
        return prod(whole) * _dims(ports[0])[-1]
    # (out, in, height, width), or (groups, out, in, height, width)
    return prod(whole) * prod(kernel[1:] if kind == "Convolution" else kernel[2:])


def _dims(port: Element) -> list[int]:
    return [int(dim.text or 0) for dim in port.iterfind("dim")]
