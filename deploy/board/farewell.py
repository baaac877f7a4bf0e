"""What MQTT brokers keep of a daemon is cleared as it is removed: its own release does that.

Else Home Assistant would show a device that is gone, for ever.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
from pathlib import Path

from deploy.board import service
from deploy.board.places import CONFIG

NAMED = re.compile(rb"(?m)^[^#\n]*\bmqtt\b")
"""In a configuration: there may be a broker. The release reads it in earnest."""
HANDED = ("EDGE_FER_MQTT_PASSWORD", "CREDENTIALS_DIRECTORY", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables of the daemon by which it came to its secrets."""
UNKNOWN = 2
"""Exit status of a command line that knows no such command."""
UNCLEARED = "warning: MQTT brokers were not cleared of this device"
READ_S, CLEAR_S = 60.0, 60.0
"""For a small board's Python to start, and for what brokers may take."""


class Farewell:
    """Built while the daemon runs, for credentials end with it; said when it has ended.

    A broker that is away, or a release that is broken, stops no removal.
    """

    def __init__(self, generation: Path | None) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._lines: list[str] = []
        try:
            if generation and NAMED.search((generation / CONFIG).read_bytes()):
                self._child = _begun(generation)
        except OSError as error:
            self._lines = [f"{UNCLEARED} ({error})"]

    def say(self) -> list[str]:
        """Clear them now; lines for the person."""
        if self._child is None:
            return self._lines
        try:
            out, err = self._child.communicate("go\n", CLEAR_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
            out, err = "", f"edge-fer forget did not end in {CLEAR_S:.0f} s"
        if self._child.returncode == 0:
            return [line for line in out.splitlines() if line != "ready"]
        why = (err.strip().splitlines() or ["edge-fer forget says nothing"])[-1]
        if self._child.returncode == UNKNOWN:
            why = (
                "its release is too old to do that; what they keep lies below edge_fer/DEVICE/ and "
                "at homeassistant/device/edge_fer_DEVICE/config"
            )
        return [f"{UNCLEARED}: {why.removeprefix('edge-fer: ')}"]


def _begun(generation: Path) -> subprocess.Popen[str]:
    """The release's own program, when it has read its secrets, or has ended."""
    command = [str(generation / "bin" / "edge-fer"), "forget", "--after-line"]
    child = subprocess.Popen(
        [*command, f"--config={generation / CONFIG}"], cwd="/", text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, **_handed(generation)},
    )  # fmt: skip
    assert child.stdout is not None
    select.select([child.stdout], [], [], READ_S)
    return child


def _handed(generation: Path) -> dict[str, str]:
    """Of the running daemon; nothing where none of this generation runs."""
    now = service.look()
    if not now.of(generation):
        return {}
    try:
        raw = Path(f"/proc/{now.pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (os.fsdecode(one).partition("=")[::2] for one in raw.split(b"\0"))
    return {key: value for key, value in pairs if key in HANDED}
