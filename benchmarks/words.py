"""How figures are written: the same words in Markdown and on the page."""

from __future__ import annotations

from edge_fer.statistics import Interval

NOT_MEASURED = "not measured"
TIMES, MINUS = "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"


def number(value: float) -> str:
    """Three significant digits or so, never an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def times(ratio: float) -> str:
    """A ratio, such as `3.2×`."""
    return f"{ratio:.1f}{TIMES}" if ratio >= 10 else f"{ratio:.2f}{TIMES}"


def percent(share: float) -> str:
    """A share with one decimal, such as `71.4 %`."""
    return f"{100 * share:.1f} %"


def percent_range(interval: Interval) -> str:
    """The bounds of a share."""
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{signed(difference)} points"


def points_range(interval: Interval) -> str:
    """The bounds of a difference of shares."""
    return f"{signed(interval.low)} to {signed(interval.high)}"


def megabytes(size: float) -> str:
    """Bytes as MB of a million."""
    return f"{number(size / 1e6)} MB"


def p_value(p: float) -> str:
    """A p-value; a tiny one as a bound."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def signed(share: float) -> str:
    """A difference of shares in hundredths, with its sign."""
    rounded = round(100 * share, 2)
    sign = MINUS if rounded < 0 else "+" if rounded > 0 else "±"
    return f"{sign}{abs(rounded):.2f}"
