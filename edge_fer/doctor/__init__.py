"""What this machine has and lacks, each lack with the command that mends it.

Nothing heavy is imported, and what must be tried runs in a child process: a wheel for another
processor ends its process with a signal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_fer.doctor import hardware, packages
from edge_fer.doctor.finding import Finding, State

__all__ = ["Finding", "State", "examine", "fit_to_run", "report"]

MARKS: dict[State, str] = {"ok": "ok", "missing": "MISSING", "warning": "warning", "optional": "-"}


def examine(root: Path = Path("/")) -> list[Finding]:
    """Look at everything; never raises."""
    return [
        *packages.foundation(),
        *packages.runtimes(),
        packages.stick(root),
        packages.blazeface(),
        *packages.workshop(),
        *hardware.cameras(root),
        *hardware.machine(root),
    ]


def fit_to_run(findings: Sequence[Finding]) -> bool:
    """True when nothing that `edge-fer run` needs is missing."""
    return all(finding.state != "missing" for finding in findings)


def report(findings: Sequence[Finding]) -> str:
    """The findings as text, a remedy on a line of its own."""
    width = max(len(finding.topic) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{MARKS[finding.state]:<8} {finding.topic:<{width}}  {finding.text}")
        if finding.remedy:
            lines.append(f"{'':<{width + 11}}$ {finding.remedy}")
    fit = fit_to_run(findings)
    lines.append("edge-fer can run here." if fit else "edge-fer cannot run here yet: see MISSING.")
    return "\n".join(lines)
