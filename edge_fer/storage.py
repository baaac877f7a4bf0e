"""Files and folders that appear whole or not at all, also when the power fails."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge_fer.errors import StorageError

AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""Of fcntl.h and linux/fs.h."""


def prove_folder(target: Path) -> None:
    """Raise StorageError where a folder cannot be made or written: long work must not end so."""
    nearest = next(p for p in (target.absolute(), *target.absolute().parents) if os.path.lexists(p))
    if not nearest.is_dir():
        raise StorageError(f"{target}: {nearest} is not a folder; choose another name")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise StorageError(f"{target}: {nearest} cannot be written; choose another folder")


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A scratch folder beside `target` that takes its name when the block ends well.

    An older folder of that name is replaced. On any error nothing of the scratch folder stays;
    an OSError becomes a StorageError that names the target.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise StorageError(f"{target}: is not a folder of its own; choose another name")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise _failed(target, error) from error
    try:
        scratch.chmod(0o755)
        yield scratch
        _sync_tree(scratch)
        _swap(scratch, target)
    except OSError as error:
        if isinstance(error, StorageError) or error.errno is None:
            raise
        raise _failed(target, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_file(target: Path, data: bytes) -> None:
    """Write a file whole: scratch file, fsync, rename, fsync of the folder."""
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    if target.exists() and not target.is_file():
        raise StorageError(f"{target}: is not a regular file; choose another name")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, target)
        _sync(target.parent)
    except OSError as error:
        raise _failed(target, error) from error
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def _swap(scratch: Path, target: Path) -> None:
    """Give `scratch` the name `target`, and the old folder, if any, that of `scratch`.

    At no moment, nor after a power cut, is there none of that name; but where the file system
    cannot exchange names, the old folder is put back when the second step fails.
    """
    if not target.exists():
        os.replace(scratch, target)
        _sync(target.parent)
    elif _exchange(scratch, target):
        _sync(target.parent)
        shutil.rmtree(scratch, ignore_errors=True)
    else:
        _swap_in_two_steps(scratch, target)


def _exchange(one: Path, other: Path) -> bool:
    """renameat2(2) with RENAME_EXCHANGE; False where kernel or file system knows no such thing."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return call is not None and (
        call(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0
    )


def _swap_in_two_steps(scratch: Path, target: Path) -> None:
    old = target.with_name(f".{target.name}.old{os.getpid()}")
    os.replace(target, old)
    try:
        os.replace(scratch, target)
    except OSError:
        os.replace(old, target)
        raise
    _sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(target: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{target}: cannot be written ({error.strerror}); nothing was left behind, "
        "free space or choose another folder"
    )
