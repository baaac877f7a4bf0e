import math
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from fakes import MemorySink, fake_bundle, frame_of, scores_of
from prometheus_client.parser import text_string_to_metric_families

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.daemon.model import open_model
from edge_fer.emotions import LABELS, Emotion
from edge_fer.engines import ENGINES
from edge_fer.errors import BundleError
from edge_fer.pipeline import Recognition
from edge_fer.telemetry.exposition import Counter, Family, Gauge, Histogram
from edge_fer.telemetry.metrics import CAMERA_STATES, Metrics
from edge_fer.types import Box, Face, Prediction

PROMTOOL = shutil.which("promtool")
RULES = Path(__file__).parent.parent / "deploy" / "prometheus" / "edge-fer.rules.yml"
with_promtool = pytest.mark.skipif(
    PROMTOOL is None,
    reason="promtool is not installed (Debian: prometheus): its checks are left out",
)
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


def test_a_refused_bundle_is_counted_by_its_reason(tmp_path: Path) -> None:
    metrics, path = Metrics(), fake_bundle(tmp_path / "b").path
    (path / "m.tflite").write_bytes(b"y")
    spare = fake_bundle(tmp_path / "spare").path
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "tflite", "fakes:FakeEngine")
        open_model(RunConfig(bundle=path, fallback=spare), metrics)
        with pytest.raises(BundleError):
            open_model(RunConfig(bundle=path), metrics)
    assert value(metrics, "model_rejected_total", reason="hash") == 1


def test_a_frame_that_came_is_a_turn_of_the_capture_loop_and_its_decoding_is_timed() -> None:
    metrics = Metrics(lambda: 1.8e9)
    metrics.frame_taken(0.004)
    metrics.frame_taken(None)
    assert value(metrics, "loop_last_iteration_timestamp_seconds", loop="capture") == 1.8e9
    assert value(metrics, "stage_duration_seconds_count", stage="decode") == 1


