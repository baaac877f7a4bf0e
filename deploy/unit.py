"""The unit of a board: the one that ships, and what this kind of board adds to it."""

from __future__ import annotations

from importlib import resources

from deploy import stick
from deploy.facts import Board

SHIPPED = "edge-fer.service"


def unit(board: Board, camera: str, format: str) -> str:
    """Its text; the board puts its own paths into ExecStart."""
    folder = resources.files("deploy")
    texts = [(folder / SHIPPED).read_text()]
    for name in additions(board, camera, format):
        one = folder / "systemd" / name
        if one.is_file():
            texts.append(one.read_text())
    return "\n".join(texts)


def additions(board: Board, camera: str, format: str) -> list[str]:
    """Drop-ins for the board, its camera and the bundle's format; sections may repeat in a unit."""
    wanted = []
    if board.kind == "pi" and camera.startswith("picamera"):
        wanted.append("raspberry-pi-csi.conf")
    if board.kind == "jetson":
        wanted.append("jetson.conf")
    if format == stick.FORMAT:
        wanted.append("intel-stick.conf")
    return wanted
