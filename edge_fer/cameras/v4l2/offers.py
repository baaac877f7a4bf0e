"""What a V4L2 device offers: formats, their sizes, and the frame rates of each size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from edge_fer.cameras.v4l2 import kernel
from edge_fer.cameras.v4l2.device import READABLE, Device
from edge_fer.cameras.v4l2.reasons import told
from edge_fer.errors import CameraError

MOST = 100
"""Entries of a list that a driver may have; a broken one may have no end."""


@dataclass(frozen=True)
class Size:
    """One size of one format."""

    size: str
    """`640x480`, or the smallest and the largest: `16x16 to 1920x1080`."""
    fps: tuple[float, ...]
    """Frames per second, the most first; empty where the driver does not say."""


@dataclass(frozen=True)
class Format:
    """One format."""

    format: str
    """Four letters, as `format=` takes them."""
    readable: bool
    """Whether edge-fer can decode it."""
    sizes: tuple[Size, ...]


def offers(node: str) -> tuple[Format, ...]:
    """Everything that a node offers for capture; raises CameraError saying why it cannot be asked.

    A device that another program reads from may be asked all the same.
    """
    try:
        device = Device(os.open(node, os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        raise told(node, error) from error
    try:
        if not kernel.node_capabilities(kernel.capability(device.handle)) & kernel.CAPTURE:
            raise CameraError(f"{node} gives no pictures")
        return tuple(_format(device.handle, name) for name in device.formats())
    except OSError as error:
        raise told(node, error) from error
    finally:
        device.close()


def _format(handle: int, name: str) -> Format:
    return Format(name.lower(), name in READABLE, tuple(_sizes(handle, kernel.code(name))))


def _sizes(handle: int, pixels: int) -> Iterator[Size]:
    asked = kernel.FrameSize(0, pixels)
    with suppress(OSError):  # EINVAL ends the list
        while asked.index < MOST:
            kernel.ask(handle, kernel.ENUM_FRAMESIZES, asked)
            if asked.type != kernel.DISCRETE:
                least_wide, most_wide, _, least_high, most_high, _ = asked.values
                yield Size(f"{least_wide}x{least_high} to {most_wide}x{most_high}", ())
                return
            width, height = asked.values[0], asked.values[1]
            rates = sorted(_rates(handle, pixels, width, height), reverse=True)
            yield Size(f"{width}x{height}", tuple(rates))
            asked.index += 1


def _rates(handle: int, pixels: int, width: int, height: int) -> Iterator[float]:
    asked = kernel.FrameInterval(0, pixels, width, height)
    with suppress(OSError):
        while asked.index < MOST:
            kernel.ask(handle, kernel.ENUM_FRAMEINTERVALS, asked)
            shortest = asked.values[0]
            if shortest.numerator:
                yield round(shortest.denominator / shortest.numerator, 3)
            if asked.type != kernel.DISCRETE:
                return
            asked.index += 1
