"""What is done whenever the daemon's loop goes round, with or without a frame."""

from __future__ import annotations

from edge_fer.daemon.analysis import Analysis
from edge_fer.daemon.events import Events
from edge_fer.daemon.pulse import Pulse
from edge_fer.daemon.reload import Reloader
from edge_fer.daemon.service import Service
from edge_fer.daemon.strain import Strain
from edge_fer.daemon.wall_clock import WallClock


class Rounds:
    """At least each 0.2 s, except while the loop is busy with a frame or a camera."""

    def __init__(
        self,
        pulse: Pulse,
        clock: WallClock,
        reloader: Reloader,
        analysis: Analysis,
        events: Events,
        service: Service,
        strain: Strain,
    ) -> None:
        self._pulse, self._clock, self._reloader = pulse, clock, reloader
        self._analysis, self._events, self._service = analysis, events, service
        self._strain = strain
        self._said = ""

    def turn(self) -> None:
        """Once round."""
        self._pulse.beat()
        self._clock.look()
        self._reloader.turn()
        self._analysis.turn()
        self._strain.turn()
        # `edge-fer deploy` waits for the end "frames analysed": a camera alone proves no pipeline,
        # and a fallback is not the bundle that was deployed.
        seen = ", frames analysed" if self._analysis.updates else ""
        by = " by the fallback" if self._analysis.model.fallback else ""
        if self._said != (said := f"camera {self._events.camera_state}{seen}{seen and by}"):
            self._said = said
            self._service.status(said)

    def opening(self) -> None:
        """The loop is about to open a camera, which may take long."""
        self._pulse.beat("camera")
