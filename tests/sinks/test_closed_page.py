"""What a page that was closed leaves behind; and what windows tell of a frame."""

from pathlib import Path

from fakes import fake_bundle, frame_of, scores_of

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.emotions import Emotion
from edge_fer.pipeline import Recognition
from edge_fer.sinks.http import Http
from edge_fer.sinks.setting import Setting
from edge_fer.telemetry.metrics import Metrics
from edge_fer.types import Box, Face, Prediction


def test_a_closed_page_is_not_asked_for_temperatures_any_more() -> None:
    metrics = Metrics()
    before = list(metrics._before)
    for _ in range(3):
        Http("0", Setting(metrics=metrics)).close()
    assert metrics._before == before


def frames(folder: Path, faces: int) -> str:
    """All metrics about frames, after one of which nobody is told."""
    bundle, metrics = fake_bundle(folder / f"bundle{faces}"), Metrics()
    events = Events(RunConfig(bundle=bundle.path, aggregate_s=10), bundle)
    face = Prediction(Face(Box(0, 0, 20, 20), 0.9, 1), scores_of(Emotion.HAPPY), Emotion.HAPPY, 0.1)
    # A classification that took a quarter of a second a face, up to now.
    frame = frame_of()
    late = frame_of(captured=frame.captured - 0.25 * faces)
    recognition = Recognition(late, (face,) * faces, faces, 2.0, 250.0 * faces)
    metrics.count(events.unsaid(recognition))
    assert metrics.analysed() == 1
    return "\n".join(line for line in metrics.text().splitlines() if "_frame" in line)


def test_no_time_of_a_frame_tells_whether_somebody_was_there(tmp_path: Path) -> None:
    assert frames(tmp_path, 0) == frames(tmp_path, 3)
    told = frames(tmp_path, 1)
    assert "edge_fer_frame_age_seconds_count" not in told
    assert "edge_fer_camera_last_frame_timestamp_seconds{" in told
