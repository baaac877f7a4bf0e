"""What systemd is told: sd_notify(3), one datagram a message; without systemd nothing is."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic_ns


class Service:
    """The supervisor of this process, if it has one."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ is the abstract namespace, which begins with a zero byte (unix(7)).
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environment) if address else None
        """Silence in seconds after which it kills us; None is never."""

    def ready(self) -> None:
        """All is open; also the end of a reload."""
        self._send("READY=1")

    def reloading(self) -> None:
        """A reload begins; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic_ns() // 1000}")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={' '.join(text.split())}")

    def alive(self) -> None:
        """One more ping."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A supervisor that cannot listen now must not stop us.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), self._address)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """As sd_watchdog_enabled(3): the period, if it is meant for this process."""
    period, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not period.isdigit() or int(period) == 0 or pid not in ("", str(os.getpid())):
        return None
    return int(period) / 1e6
