"""The board's side of the program as one file: a zip that Python runs."""

from __future__ import annotations

import io
import zipfile
from importlib import resources

ENTRY = "import sys\nfrom deploy.board.main import main\nsys.exit(main())\n"
BIRTH = (1980, 1, 1, 0, 0, 0)


def program() -> bytes:
    """The modules of `deploy.board`, and nothing else."""
    board = resources.files("deploy") / "board"
    modules = {"__main__.py": ENTRY.encode(), "deploy/__init__.py": b""}
    for one in sorted(board.iterdir(), key=lambda one: one.name):
        if one.name.endswith(".py"):
            modules[f"deploy/board/{one.name}"] = one.read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in modules.items():
            archive.writestr(zipfile.ZipInfo(name, BIRTH), content)
    return packed.getvalue()
