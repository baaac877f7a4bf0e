"""Which node in /dev is which camera: numbers change with every plug, serial numbers do not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def path_of(name: str) -> str:
    """`0`, `/dev/video0` or the name of a link in /dev/v4l/by-id, as a path."""
    if not name or (name.isascii() and name.isdigit()):
        return f"/dev/video{int(name or 0)}"
    return name if name.startswith("/") else f"/dev/v4l/by-id/{name}"


def nodes(root: Path = ROOT) -> list[str]:
    """All video nodes that are there, by number."""
    found = (root / "dev").glob("video[0-9]*")
    numbered = ((node.name.removeprefix("video"), node) for node in found)
    return [str(node) for number, node in sorted((int(n), p) for n, p in numbered if n.isdigit())]


def identities(node: str, root: Path = ROOT) -> list[str]:
    """Names under which a node's camera is known for good, the best first.

    The links of udev hold vendor, model and serial number; without udev the place in the machine
    (bus and port) must do, with the number of the node among those of the same device.
    """
    links = sorted((root / "dev/v4l/by-id").glob("*"))
    real = os.path.realpath(node)
    named = [link.name for link in links if os.path.realpath(link) == real]
    device = root / "sys/class/video4linux" / Path(real).name
    place = os.path.realpath(device / "device")
    if os.path.exists(place):
        named.append(f"{place.removeprefix(str(root).rstrip('/'))}#{_text(device / 'index') or 0}")
    return named


def find(path: str, known: str | None, root: Path = ROOT) -> str | None:
    """The node that is the camera now: `path`, or wherever the one that is known has gone to."""
    if known is None or known in identities(path, root):
        return os.path.realpath(path)
    return next((node for node in nodes(root) if known in identities(node, root)), None)


def present(root: Path = ROOT) -> tuple[str, ...]:
    """All names that a camera may be waited for by; changes when one is plugged in."""
    return (*nodes(root), *(str(link) for link in _links(root)))


def label(node: str, root: Path = ROOT) -> str:
    """The driver's name for the camera; empty where it has none."""
    return _text(root / "sys/class/video4linux" / Path(os.path.realpath(node)).name / "name")


def _links(root: Path) -> Iterator[Path]:
    return iter(sorted((root / "dev/v4l/by-id").glob("*")))


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
