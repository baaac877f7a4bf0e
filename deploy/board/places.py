"""Where everything lies on a board, and the few ways to change it: whole or not at all."""

from __future__ import annotations

import grp
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from deploy.board.refusal import Refusal

ROOT = "EDGE_FER_DEPLOY_ROOT"
"""Environment variable: a folder in which the board's files lie, for tests; else `/`."""
UNIT = "edge-fer.service"
CONFIG = "edge-fer.toml"
GROUP = "video"
"""The unit's SupplementaryGroups."""
READY = ".ready"
"""Written last into a release: one without it is none."""
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]{0,199}")


class Places:
    """The paths below one root."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.root = Path(environment.get(ROOT) or "/")
        self.home = self.root / "opt" / "edge-fer"
        self.releases = self.home / "releases"
        self.bundles = self.home / "bundles"
        self.stick = self.home / "ncs"
        """The runtime of Intel's stick; somebody has made it by hand, and keeps it."""
        self.wheels = self.home / "wheels"
        """Of the releases that are here, by content: the next one is sent only what it changes."""
        self.generations = self.home / "generations"
        self.current = self.home / "current"
        self.previous = self.home / "previous"
        self.trial = self.home / "trial"
        """A link of the Ansible role, while what it has switched to is not proven yet."""
        self.workshop = self.home / "deploy"
        """The lock, the journal, this program, and what is on its way."""
        self.incoming = self.workshop / "incoming"
        self.system = self.root / "etc" / "systemd" / "system"
        self.unit = self.system / UNIT
        self.wanted = self.system / "multi-user.target.wants" / UNIT
        self.config = self.root / "etc" / "edge-fer" / CONFIG
        self.config_before = self.config.with_name(f"{CONFIG}.before-deploy")

    def generation_of(self, link: Path) -> Path | None:
        """What `current` or `previous` leads to; None where that is nothing whole."""
        with suppress(OSError):
            target = link.parent / os.readlink(link)
            if target.parent == self.generations and (target / UNIT).is_file():
                return target
        return None


def record_of(generation: Path) -> dict[str, Any]:
    """What a generation names; one that the Ansible role has laid says less, and no model."""
    told: dict[str, Any] = json.loads((generation / "generation.json").read_bytes())
    version, model = told["release"].rpartition("-")[0], f"bundle {told['bundle']}"
    return {"version": version, "model": model, "health": None, **told}


def plain(name: str) -> str:
    """A name that leads out of no folder; raises Refusal for any other."""
    if not PLAIN.fullmatch(name):
        raise Refusal("broken", f"{name[:80]!r} is no plain file name")
    return name


def make_folder(path: Path) -> None:
    """Readable by all, writable by its owner, whatever the umask of this session is."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        one.chmod(0o755)


def write(path: Path, content: bytes, mode: int = 0o644, group: int | None = None) -> None:
    """A file whole or not at all, also when the power fails."""
    make_folder(path.parent)
    scratch = path.with_name(f".{path.name}.part")
    scratch.unlink(missing_ok=True)
    with open(scratch, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        if group is not None:
            os.fchown(file.fileno(), -1, group)
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    os.replace(scratch, path)
    sync(path.parent)


def write_config(path: Path, content: bytes) -> None:
    """A configuration, which may hold a camera's password: for root and the service alone.

    The service has another user at every start, but always the group of the cameras.
    """
    group = None
    with suppress(KeyError):  # without that group the service does not start anyway
        group = grp.getgrnam(GROUP).gr_gid if os.geteuid() == 0 else None
    write(path, content, 0o640, group)


def link(path: Path, target: str) -> None:
    """A symbolic link that leads from the old to the new in one step."""
    make_folder(path.parent)
    scratch = path.with_name(f".{path.name}.part")
    scratch.unlink(missing_ok=True)
    os.symlink(target, scratch)
    os.replace(scratch, path)
    sync(path.parent)


def unlink(path: Path) -> None:
    """Remove a file or link, if it is there."""
    if path.is_symlink() or path.exists():
        path.unlink()
        sync(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A scratch folder that takes its name when the block ends well, else is gone."""
    make_folder(path.parent)
    scratch = path.with_name(f".{path.name}.part")
    discard(scratch)
    make_folder(scratch)
    try:
        yield scratch
        sync_all(scratch)
        discard(path)
        os.replace(scratch, path)
        sync(path.parent)
    finally:
        discard(scratch)


def discard(path: Path) -> None:
    """Remove a folder and all in it, if it is there."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def sync(folder: Path) -> None:
    """What was renamed here stays so when the power fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(folder: Path) -> None:
    """Everything on this file system: a release has thousands of files."""
    subprocess.run(["sync", "-f", str(folder)], check=True)
