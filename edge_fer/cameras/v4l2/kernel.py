"""What is used of linux/videodev2.h: structures, requests, and one way to send them."""

from __future__ import annotations

import ctypes
import fcntl
from ctypes import c_char, c_long, c_uint8, c_uint32, c_void_p
from typing import Any

CAPTURE = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE; as a capability, V4L2_CAP_VIDEO_CAPTURE."""
STREAMING = 0x04000000
DEVICE_CAPS = 0x80000000
MMAP = 1
BUFFER_ERROR = 0x40
"""V4L2_BUF_FLAG_ERROR: the data may be damaged."""
STAMP_MASK, STAMP_MONOTONIC = 0xE000, 0x2000
DISCRETE = 1
"""V4L2_FRMSIZE_TYPE_DISCRETE and V4L2_FRMIVAL_TYPE_DISCRETE."""


class Capability(ctypes.Structure):
    """struct v4l2_capability."""

    _fields_ = [
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    ]


class FormatDescription(ctypes.Structure):
    """struct v4l2_fmtdesc."""

    _fields_ = [
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    ]


class PixelFormat(ctypes.Structure):
    """struct v4l2_pix_format, as far as it is read."""

    _fields_ = [
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("bytesperline", c_uint32),
        ("sizeimage", c_uint32),
    ]


class _FormatUnion(ctypes.Union):
    _fields_ = [("pix", PixelFormat), ("raw", c_uint8 * 200), ("_align", c_void_p)]


class Format(ctypes.Structure):
    """struct v4l2_format."""

    _fields_ = [("type", c_uint32), ("fmt", _FormatUnion)]


class Fraction(ctypes.Structure):
    """struct v4l2_fract: seconds."""

    _fields_ = [("numerator", c_uint32), ("denominator", c_uint32)]


class StreamParameters(ctypes.Structure):
    """struct v4l2_streamparm for capture."""

    _fields_ = [
        ("type", c_uint32),
        ("capability", c_uint32),
        ("capturemode", c_uint32),
        ("timeperframe", Fraction),
        ("rest", c_uint8 * 184),
    ]


class FrameSize(ctypes.Structure):
    """struct v4l2_frmsizeenum: width and height, or min, max, step of both."""

    _fields_ = [
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("values", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    ]


class FrameInterval(ctypes.Structure):
    """struct v4l2_frmivalenum: one interval, or min, max, step."""

    _fields_ = [
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("values", Fraction * 3),
        ("reserved", c_uint32 * 2),
    ]


class BufferRequest(ctypes.Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = [
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("rest", c_uint32 * 2),
    ]


class _Place(ctypes.Union):
    _fields_ = [("offset", c_uint32), ("userptr", c_void_p)]


class Buffer(ctypes.Structure):
    """struct v4l2_buffer."""

    _fields_ = [
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("seconds", c_long),
        ("microseconds", c_long),
        ("timecode", c_uint8 * 16),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("m", _Place),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request", c_uint32),
    ]


Kind = ctypes.c_int


def _number(letter: str, number: int, content: type) -> int:
    """The request's number, as _IOR, _IOW and _IOWR of asm-generic/ioctl.h make it."""
    direction = {"R": 2, "W": 1, "RW": 3}[letter]
    return direction << 30 | ctypes.sizeof(content) << 16 | ord("V") << 8 | number


QUERYCAP = _number("R", 0, Capability)
ENUM_FMT = _number("RW", 2, FormatDescription)
G_FMT = _number("RW", 4, Format)
S_FMT = _number("RW", 5, Format)
REQBUFS = _number("RW", 8, BufferRequest)
QUERYBUF = _number("RW", 9, Buffer)
QBUF = _number("RW", 15, Buffer)
DQBUF = _number("RW", 17, Buffer)
STREAMON = _number("W", 18, Kind)
G_PARM = _number("RW", 21, StreamParameters)
S_PARM = _number("RW", 22, StreamParameters)
ENUM_FRAMESIZES = _number("RW", 74, FrameSize)
ENUM_FRAMEINTERVALS = _number("RW", 75, FrameInterval)


def ask(handle: int, request: int, content: Any) -> Any:
    """Send a request; the driver's answer is in `content`, which is returned. Raises OSError."""
    fcntl.ioctl(handle, request, content, True)
    return content


def capability(handle: int) -> Capability:
    """What a device is; raises OSError (ENOTTY) where it is no video device."""
    answer: Capability = ask(handle, QUERYCAP, Capability())
    return answer


def node_capabilities(answer: Capability) -> int:
    """The capabilities of this node, not of all nodes of its device."""
    if answer.capabilities & DEVICE_CAPS:
        return int(answer.device_caps)
    return int(answer.capabilities)


def code(letters: str) -> int:
    """A pixel format's number by its four letters."""
    return int.from_bytes(letters.encode(), "little")


def letters(number: int) -> str:
    """A pixel format's four letters."""
    return (number & 0x7FFFFFFF).to_bytes(4, "little").decode("ascii", "replace").strip()
