"""`--fail-on 'drop>1pp,p90>1.2x'`: what may not have happened between two runs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge_fer.errors import ConfigError

POINTS = ("drop", "agreement", "ece")
"""Figures in percentage points: accuracy lost, agreement lost, calibration error gained."""
RATIOS = ("p50", "p90", "p99", "first", "load", "memory", "size", "energy")
"""Figures as the later run's over the earlier one's: more is worse."""
TIMED = ("p50", "p90", "p99", "first", "load", "energy")
"""Ratios that a slowed processor spoils."""
FORM = re.compile(r"\s*([a-z0-9]+)\s*>\s*(\d+(?:\.\d+)?)\s*(pp|x)\s*")


@dataclass(frozen=True, slots=True)
class Rule:
    """One figure and what it may be at most."""

    figure: str
    most: float
    """A share for points (0.01 is a point), else a ratio."""
    text: str


def rules_of(text: str | None) -> list[Rule]:
    """The rules of a list; raises ConfigError naming the part that is none."""
    return [_rule(part) for part in (text or "").split(",") if text]


def _rule(part: str) -> Rule:
    found = FORM.fullmatch(part)
    if not found:
        raise ConfigError(f"--fail-on {part.strip()!r}: write it as drop>1pp or p90>1.2x")
    figure, number, unit = found.groups()
    known = {"pp": POINTS, "x": RATIOS}[unit]
    if figure not in known:
        raise ConfigError(
            f"--fail-on {part.strip()!r}: in {unit} there are {', '.join(known)}, not {figure!r}"
        )
    most = float(number) / 100 if unit == "pp" else float(number)
    return Rule(figure, most, part.strip())
