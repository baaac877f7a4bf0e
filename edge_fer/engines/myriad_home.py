"""The environment of the Intel stick's last runtime: where it lies, what is in it, making it.

openvino 2021.4.2 is the last release on PyPI with the MYRIAD plugin, and it has wheels for Python
3.6 to 3.9 on x86-64 alone. It lives beside edge-fer, with a Python of its own.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from edge_fer.engines.interpreters import find_interpreter, version_of
from edge_fer.errors import ConfigError, MissingExtra, StorageError

VARIABLE = "EDGE_FER_NCS"
"""Environment variable: the folder, where it is not the default one."""
STAMP = "edge-fer-ncs.json"
"""Written last: an environment without it was never finished."""
PYTHONS = ("3.9", "3.8")
RUNTIME = "openvino==2021.4.2"
PACKAGES = (
    RUNTIME,
    "numpy==1.19.5",
    # The rest is for `mo`, which writes the stick's models. Its package names some seventy
    # others, for other kinds of model: these are what it needs for ours.
    "openvino-dev==2021.4.2",
    "networkx==2.8.8",
    "defusedxml==0.7.1",
    "onnx==1.11.0",
    "protobuf==3.20.3",
    "typing_extensions==4.12.2",
)
COMMAND = "edge-fer setup-ncs"
TRIAL = "from openvino.inference_engine import IECore; IECore().get_versions('CPU')"


def home() -> Path:
    """The environment's folder, there or not."""
    named = os.environ.get(VARIABLE)
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return Path(named) if named else Path(data) / "edge-fer" / "ncs"


def python_of(folder: Path) -> Path:
    """The environment's own Python; raises MissingExtra where there is no whole environment."""
    python = folder / "bin" / "python"
    if not (folder / STAMP).is_file() or not python.exists():
        state = "is not whole" if folder.exists() else "is not there"
        raise MissingExtra(
            f"{folder}: the environment of the Intel stick {state}: {COMMAND}, "
            f"or set {VARIABLE} to where it lies"
        )
    return python


def make(folder: Path, python: Path, say: Callable[[str], None]) -> None:
    """A fresh environment in `folder`, whole or not at all; an older one of ours is replaced.

    Raises StorageError for a folder that is something else or cannot be written, and MissingExtra
    where pip cannot bring the packages.
    """
    if folder.exists() and not (folder / STAMP).is_file():
        raise StorageError(f"{folder}: holds something else; choose another --dir")
    scratch = folder.with_name(f".{folder.name}.new{os.getpid()}")
    its_python = str(scratch / "bin" / "python")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        say(f"making {folder} with {python}")
        _run([str(python), "-m", "venv", str(scratch)], f"{python} cannot make an environment")
        say(f"installing {', '.join(PACKAGES)}")
        pip = [its_python, "-m", "pip", "install", "--quiet", "--no-deps"]
        _run([*pip, "--only-binary", ":all:", *PACKAGES], f"pip cannot install {RUNTIME}")
        _run([its_python, "-I", "-c", TRIAL], f"{RUNTIME} is installed but does not start")
        (scratch / STAMP).write_text(json.dumps({"packages": PACKAGES}) + "\n")
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(scratch, folder)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{folder}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def find_python(asked: Path | None) -> Path:
    """A Python that the runtime has wheels for: the one asked for, or the first that is found.

    Raises ConfigError for a wrong machine or a wrong `asked`, MissingExtra where none is found.
    """
    if platform.machine() != "x86_64":
        raise ConfigError(
            f"{RUNTIME} is made for x86-64, not for {platform.machine()}; on a Raspberry Pi the "
            "stick needs Intel's own archive of OpenVINO 2022.3"
        )
    if asked:
        number = version_of(asked)
        if number not in PYTHONS:
            raise ConfigError(f"--python {asked}: is {number or 'no Python'}, need Python 3.9")
        return asked
    for number in PYTHONS:
        if found := find_interpreter(number):
            return found
    raise MissingExtra(
        f"{RUNTIME} needs Python 3.9 and none was found: `uv python install 3.9` or "
        f"`pyenv install 3.9` brings one, then {COMMAND} (or --python PATH)"
    )


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise MissingExtra(f"{failure}: {lines[-1]}")
