import math
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from fakes import MemorySink, fake_bundle, frame_of, scores_of
from prometheus_client.parser import text_string_to_metric_families

from edge_fer.config import RunConfig
from edge_fer.emotions import LABELS, Emotion
from edge_fer.events import Events
from edge_fer.exposition import Counter, Gauge, Histogram
from edge_fer.metrics import CAMERA_STATES, Metrics
from edge_fer.pipeline import Recognition
from edge_fer.types import Box, Face, Prediction

PROMTOOL = shutil.which("promtool")
HOSTILE = 'a"b\\c\nd{e="f"} \u202e<img>'


@pytest.fixture
def events(tmp_path: Path) -> Events:
    config = RunConfig(camera_id="front", purpose="test")
    return Events(config, fake_bundle(tmp_path / "bundle", name=HOSTILE))


def recognition(*emotions: Emotion | None) -> Recognition:
    face = Face(Box(0, 0, 48, 48), 0.9, 1)
    found = tuple(Prediction(face, scores_of(e or Emotion.SAD), e, 0.1) for e in emotions)
    return Recognition(frame_of(), found, len(found), 8.0, 12.0)


def samples(metrics: Metrics) -> dict[str, float]:
    """The values by name and labels, as Prometheus' own parser reads them."""
    return {
        one.name + str(sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(metrics.text())
        for one in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics)[f"edge_fer_{name}{sorted(labels.items())}"]


def test_before_the_first_event_only_the_process_is_measured() -> None:
    families = text_string_to_metric_families(Metrics().text())
    assert {one.name for one in families} == {
        "process_cpu_seconds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    }


def test_labels_come_back_from_the_parser_as_they_were(events: Events) -> None:
    metrics = Metrics()
    metrics.event(events.hello("int8", "fake 1.0", "fake"))
    (info,) = [one for one in text_string_to_metric_families(metrics.text()) if "model" in one.name]
    assert info.samples[0].labels["model"] == HOSTILE
    assert info.samples[0].labels["precision"] == "int8"


def test_every_expression_starts_at_0_and_is_counted(events: Events) -> None:
    metrics = Metrics()
    metrics.event(events.hello("int8", "fake 1.0", "fake"))
    for emotion in (*LABELS, "uncertain"):
        assert value(metrics, "predictions_total", camera="front", emotion=emotion) == 0
    metrics.event(events.update(recognition(Emotion.HAPPY, Emotion.HAPPY, None)))
    counted = {"happy": 2, "uncertain": 1, "sad": 0}
    for emotion, times in counted.items():
        assert value(metrics, "predictions_total", camera="front", emotion=emotion) == times
    assert value(metrics, "faces", camera="front") == 3


def test_every_frame_of_the_camera_is_counted_once(events: Events) -> None:
    metrics = Metrics()
    metrics.event(events.update(recognition()))
    metrics.frame_left_out("front", "too_old")
    metrics.inference_failed("nan")
    metrics.event(events.update(recognition(), dropped=5))
    assert value(metrics, "camera_frames_total", camera="front") == 7
    dropped = "camera_frames_dropped_total"
    assert value(metrics, dropped, camera="front", reason="superseded") == 3
    assert value(metrics, dropped, camera="front", reason="too_old") == 1
    assert value(metrics, "inference_errors_total", reason="nan") == 1


@pytest.mark.parametrize("state", CAMERA_STATES)
def test_exactly_one_state_of_the_camera_is_1(events: Events, state: str) -> None:
    metrics = Metrics()
    metrics.event(events.update(recognition(Emotion.SAD)))
    metrics.event(events.state(state))
    states = {
        one: value(metrics, "camera_state", camera="front", state=one) for one in CAMERA_STATES
    }
    assert states == {one: float(one == state) for one in CAMERA_STATES}
    assert value(metrics, "camera_up", camera="front") == (state == "ok")
    assert value(metrics, "faces", camera="front") == (state == "ok")


def test_durations_fall_into_their_buckets(events: Events) -> None:
    metrics = Metrics()
    metrics.event(events.update(recognition()))
    bucket = "stage_duration_seconds_bucket"
    assert value(metrics, bucket, stage="classify", le="0.01") == 0
    assert value(metrics, bucket, stage="classify", le="0.02") == 1
    assert value(metrics, bucket, stage="classify", le="+Inf") == 1
    assert value(metrics, "stage_duration_seconds_sum", stage="detect") == pytest.approx(0.008)


def test_the_queue_of_every_sink_is_watched(events: Events) -> None:
    metrics, sink = Metrics(), MemorySink("")
    metrics.sink_opened("memory", sink)
    for _ in range(10):
        metrics.event(events.update(recognition()))
    sink.backlog, sink.dropped = 3, 2
    assert value(metrics, "sink_queue_length", sink="memory") == 3
    assert value(metrics, "sink_events_total", sink="memory", result="dropped") == 2
    assert value(metrics, "sink_events_total", sink="memory", result="sent") == 5
    sink.backlog, sink.dropped = 3, 4
    assert value(metrics, "sink_events_total", sink="memory", result="sent") == 5
    metrics.sink_closed(sink)
    assert value(metrics, "sink_up", sink="memory") == 0


def test_one_device_with_one_camera_has_at_most_150_series(events: Events) -> None:
    metrics = Metrics()
    metrics.event(events.hello("int8", "fake 1.0", "fake"))
    metrics.event(events.state("lost"))
    metrics.event(events.update(recognition(*Emotion), dropped=1))
    for name in ("stdout", "jsonl", "mqtt", "ws"):
        metrics.sink_opened(name, MemorySink(""))
    for route in range(9):
        metrics.requests.add(1, str(route), "200")
        metrics.request_duration.observe(0.01, str(route))
    for reason in ("auth", "host", "origin", "size", "rate", "connections", "timeout"):
        metrics.rejected.add(1, reason)
    assert len(samples(metrics)) <= 150


def test_the_names_are_those_that_were_promised() -> None:
    metrics = Metrics()
    assert sorted(family.name for family in metrics._families) == sorted(NAMES.split())


NAMES = """
edge_fer_build_info edge_fer_model_info edge_fer_degraded edge_fer_clock_synchronized
edge_fer_config_last_reload_successful edge_fer_config_last_reload_success_timestamp_seconds
edge_fer_clock_jumps_total edge_fer_watchdog_pings_total edge_fer_engine_restarts_total
edge_fer_soc_temperature_celsius edge_fer_thermal_reading_age_seconds
edge_fer_loop_last_iteration_timestamp_seconds
edge_fer_camera_up edge_fer_camera_state edge_fer_camera_frames_total
edge_fer_camera_frames_dropped_total edge_fer_camera_reopens_total
edge_fer_camera_last_frame_timestamp_seconds edge_fer_frame_age_seconds
edge_fer_stage_duration_seconds edge_fer_faces edge_fer_faces_analyzed_total
edge_fer_predictions_total edge_fer_inference_errors_total
edge_fer_sink_up edge_fer_sink_events_total edge_fer_sink_queue_length
edge_fer_http_requests_total edge_fer_http_request_duration_seconds
edge_fer_http_rejected_total edge_fer_http_clients
process_cpu_seconds_total process_resident_memory_bytes process_open_fds
process_start_time_seconds
"""


def test_counting_from_many_threads_loses_nothing() -> None:
    counter, histogram = Counter("a_total", "A."), Histogram("b", "B.", (1, 2))

    def count() -> None:
        for _ in range(2000):
            counter.add(1)
            histogram.observe(1.5)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(counter.lines())[-1] == "a_total 16000"
    assert list(histogram.lines())[-1] == "b_count 16000"


def test_numbers_are_written_as_the_parser_reads_them() -> None:
    gauge = Gauge("g", "G.", "name")
    numbers = {"a": 0.1, "b": -3, "c": 1e300, "d": math.inf, "e": -math.inf, "f": 1 / 3}
    for name, number in numbers.items():
        gauge.set(number, name)
    gauge.set(math.nan, "nan")
    (family,) = text_string_to_metric_families("\n".join(gauge.lines()) + "\n")
    read = {one.labels["name"]: one.value for one in family.samples}
    assert math.isnan(read.pop("nan"))
    assert read == numbers


@pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed: its lint of the metrics is left out"
)
def test_promtool_has_nothing_to_say(events: Events) -> None:
    metrics = Metrics()
    metrics.event(events.hello("int8", "fake 1.0", "fake"))
    metrics.event(events.update(recognition(Emotion.HAPPY)))
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"],
        input=metrics.text(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
