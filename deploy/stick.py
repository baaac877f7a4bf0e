"""Bundles for Intel's stick: the board has the stick's runtime already, or is told how to get it.

It needs a Python 3.9, which no system brings beside a newer one: deploy does not carry it.
"""

from __future__ import annotations

from deploy.facts import Board
from edge_fer.errors import BundleError

FORMAT = "ncs"
"""Of the bundles that only a stick runs."""
SETUP = "`sudo /opt/edge-fer/current/bin/edge-fer setup-ncs --dir /opt/edge-fer/ncs`"
LACKS = {
    "": "is not on the board: deploy a bundle of --target x86 first, then, once, run there",
    "broken": "on the board does not start: make it anew there by",
    "hidden": "on the board has its Python in a home, where the service cannot see it: install a "
    "Python 3.9 elsewhere (`uv python install 3.9 --install-dir /opt/python`), and make it anew, "
    "with --python PATH, by",
}
"""What is wrong with the runtime, by `Board.stick_runtime`."""


def check(board: Board, format: str) -> None:
    """Raise BundleError for a bundle that this machine cannot run, naming what would help."""
    if format != FORMAT:
        return
    lacks = "has no runtime for one"
    if board.machine == "x86_64":
        lacks = "" if board.stick else "has none plugged in"
    if lacks:
        raise BundleError(
            f"the bundle is for Intel's stick; this board ({board.kind}) {lacks}: "
            "convert with --target pi, x86 or jetson"
        )
    if board.stick_runtime in LACKS:
        raise BundleError(
            f"the stick's runtime {LACKS[board.stick_runtime]} {SETUP} (deploy/intel-stick.md)"
        )
