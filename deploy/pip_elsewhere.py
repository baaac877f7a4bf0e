"""pip that resolves as on another machine: `python -m deploy.pip_elsewhere ENVIRONMENT ARG...`.

ENVIRONMENT is a JSON object of environment markers (PEP 508). pip's own `--python-version` and
`--platform` choose wheels by them, but ask the markers of the Python that runs pip: what only
Python 3.10 needs would be missing on a board that has it.
"""

from __future__ import annotations

import json
import sys


def main(environment: str, *arguments: str) -> int:
    """Run pip; its exit status."""
    from pip._internal.cli.main import main as pip
    from pip._vendor.packaging import markers

    here = markers.default_environment
    there = json.loads(environment)
    markers.default_environment = lambda: {**here(), **there}
    return pip(list(arguments))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
