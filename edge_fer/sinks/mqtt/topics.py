"""Topics and messages: where a device speaks, and what is handed to the broker."""

from __future__ import annotations

from dataclasses import dataclass

HOME_ASSISTANT = "homeassistant/status"
"""Home Assistant says `online` here when it has started."""
ONLINE, OFFLINE = b"online", b"offline"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to publish."""

    topic: str
    payload: bytes
    retain: bool = True
    qos: int = 0
    """0: handed to the network; 1: answered by the broker."""
    expiry_s: int | None = None
    """Seconds after which an MQTT 5 broker throws it away; None is never."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one device with one camera."""

    device: str
    camera: str

    @property
    def client(self) -> str:
        """The client's id: stable, so that a broker ends the old connection before the new one."""
        return f"edge_fer_{self.device}"

    @property
    def availability(self) -> str:
        """`online` or, as the will, `offline`: the device."""
        return f"edge_fer/{self.device}/availability"

    @property
    def camera_availability(self) -> str:
        """`online` while the camera gives frames."""
        return f"{self._camera}/availability"

    @property
    def state(self) -> str:
        """What the camera sees now."""
        return f"{self._camera}/state"

    @property
    def event(self) -> str:
        """Every event, never retained."""
        return f"{self._camera}/event"

    @property
    def enabled(self) -> str:
        """Inbound: `ON` or `OFF`."""
        return f"{self._camera}/enabled/set"

    @property
    def diagnostics(self) -> str:
        """How the device is."""
        return f"edge_fer/{self.device}/diagnostics"

    @property
    def discovery(self) -> str:
        """Read by Home Assistant alone."""
        return f"homeassistant/device/{self.client}/config"

    @property
    def retained(self) -> tuple[str, ...]:
        """All that a broker keeps; the first is what makes Home Assistant show a device."""
        return (
            self.discovery, self.state, self.diagnostics, self.camera_availability,
            self.availability,
        )  # fmt: skip

    @property
    def _camera(self) -> str:
        return f"edge_fer/{self.device}/{self.camera}"
