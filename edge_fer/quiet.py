"""Vendors' libraries that chatter on stderr, kept silent while they load."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_stderr_closed() -> Iterator[None]:
    """Nothing of native code reaches stderr in the block; errors still come as exceptions."""
    try:
        kept = os.dup(2)
    except OSError:  # stderr is closed already
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def quiet_opencv() -> None:
    """Before OpenCV is loaded: its own warnings stay off stderr, and huge pictures are refused.

    What a camera says is said by us, in one line; a 420 kB PNG can want 890 MB.
    """
    if "cv2" not in sys.modules:
        os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**24))


def single_blas() -> None:
    """Before numpy is loaded: its OpenBLAS starts a thread for every core, of no use to us.

    Where that is forbidden, it ends the process with SIGINT.
    """
    if "numpy" not in sys.modules:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
