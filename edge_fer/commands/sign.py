"""`edge-fer keys` and `edge-fer sign`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def keys(
    name: Annotated[Path, typer.Argument(help="NAME.key is the secret one, NAME.pub the public")],
) -> None:
    """Make a pair of keys: `sign` needs the secret one, boards the public one."""
    from edge_fer.signature import make_keys

    secret, public = name.with_name(name.name + ".key"), name.with_name(name.name + ".pub")
    make_keys(secret, public)
    typer.echo(f"{secret}  keep it here, readable by you alone\n{public}  for every board")


def sign(
    bundles: Annotated[list[Path], typer.Argument(help="Bundle folders")],
    key: Annotated[Path, typer.Option(help="Secret key, made by `edge-fer keys`")],
) -> None:
    """Sign bundles, so that a board with the public key takes no others."""
    from edge_fer.bundle import MANIFEST, open_bundle
    from edge_fer.signature import sign as write

    for folder in bundles:
        open_bundle(folder)  # what is damaged is not signed
        typer.echo(str(write(folder / MANIFEST, key)))
