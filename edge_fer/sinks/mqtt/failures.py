"""What follows a failed connection: a reason in one line, and a wait before the next attempt."""

from __future__ import annotations

import math
import random
import ssl
from collections.abc import Iterator
from datetime import datetime, timezone

from edge_fer.sinks.mqtt.connection import Unauthorized

RETRY_S = (1.0, 120.0)
"""First and longest wait for another attempt; they double."""
RETURN_S = (1.0, 5.0)
"""The same for a broker that has served us lately: most that go away are being restarted."""
LATELY_S = 300.0
"""For so long a broker that has gone is expected back."""
DENIED_S = (30.0, 300.0)
"""The same after a refusal: a wrong password does not mend itself."""
JITTER = 0.2
"""Share by which a wait varies, so that many devices do not try in step."""
CLOCK_ERRORS = {9, 10}
"""Of OpenSSL: a certificate that is not yet, or no longer, valid."""
CLOCK_S = (5.0, 30.0)
"""First and longest wait where a clock seems to be wrong: the network may set it at any moment."""


class Patience:
    """How long to wait after a failure: longer each time, and longer still after a refusal."""

    def __init__(self) -> None:
        self._lost, self._denied = waits(*RETRY_S), waits(*DENIED_S)
        self._returning, self._timeless = waits(*RETURN_S), waits(*CLOCK_S)

    def after(self, error: Exception, away_s: float = math.inf) -> float:
        """Seconds; `away_s` is how long ago the broker served us, infinite if it never did."""
        if isinstance(error, Unauthorized):
            return next(self._denied)
        if _of_the_clock(error):
            return next(self._timeless)
        return next(self._returning if away_s < LATELY_S else self._lost)


def waits(first: float, longest: float) -> Iterator[float]:
    """Seconds between attempts: doubling, each +-20 %; the longest is never shorter than asked."""
    seconds = first
    while True:
        less = JITTER if seconds < longest else 0.0
        yield seconds * random.uniform(1 - less, 1 + JITTER)
        seconds = min(2 * seconds, longest)


def described(error: Exception) -> str:
    """Why a connection failed, for a person."""
    if isinstance(error, ssl.SSLCertVerificationError):
        today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
        hint = f" (is the clock right? it says {today})" if _of_the_clock(error) else ""
        return f"the certificate is refused: {error.verify_message}{hint}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"{type(error).__name__}: {error}"


def _of_the_clock(error: Exception) -> bool:
    """True for a certificate that another date would make good."""
    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in CLOCK_ERRORS
