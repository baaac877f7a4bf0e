"""One daemon a device: two would answer to one name at the broker and fight for one camera."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from edge_fer.config import RunConfig
from edge_fer.errors import InUse, StorageError

SERVICE = Path("/run/edge-fer")
"""Runtime folder of the service, where its lock lies."""


@contextmanager
def only_daemon(config: RunConfig) -> Iterator[None]:
    """Hold the device's lock; raises InUse naming the pid that has it, or StorageError.

    One that is started by hand also takes the lock that the service has made, where it may: else
    both would run.

    A record lock (fcntl) ends with its process, however that dies, and no child inherits it: what
    a killed daemon left is taken over. A file camera needs none.
    """
    if not config.daemon:
        yield
        return
    path = lock_path(config)
    with ExitStack() as held:
        descriptor = _opened(path)
        held.callback(os.close, descriptor)
        _take(descriptor, path, config.device)
        of_service = SERVICE / path.name
        theirs = _of_service(of_service, descriptor)
        if theirs is not None:
            held.callback(os.close, theirs)
            _take(theirs, of_service, config.device)
        yield


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


def _of_service(path: Path, own: int) -> int | None:
    """The service's lock; None where there is none, it is our own, or only the service may."""
    try:
        there = os.stat(path, follow_symlinks=False)
        # Closing it would give up our own: a record lock ends with any descriptor of its file.
        if os.path.samestat(there, os.fstat(own)):
            return None
        return os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None


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
