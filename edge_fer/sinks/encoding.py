"""Events as bytes: the same on stdout, in files and on every network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_last: tuple[Mapping[str, Any], bytes] = ({}, b"{}\n")


def encode(event: Mapping[str, Any]) -> bytes:
    """One line of ASCII JSON with its line end; raises ValueError for NaN and infinity.

    Several sinks get the same object one after another, and nobody changes an event: the last
    line is kept for them.
    """
    global _last
    known, line = _last
    if known is not event:
        line = json.dumps(event, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        _last = (event, line)
    return line
