"""What comes from the workstation, checked byte by byte, and laid beside what runs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deploy.board.places import (
    CONFIG,
    READY,
    UNIT,
    Places,
    discard,
    make_folder,
    new_folder,
    plain,
    sync_all,
    write,
    write_config,
)
from deploy.board.refusal import Refusal
from deploy.board.shelf import Shelf
from deploy.board.talk import Talk

MARGIN = 64 << 20
"""Bytes that stay free: the system itself must go on."""
LONGEST_S = 1800
"""A slow card compiles OpenCV's and NumPy's modules for minutes."""
TRUSTED = "trusted.pub"
BUNDLE = "bundle+"
"""Before the name of a bundle's file, on its way; all others are wheels."""


class Store:
    """Releases, bundles and generations: each is whole, or is not there."""

    def __init__(self, places: Places, talk: Talk, lock: int) -> None:
        self._places, self._talk, self._lock = places, talk, lock
        self._shelf = Shelf(places)
        # As intel-stick.conf says it to the service.
        self._around = {**os.environ, "LC_ALL": "C.UTF-8", "EDGE_FER_NCS": str(places.stick)}

    def lacks(self, plan: dict[str, Any]) -> list[dict[str, Any]]:
        """The files of the plan that must be sent; raises Refusal where they would not fit."""
        wanted: list[dict[str, Any]] = []
        grown = 0
        if not (self._release(plan) / READY).is_file():
            wanted += [file for file in plan["release"]["files"] if not self._shelf.has(file)]
            grown += plan["release"]["installed"]
        if not self._bundle(plan).is_dir():
            wanted += plan["bundle"]["files"]
        needed = grown + sum(file["size"] for file in wanted) + MARGIN
        free = free_bytes(self._places.home)
        if wanted and free < needed:
            raise Refusal(
                "disk",
                f"{self._places.home} needs {_mb(needed)} MB, {_mb(free)} MB are free; "
                "nothing was sent",
            )
        return wanted

    def receive(self, files: Iterable[dict[str, Any]]) -> None:
        """Take them in their order; raises Interrupted, or Refusal for one that arrived altered.

        Wheels that came whole stay: cut off, the next deploy goes on with those that lack.
        """
        discard(self._places.incoming)
        make_folder(self._places.incoming)
        for file in files:
            arrived = self._places.incoming / plain(file["name"])
            self._receive(arrived, file["size"], file["sha256"])
            if not file["name"].startswith(BUNDLE):
                self._shelf.put(file, arrived)

    def install(self, plan: dict[str, Any]) -> Path:
        """The release in an environment of its own; nothing is done where it is there."""
        folder, release = self._release(plan), plan["release"]
        if (folder / READY).is_file():
            return folder
        discard(folder)
        make_folder(folder.parent)
        python = folder / "bin" / "python"
        made = [release["python"], "-m", "venv", "--without-pip", str(folder)]
        self._run([*made, *(["--system-site-packages"] if release["system_packages"] else [])])
        wheels = [str(self._shelf.place(file)) for file in release["files"]]
        pip = next(wheel for wheel in wheels if Path(wheel).name.startswith("pip-"))
        # A wheel is a zip file: pip runs out of its own.
        self._run(
            [str(python), f"{pip}/pip", "install", "--quiet", "--no-index", "--no-deps",
             "--no-cache-dir", "--disable-pip-version-check", "--root-user-action=ignore",
             "--ignore-installed", *(wheel for wheel in wheels if wheel != pip)]
        )  # fmt: skip
        sync_all(folder)
        write(folder / READY, json.dumps(release).encode())
        return folder

    def lay_bundle(self, plan: dict[str, Any]) -> Path:
        """The bundle's folder, which nobody but root can write."""
        folder = self._bundle(plan)
        if not folder.is_dir():
            with new_folder(folder) as scratch:
                for file in plan["bundle"]["files"]:
                    target = scratch / file["name"].removeprefix(BUNDLE)
                    os.replace(self._places.incoming / file["name"], target)
                    target.chmod(0o644)
        return folder

    def lay_generation(self, plan: dict[str, Any], number: int) -> Path:
        """The folder that names all the others; its unit holds their true paths, no links.

        So a daemon that is started again while `current` moves is the old one or the new one.
        """
        release, bundle = self._release(plan), self._bundle(plan)
        told = plan["generation"]
        folder = self._places.generations / str(number)
        with new_folder(folder) as scratch:
            start = f"{release}/bin/edge-fer run --config {folder}/{CONFIG} --bundle {bundle}"
            if told["trusted"] is not None:
                write(scratch / TRUSTED, told["trusted"].encode())
                start += f" --trusted-key {folder}/{TRUSTED}"
            unit = re.sub(r"(?m)^ExecStart=.*$", lambda _: f"ExecStart={start}", told["unit"])
            write(scratch / UNIT, unit.encode())
            write_config(scratch / CONFIG, told["config"].encode())
            write(scratch / "generation.json", json.dumps(recorded(plan), indent=1).encode())
            os.symlink(f"../../releases/{release.name}/bin", scratch / "bin")
            os.symlink(f"../../bundles/{bundle.name}", scratch / "bundle")
        return folder

    def prove(self, generation: Path) -> str:
        """Let the new release answer the bundle's own faces and see one frame, beside what runs.

        Gives the selftest's line; raises Refusal with the release's own last line. The
        configuration is its own, but for camera and sinks, which the running daemon may hold, and
        for the fallback, which would answer in place of a bundle that is refused.
        """
        record = json.loads((generation / "generation.json").read_bytes())
        scratch = self._places.workshop / "proof"
        discard(scratch)
        make_folder(scratch)
        flags: dict[str, object] = {"config": generation / CONFIG, "bundle": generation / "bundle"}
        flags["fallback"] = generation / "bundle"
        flags |= {"camera": "synthetic:", "events": "1", "state-dir": scratch, "log": "text"}
        if record.get("prove_device"):
            flags["device"] = record["prove_device"]
        if (generation / TRUSTED).is_file():
            flags["trusted-key"] = generation / TRUSTED
        command = [str(generation / "bin" / "edge-fer"), "run", "--selftest"]
        command += [f"--{key}={value}" for key, value in flags.items()]
        try:
            done = self._run([*command, *(f"--sink={sink}" for sink in record["prove_sinks"])])
        finally:
            discard(scratch)
        return next((line for line in done.stderr.splitlines() if "selftest of" in line), "")

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """To its end. It holds the lock: were we killed, nobody else would begin before it ends."""
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd="/",
            timeout=LONGEST_S, pass_fds=(self._lock,), env=self._around,
        )  # fmt: skip
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "it says nothing").splitlines()
            if "No space left on device" in done.stderr:
                raise Refusal("disk", "the board's disk is full")
            line = said[-1].removeprefix("edge-fer: ")
            raise Refusal("refused", f"{Path(command[0]).name} {command[1]}: {line}")
        return done

    def _release(self, plan: dict[str, Any]) -> Path:
        return self._places.releases / plain(plan["release"]["name"])

    def _bundle(self, plan: dict[str, Any]) -> Path:
        return self._places.bundles / plain(plan["bundle"]["name"])

    def _receive(self, path: Path, size: int, sha256: str) -> None:
        hashed = hashlib.sha256()
        with path.open("xb") as file:
            while size > 0:
                part = self._talk.take(size)
                size -= len(part)
                hashed.update(part)
                file.write(part)
        if hashed.hexdigest() != sha256:
            raise Refusal("broken", f"{path.name} arrived altered; deploy again")


def recorded(plan: dict[str, Any]) -> dict[str, Any]:
    """What a generation remembers of its plan."""
    names = {"release": plan["release"]["name"], "bundle": plan["bundle"]["name"]}
    return {**plan["generation"]["record"], **names}


def free_bytes(path: Path) -> int:
    """Where this path lies, or would lie."""
    return shutil.disk_usage(next(one for one in (path, *path.parents) if one.exists())).free


def _mb(count: int) -> int:
    return count >> 20
