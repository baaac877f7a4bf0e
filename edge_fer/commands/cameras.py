"""`edge-fer cameras`."""

from __future__ import annotations

from typing import Annotated

import typer


def cameras(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for programs")] = False,
) -> None:
    """List the cameras of this machine with their formats, sizes and frame rates."""
    import json
    from dataclasses import asdict

    from edge_fer.cameras.listing import cameras as found

    listed = found()
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in listed], indent=2))
    elif listed:
        typer.echo("\n".join(line for one in listed for line in one.lines()))
    else:
        typer.echo(
            "no camera found: connect one, or try without: --camera synthetic:faces=1; "
            "network cameras (stream:) are not looked for"
        )
