"""Two real releases that take turns on a booted Debian, and whether it is ever a mix."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import Machine

Deploy = Callable[..., subprocess.CompletedProcess[str]]
CHECK = Path(__file__).with_name("consistent.py")
SETTLE_S = 600


class Turns:
    """Two real releases, bundles and configurations that take turns."""

    def __init__(
        self, machine: Machine, deploy: Deploy, wheels: dict[str, Path], bundles: list[Path]
    ) -> None:
        self.machine, self._deploy = machine, deploy
        first = wheels["now"].name.split("-")[1]
        self._all = {
            first: ("one", wheels["now"], bundles[0]),
            "99.1": ("two", wheels["next"], bundles[1]),
        }
        self.counts: Counter[str] = Counter()

    def seen(self) -> dict[str, Any]:
        """What is linked and runs; fails where it is a mix."""
        pid = self.machine.say("systemctl show edge-fer --value --property MainPID")
        done = subprocess.run(
            ["ssh", "-F", self.machine.ssh_config, "board", f"python3 - {pid}"],
            input=CHECK.read_bytes(), capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def settled(self) -> str:
        """What runs, once nothing is left unfinished."""
        end = time.monotonic() + SETTLE_S
        while (now := self.seen())["unfinished"] or now["running"] != now["linked"]:
            assert time.monotonic() < end, now
            time.sleep(0.5)
        assert now["parts"] == []
        version: str = now["version"]
        return version

    def bring(self, version: str, faults: str = "") -> subprocess.CompletedProcess[str]:
        name, wheel, bundle = self._all[version]
        return self._deploy(
            "board", f"--bundle={bundle}", f"--wheel={wheel}", faults=faults, name=name
        )

    def other(self, version: str) -> str:
        return next(one for one in self._all if one != version)
