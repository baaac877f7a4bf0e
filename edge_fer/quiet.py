"""Vendors' libraries that chatter on stderr, kept silent while they load."""

from __future__ import annotations

import os
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
