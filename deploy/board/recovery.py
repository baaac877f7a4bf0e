"""A unit that finishes at the next boot what the power cut off."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from deploy.board.places import Places, make_folder, unlink, write

PROGRAM = "agent.pyz"
UNIT = "edge-fer-recover.service"
TEXT = """[Unit]
Description=Finish or undo what a deploy of edge-fer left when the power went
ConditionPathExists={journal}
After=edge-fer.service

[Service]
Type=oneshot
ExecStart={python} {program} recover

[Install]
WantedBy=multi-user.target
"""


def lay(places: Places) -> None:
    """Put the unit there, and this program, which it runs."""
    program = places.workshop / PROGRAM
    write(program, Path(sys.argv[0]).read_bytes())
    journal = places.workshop / "journal.json"
    text = TEXT.format(journal=journal, python=sys.executable, program=program)
    write(places.system / UNIT, text.encode())
    wanted = _wanted(places)
    if not wanted.is_symlink():
        make_folder(wanted.parent)
        os.symlink(f"../{UNIT}", wanted)


def take_away(places: Places) -> None:
    """The unit alone: the program lies in a folder that goes anyway."""
    unlink(_wanted(places))
    unlink(places.system / UNIT)


def _wanted(places: Places) -> Path:
    return places.system / "multi-user.target.wants" / UNIT
