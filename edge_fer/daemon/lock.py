"""One daemon a device: two would answer to one name at the broker and fight for one camera."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_fer.config import RunConfig
from edge_fer.errors import InUse, StorageError


@contextmanager
def only_daemon(config: RunConfig) -> Iterator[None]:
    """Hold the device's lock; raises InUse naming the pid that has it, or StorageError.

    A record lock (fcntl) ends with its process, however that dies, and no child inherits it: what
    a killed daemon left is taken over. A file camera needs none.
    """
    if not config.daemon:
        yield
        return
    path = lock_path(config)
    descriptor = _opened(path)
    try:
        _take(descriptor, path, config.device)
        yield
    finally:
        os.close(descriptor)


def lock_path(config: RunConfig) -> Path:
    """The lock's file: in `state_dir`, the service's runtime folder, or the user's own."""
    return _folder(config) / f"edge-fer-{config.device}.lock"


def _folder(config: RunConfig) -> Path:
    if config.state_dir is not None:
        return config.state_dir
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        # systemd joins several by colons; the first is the unit's own.
        if folder := os.environ.get(name, "").partition(":")[0]:
            return Path(folder)
    return Path(tempfile.gettempdir(), f"edge-fer-{os.getuid()}")


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Anybody may have put a link into a shared folder such as /tmp.
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StorageError(
            f"{path}: the lock cannot be made ({error.strerror}); name a folder with --state-dir"
        ) from error


def _take(descriptor: int, path: Path, device: str) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        pid = os.pread(descriptor, 32, 0).split()[:1]
        who = f"pid {pid[0].decode(errors='replace')}" if pid else "another process"
        raise InUse(
            f"{who} runs the device {device!r} already ({path}); "
            "end it, or choose another --device-id"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
