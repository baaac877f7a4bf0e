"""`edge-fer inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def inspect(
    path: Annotated[Path, typer.Argument(help="Bundle folder, or a .tflite, .xml or .onnx file")],
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs")] = False,
) -> None:
    """Say what a bundle or a single model file is: precision, provenance, gate."""
    from edge_fer.inspection import inspect as look
    from edge_fer.inspection.text import lines

    found = look(path)
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=1))
    else:
        typer.echo("\n".join(lines(found)))
