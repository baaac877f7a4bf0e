"""What the commands share that need TensorFlow or OpenVINO."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def workshop(command: str) -> Iterator[None]:
    """Heavy imports: quiet TensorFlow, and one line that names an extra that is missing."""
    from edge_fer.plugins import missing
    from edge_fer.quiet import native_stderr_closed

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with native_stderr_closed():
            yield
            tensorflow = sys.modules.get("tensorflow")
            if tensorflow is not None:  # it looks for a GPU once, and complains where none is
                tensorflow.config.list_physical_devices()
    except ModuleNotFoundError as error:
        raise missing(error.name or "?", f"edge-fer {command}") from error
