"""Events as bytes: the same on stdout, in files and on every network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def encode(event: Mapping[str, Any]) -> bytes:
    """One line of ASCII JSON with its line end; raises ValueError for NaN and infinity."""
    return json.dumps(event, separators=(",", ":"), allow_nan=False).encode() + b"\n"
