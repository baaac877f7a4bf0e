"""What keeps a model from the stick, in one line that says what to do."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from edge_fer.emotions import LABELS
from edge_fer.engines.myriad_home import COMMAND
from edge_fer.errors import BundleError, EdgeFerError, EngineError, MissingExtra

LIBUSB = "libusb-1.0.so.0"
VENDOR = "03e7"
"""USB vendor number of Movidius, before and after the stick has booted."""
USB_DEVICES = Path("/sys/bus/usb/devices")


def need_libusb(library: str = LIBUSB) -> None:
    """Raises MissingExtra where the library is missing: the plugin loads it by itself."""
    try:
        ctypes.CDLL(library)
    except OSError as error:
        raise MissingExtra(
            f"device MYRIAD needs {library}: apt-get install libusb-1.0-0"
        ) from error


def stick_is_in(devices: Path = USB_DEVICES) -> bool:
    """Whether a stick is plugged in."""
    return any(_text(file) == VENDOR for file in devices.glob("*/idVendor"))


def state() -> list[str]:
    """What is still missing for the stick, a line each; the CPU plugin needs none of it."""
    said = []
    try:
        need_libusb()
    except MissingExtra as error:
        said.append(str(error))
    if not stick_is_in():
        said.append(f"no stick is plugged in (USB vendor {VENDOR})")
    return said


def check(model: str, size: int, facts: dict[str, Any]) -> None:
    """Raise the error that a worker's facts amount to; none where the model is as it should be."""
    if "fault" in facts:
        raise _error(model, facts["fault"], facts["reason"])
    wanted = {"inputs": [[1, size, size, 3]], "outputs": [[1, len(LABELS)]]}
    found = {key: facts[key] for key in wanted}
    if found != wanted:
        raise BundleError(f"{model}: the model takes and gives {found}, expected {wanted}")


def _error(model: str, fault: str, reason: str) -> EdgeFerError:
    if fault == "runtime":
        return MissingExtra(f"{model}: the stick's runtime does not start ({reason}): {COMMAND}")
    if fault == "plugin":
        return MissingExtra(f"{model}: the MYRIAD plugin does not load ({reason}): {COMMAND}")
    if fault == "model":
        return BundleError(f"{model}: OpenVINO 2021.4 refuses the model ({reason})")
    if stick_is_in():
        hint = "another program holds it, or its udev rules are missing; plug it out and in"
    else:
        hint = f"no stick is plugged in (USB vendor {VENDOR}); --device CPU runs without one"
    return EngineError(f"{model}: the device does not start ({reason}): {hint}")


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
