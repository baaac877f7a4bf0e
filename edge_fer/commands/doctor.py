"""`edge-fer doctor`."""

from __future__ import annotations

import typer


def doctor() -> None:
    """Say what this machine has, what is missing, and the command that mends it."""
    from edge_fer.doctor import examine, fit_to_run, report

    findings = examine()
    typer.echo(report(findings))
    raise typer.Exit(0 if fit_to_run(findings) else 1)