def test_before_the_first_event_only_the_program_itself_is_measured() -> None:
    families = text_string_to_metric_families(Metrics().text())
    assert {one.name for one in families} == {
        "edge_fer_config_last_reload_successful",
        "edge_fer_config_last_reload_success_timestamp_seconds",
        "process_cpu_seconds",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
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
    assert value(metrics, bucket, stage="classify", le="0.005") == 0
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
    metrics.stages.observe(0.001, "publish")
    for name in ("stdout", "mqtt", "ws"):
        metrics.sink_opened(name, Watched())
    for route in ("/", "/healthz", "/metrics", "/api/v1/latest", "/api/v1/config"):
        metrics.requests.add(1, route, "200")
        metrics.request_duration.observe(0.01, route)
    for kind in ("sse", "ws"):
        metrics.clients.add(1, kind)
    for loop in ("capture", "infer", "publish", "http"):
        metrics.loops.set(1, loop)
    for flag in ("under_voltage", "freq_capped", "throttled", "soft_temp_limit"):
        metrics.power.set(0, flag)
    metrics.pings.add(1)
    metrics.temperature.set(50, "cpu-thermal")
    metrics.temperature_age.set(1)
    assert len(samples(metrics)) <= 150


class Watched(MemorySink):
    """A sink that tells all that a sink may tell."""

    capacity, failed, reconnects, last_success = 256, 1, 2, 1000.5

    def __init__(self) -> None:
        super().__init__("")


def test_a_sink_that_tells_more_is_asked_for_it() -> None:
    metrics = Metrics()
    metrics.sink_opened("mqtt", Watched())
    metrics.sink_opened("stdout", MemorySink(""))
    assert value(metrics, "sink_queue_capacity", sink="mqtt") == 256
    assert value(metrics, "sink_reconnects_total", sink="mqtt") == 2
    assert value(metrics, "sink_last_success_timestamp_seconds", sink="mqtt") == 1000.5
    assert value(metrics, "sink_events_total", sink="mqtt", result="failed") == 1
    assert metrics.text().count('sink="stdout"') == 5  # up, length, sent, dropped, failed


def window(faces: int | None) -> dict[str, Any]:
    """An event of the aggregate mode; None is a suppressed one."""
    told = {"happy": 0.75, "sad": 0.25} if faces else None
    head = {"type": "aggregate", "camera": "front", "clock_synced": True, "window_s": 60.004}
    return {**head, "n_faces": faces, "distribution": told, "suppressed": faces is None}


def test_a_window_is_counted_but_never_what_a_suppressed_one_held(events: Events) -> None:
    metrics = Metrics()
    metrics.sink_opened("memory", MemorySink(""))
    metrics.event(events.hello("int8", "fake 1.0", "fake"))
    metrics.count({**events.update(recognition(Emotion.HAPPY)), "faces": [], "faces_total": 0})
    metrics.event(window(None))
    metrics.event(window(0))
    assert value(metrics, "suppressed_windows_total", reason="k") == 1
    assert value(metrics, "camera_frames_total", camera="front") == 1
    assert value(metrics, "predictions_total", camera="front", emotion="happy") == 0
    metrics.event(window(8))
    assert value(metrics, "predictions_total", camera="front", emotion="happy") == 6
    assert value(metrics, "predictions_total", camera="front", emotion="sad") == 2
    assert value(metrics, "faces_analyzed_total", camera="front") == 8
    assert value(metrics, "sink_events_total", sink="memory", result="sent") == 4


def test_what_a_closed_sink_lost_stays_counted(events: Events) -> None:
    metrics, sink = Metrics(), Watched()
    metrics.sink_opened("mqtt", sink)
    sink.dropped, sink.backlog = 3, 7
    metrics.sink_gone(sink)
    assert value(metrics, "sink_events_total", sink="mqtt", result="dropped") == 3
    assert value(metrics, "sink_events_total", sink="mqtt", result="failed") == 1
    assert value(metrics, "sink_queue_length", sink="mqtt") == 0
    assert value(metrics, "sink_reconnects_total", sink="mqtt") == 2


def test_a_reason_that_has_gone_is_0(events: Events) -> None:
    metrics = Metrics()
    metrics.event({**events.state("ok"), "degraded": ["thermal", "camera"]})
    assert value(metrics, "degraded", reason="thermal") == 1
    metrics.event({**events.state("ok"), "degraded": ["camera"]})
    assert value(metrics, "degraded", reason="thermal") == 0
    assert value(metrics, "degraded", reason="camera") == 1


def test_a_refused_configuration_leaves_the_time_of_the_last_good_one() -> None:
    now = [100.0]
    metrics = Metrics(lambda: now[0])
    now[0] = 200.0
    metrics.reloaded(False)
    assert samples(metrics)["edge_fer_config_last_reload_successful[]"] == 0
    at = "edge_fer_config_last_reload_success_timestamp_seconds[]"
    assert samples(metrics)[at] == 100
    metrics.reloaded(True)
    assert samples(metrics)[at] == 200


def test_the_names_and_labels_are_those_that_were_promised() -> None:
    promised = (Path(__file__).parent / "metrics.golden").read_text().split("\n")
    named = [f"{one.kind} {one.name} {' '.join(one.label_names)}".strip() for one in families()]
    assert sorted(named) == sorted(filter(None, promised))


def families() -> list[Family]:
    return Metrics()._families


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


@with_promtool
def test_promtool_has_nothing_to_say(events: Events) -> None:
    metrics = Metrics()
    metrics.event(events.hello("int8", "fake 1.0", "fake"))
    metrics.event(events.update(recognition(Emotion.HAPPY)))
    for family in metrics._families:  # every family has a value
        give = family.observe if isinstance(family, Histogram) else family.set
        if not family._series():
            give(1, *family.label_names)
    done = promtool("check", "metrics", text=metrics.text())
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_alerts_read_metrics_that_exist() -> None:
    _, *alerts = RULES.read_text().split("- alert: ")
    named = {one.name for one in families()}
    for alert in alerts:
        expression = alert.partition("expr:")[2].partition("labels:")[0]
        read = set(re.findall(r"\b(?:edge_fer|process)_\w+", expression))
        assert read
        assert read <= named, alert
    assert len(alerts) >= 5


@with_promtool
def test_promtool_accepts_the_alerts_and_they_fire() -> None:
    assert promtool("check", "rules", str(RULES)).returncode == 0
    done = promtool("test", "rules", str(RULES.with_suffix("").with_suffix(".test.yml")))
    assert done.returncode == 0, done.stdout + done.stderr


def promtool(*args: str, text: str = "") -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None
    return subprocess.run(
        [PROMTOOL, *args], input=text, capture_output=True, text=True, timeout=60, check=False
    )
