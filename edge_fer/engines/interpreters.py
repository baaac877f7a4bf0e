"""Other Pythons on this machine, for what needs an older or newer one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

HOMES = {
    "PYENV_ROOT": ("~/.pyenv", "versions/{number}.*/bin/python{number}"),
    "UV_PYTHON_INSTALL_DIR": ("~/.local/share/uv/python", "cpython-{number}.*/bin/python{number}"),
}
"""Environment variable to its default and to where a Python lies below it."""
TRIAL_S = 30.0


def find_interpreter(number: str) -> Path | None:
    """A Python of a version such as `3.9` that starts: on the PATH, by pyenv or by uv."""
    return next((p for p in _candidates(number) if version_of(p) == number), None)


def version_of(python: Path) -> str:
    """`3.9` of a Python that starts, else the empty text (as for a pyenv shim without one)."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-c", question], capture_output=True, text=True, timeout=TRIAL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _candidates(number: str) -> Iterator[Path]:
    on_path = shutil.which(f"python{number}")
    if on_path:
        yield Path(on_path)
    for variable, (default, pattern) in HOMES.items():
        home = Path(os.environ.get(variable) or os.path.expanduser(default))
        yield from sorted(home.glob(pattern.format(number=number)))
