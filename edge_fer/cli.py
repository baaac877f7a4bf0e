"""The command line: the table of commands, and what becomes of their errors."""

from __future__ import annotations

import os
import sys

import typer

from edge_fer.commands import (
    bench,
    cameras,
    convert,
    data,
    deploy,
    doctor,
    evaluate,
    forget,
    inspect,
    run,
    selftest,
    setup_ncs,
    sign,
    train,
)
from edge_fer.errors import EdgeFerError

app = typer.Typer(
    help="Facial-expression recognition on small machines: an expression worn, never a feeling.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    train.train,
    convert.convert,
    cameras.cameras,
    evaluate.evaluate,
    doctor.doctor,
    forget.forget,
    inspect.inspect,
    selftest.selftest,
    setup_ncs.setup_ncs,
    sign.keys,
    sign.sign,
):
    app.command()(command)
app.command(cls=run.Command)(run.run)
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench", help="Measure bundles, the baseline, boards and peers.")
app.add_typer(deploy.app, name="deploy", help="Bring edge-fer to boards, and take it back.")

DEBUG = "EDGE_FER_DEBUG"
"""Environment variable: set, an internal error shows its traceback."""


def main() -> None:
    """Run the command line; every foreseen fault is one line on stderr and its exit status."""
    try:
        app()
    except EdgeFerError as error:
        _end(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)
    except OSError as error:
        if os.environ.get(DEBUG):
            raise
        _end(f"{error.filename or 'output'}: {error.strerror or error}", 74)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        _end(f"internal error: {type(error).__name__}: {error} ({DEBUG}=1 shows where)", 70)


def _end(line: str, status: int) -> None:
    print(f"edge-fer: {' '.join(line.split())}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
