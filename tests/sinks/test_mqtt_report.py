import json
from itertools import pairwise
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import Any

import pytest
from fakes import SIDE, FakeDetector, FakeEngine, face_at, fake_bundle, frame_of

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.emotions import LABELS
from edge_fer.pipeline import Recognizer
from edge_fer.sinks.mqtt.board import board
from edge_fer.sinks.mqtt.connection import Unauthorized
from edge_fer.sinks.mqtt.discovery import announcement
from edge_fer.sinks.mqtt.failures import DENIED_S, LATELY_S, RETRY_S, Patience, waits
from edge_fer.sinks.mqtt.outbox import BYTES, EVENTS, Outbox
from edge_fer.sinks.mqtt.report import Report
from edge_fer.sinks.mqtt.settings import Settings
from edge_fer.sinks.mqtt.topics import Topics

STATE, HEALTH = "edge_fer/pi-hall/front/state", "edge_fer/pi-hall/diagnostics"
AVAILABLE, CAMERA = "edge_fer/pi-hall/availability", "edge_fer/pi-hall/front/availability"
DISCOVERY = "homeassistant/device/edge_fer_pi-hall/config"
TOPICS = Topics("pi-hall", "front")

# The words of Home Assistant's documentation of MQTT device discovery, as of November 2026.
DEVICE_KEYS = {
    *("ids", "cns", "mf", "mdl", "mdl_id", "name", "hw", "sw", "sn", "sa", "cu", "via_device"),
}
ORIGIN_KEYS = {"name", "sw", "url"}
ROOT_KEYS = {"dev", "o", "cmps", "qos", "state_topic", "command_topic", "encoding"}
SHARED = {
    *("p", "unique_id", "name", "icon", "device_class", "entity_category", "enabled_by_default"),
    *("availability", "availability_mode", "state_topic", "value_template", "qos"),
}
SENSOR = {"options", "state_class", "unit_of_measurement", "suggested_display_precision"}
COMPONENT_KEYS = {
    "sensor": SHARED | SENSOR | {"expire_after"},
    "binary_sensor": SHARED | {"payload_on", "payload_off", "off_delay", "expire_after"},
    "switch": SHARED | {"command_topic", "payload_on", "payload_off", "optimistic", "retain"},
}


class Day:
    """A report with a clock that the test moves."""

    def __init__(self, tmp_path: Path, **options: Any) -> None:
        config = RunConfig(device="pi-hall", camera_id="front", purpose="art")
        self.now = 1000.0
        self._events = Events(config, fake_bundle(tmp_path / "bundle"))
        hello = self._events.hello("int8", "fake 1.0", "haar")
        readings = {"temp_c": 61.2, "under_voltage": "OFF"}
        self.analysed = 0
        self.report = Report(
            Settings(host="broker", **options), hello, lambda: readings, lambda: self.analysed
        )
        self.report.take(hello, self.now)

    def state(self, name: str) -> None:
        self.report.take(self._events.state(name), self.now)

    def strained(self, *reasons: str) -> None:
        self.report.take(self._events.strained(*reasons), self.now)

    def update(self, faces: int) -> None:
        detector = FakeDetector([face_at(0, 0, 32)] * faces)
        recognition = Recognizer(detector, FakeEngine(), SIDE).recognize(frame_of())
        self.analysed += 1
        self.report.take(self._events.update(recognition), self.now)

    def due(self, after: float = 0.0) -> dict[str, bytes]:
        self.now += after
        return {message.topic: message.payload for message in self.report.due(self.now)}

    def told(self, after: float = 1.0) -> dict[str, Any]:
        """The state that is due now."""
        read: dict[str, Any] = json.loads(self.due(after)[STATE])
        return read


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path)


def test_everything_is_said_at_once_and_discovery_first(day: Day) -> None:
    assert list(day.due()) == [DISCOVERY, AVAILABLE, CAMERA, STATE, HEALTH]
    assert day.due() == {}


def test_online_and_the_diagnostics_are_said_again_each_minute(day: Day) -> None:
    day.due()
    assert set(day.due(59)) == {STATE}
    assert set(day.due(1)) == {AVAILABLE, HEALTH}


def test_a_state_is_said_again_after_thirty_seconds(day: Day) -> None:
    day.due()
    assert day.due(29.9) == {}
    assert set(day.due(0.1)) == {STATE}


def test_a_changing_state_is_said_once_a_second(day: Day) -> None:
    day.state("ok")
    said = []
    for i in range(100):
        day.update(i % 2)
        said += [day.now for topic in day.due(0.1) if topic == STATE]
    assert len(said) == 10
    assert all(later - sooner >= 0.99 for sooner, later in pairwise(said))


def test_a_face_is_told_in_percent(day: Day) -> None:
    day.state("ok")
    day.update(2)
    assert day.told() == {
        "emotion": "happy",
        "score": 70.0,
        "faces": 2,
        "occupied": "ON",
        "camera_state": "ok",
        "problem": "OFF",
        "enabled": "ON",
    }


def test_without_a_face_the_expression_is_none_and_never_the_last_one(day: Day) -> None:
    day.state("ok")
    day.update(1)
    day.update(0)
    told = day.told()
    assert (told["emotion"], told["score"], told["occupied"]) == ("none", None, "OFF")


@pytest.mark.parametrize("state", ["lost", "stalled", "disabled"])
def test_c2_a_camera_that_gives_nothing_shows_nobody(day: Day, state: str) -> None:
    day.state("ok")
    day.update(1)
    day.state(state)
    said = day.due()
    assert said[CAMERA] == b"offline"
    assert json.loads(said[STATE])["emotion"] == "none"
    assert json.loads(said[STATE])["problem"] == ("OFF" if state == "disabled" else "ON")


def test_what_was_seen_long_ago_is_not_repeated(day: Day) -> None:
    day.state("ok")
    day.update(1)
    assert day.told()["emotion"] == "happy"
    assert day.told(30)["emotion"] == "none"


def test_the_camera_is_available_while_it_is_ok(day: Day) -> None:
    assert day.due()[CAMERA] == b"offline"
    day.state("ok")
    assert day.due()[CAMERA] == b"online"


def aggregate(**options: Any) -> dict[str, Any]:
    shares = {"happy": 0.75, "sad": 0.25}
    window = {"window_s": 60, "n_faces": 8, "distribution": shares, "suppressed": False}
    return {"type": "aggregate", "uptime_s": 1.0, **window, **options}


def test_a_window_is_told_by_its_commonest_expression(day: Day) -> None:
    day.state("ok")
    day.report.take(aggregate(), day.now)
    assert (day.told()["emotion"], day.told(60)["score"]) == ("happy", 75.0)


def test_where_only_windows_are_told_the_frame_rate_is_the_true_one(day: Day) -> None:
    day.state("ok")
    assert json.loads(day.due()[HEALTH])["fps"] is None
    for _ in range(120):
        day.analysed += 15
        day.due(1.0)
    day.report.take(aggregate(), day.now)
    day.report.renew()
    assert json.loads(day.due()[HEALTH])["fps"] == 15.0


def test_a_window_without_a_face_is_told_as_nobody(day: Day) -> None:
    day.state("ok")
    day.report.take(aggregate(n_faces=0, distribution=None), day.now)
    assert (day.told()["emotion"], day.told(60)["faces"]) == ("none", 0)


def test_a_suppressed_window_is_told_as_nobody(day: Day) -> None:
    day.state("ok")
    hidden = aggregate(suppressed=True, n_faces=None, distribution=None)
    day.report.take(hidden, day.now)
    assert (day.told()["emotion"], day.told(60)["faces"]) == ("none", 0)


def test_the_diagnostics_say_how_the_device_is(day: Day) -> None:
    day.state("ok")
    for _ in range(300):
        day.now += 0.1
        day.update(0)
    day.state("lost")
    health = json.loads(day.due()[HEALTH])
    assert health["fps"] == pytest.approx(10, abs=0.2)
    assert (health["degraded"], health["purpose"]) == (["camera"], "art")
    assert (health["temp_c"], health["under_voltage"]) == (61.2, "OFF")
    assert set(health) > {"uptime_s", "version"}


def test_p3_what_strains_the_device_is_said_at_once_not_after_a_minute(day: Day) -> None:
    day.state("ok")
    assert json.loads(day.due()[HEALTH])["degraded"] == []
    day.strained("power")
    assert json.loads(day.due(1.0)[HEALTH])["degraded"] == ["power"]
    day.strained("power")
    assert HEALTH not in day.due(1.0)
    day.strained()
    assert json.loads(day.due(1.0)[HEALTH])["degraded"] == []


def test_s9_home_assistant_is_answered_once_after_one_to_five_seconds(day: Day) -> None:
    day.due()
    for _ in range(20):
        day.report.greeted(day.now)
        assert DISCOVERY not in day.due(0.99)
        day.report.greeted(day.now)
        assert set(day.due(4.01)) == {DISCOVERY, AVAILABLE, CAMERA, STATE, HEALTH}
        assert DISCOVERY not in day.due(6)


def test_without_discovery_home_assistant_is_told_nothing(tmp_path: Path) -> None:
    assert DISCOVERY not in Day(tmp_path, discovery=False).due()


def described(**options: Any) -> dict[str, Any]:
    return announcement(Settings(host="broker", **options), TOPICS, "1.4.0")


def test_discovery_has_documented_keys_alone() -> None:
    said = described(page="http://pi-hall.local:8787/", name="Hall camera")
    assert set(said) <= ROOT_KEYS
    assert set(said["dev"]) <= DEVICE_KEYS
    assert set(said["o"]) <= ORIGIN_KEYS
    for component in said["cmps"].values():
        assert set(component) <= COMPONENT_KEYS[component["p"]]


def test_every_entity_has_what_home_assistant_asks_for() -> None:
    said = described()
    assert said["dev"]["ids"] == ["edge_fer_pi-hall"]
    assert said["o"]["name"]
    for key, component in said["cmps"].items():
        assert component["unique_id"] == f"edge_fer_pi-hall_{key}"
        assert component["p"]
        assert component["availability_mode"] == "all"


def test_the_ids_of_the_entities_stay_the_same() -> None:
    names = ("emotion", "score", "faces", "occupied", "enabled", "problem")
    device = {"fps", "temp", "undervoltage", "purpose"}
    assert set(described()["cmps"]) == {f"front_{name}" for name in names} | device


def test_the_expression_is_discovered_as_promised() -> None:
    assert described()["cmps"]["front_emotion"] == {
        "p": "sensor",
        "unique_id": "edge_fer_pi-hall_front_emotion",
        "name": "Expression",
        "device_class": "enum",
        "options": ["none", "uncertain", *LABELS],
        "value_template": "{{ value_json.emotion }}",
        "expire_after": 120,
        "availability": [{"topic": AVAILABLE}, {"topic": CAMERA}],
        "availability_mode": "all",
    }


def test_a_lost_camera_does_not_hide_what_tells_of_it() -> None:
    said = described()["cmps"]
    for key in ("front_problem", "front_enabled", "fps", "temp", "undervoltage"):
        assert said[key]["availability"] == [{"topic": AVAILABLE}]


def test_every_template_reads_a_field_that_is_sent(day: Day) -> None:
    said = described()
    payloads = day.due()
    sent = {topic: json.loads(payloads[topic]) for topic in (STATE, HEALTH)}
    for component in said["cmps"].values():
        field = component["value_template"].removeprefix("{{ value_json.").removesuffix(" }}")
        assert field in sent[component.get("state_topic", said["state_topic"])]


def test_the_page_is_linked_to_only_where_it_is_named() -> None:
    assert "cu" not in described()["dev"]
    assert described(page="https://pi/")["dev"]["cu"] == "https://pi/"


def test_names_of_topics_are_the_promised_ones() -> None:
    assert TOPICS.client == "edge_fer_pi-hall"
    assert TOPICS.enabled == "edge_fer/pi-hall/front/enabled/set"
    assert TOPICS.event == "edge_fer/pi-hall/front/event"


def test_s3_the_queue_is_bounded_in_number_and_drops_the_oldest() -> None:
    box = Outbox()
    for n in range(EVENTS + 5):
        box.put(b"%d" % n)
    assert (len(box), box.dropped, box.take()) == (EVENTS, 5, b"5")


def test_s3_the_queue_is_bounded_in_bytes() -> None:
    box = Outbox()
    for _ in range(100):
        box.put(bytes(BYTES // 10))
    assert (len(box), box.dropped) == (10, 90)


def test_s1_a_broker_that_is_down_is_asked_at_most_twelve_times_in_ten_minutes() -> None:
    attempts = []
    for _ in range(1000):
        wait, now, count = waits(*RETRY_S), 0.0, 1
        while (now := now + next(wait)) < 600:
            count += 1
        attempts.append(count)
    assert min(attempts) >= 9
    assert max(attempts) <= 12


def test_s2_a_broker_that_has_served_is_asked_every_five_seconds_for_five_minutes() -> None:
    patience, lost = Patience(), ConnectionError()
    away_s, waited = 0.0, []
    while away_s < LATELY_S:
        waited.append(patience.after(lost, away_s))
        away_s += waited[-1]
    assert max(waited) <= 6
    assert len(waited) >= 50
    # Then as seldom as one that was never there, and never sooner after a refusal.
    assert [patience.after(lost, away_s) > seconds for seconds in (0.7, 1.5, 3, 6, 12)] == [
        True
    ] * 5
    assert patience.after(Unauthorized(), 0.0) >= 24


def test_t3_a_certificate_that_a_right_clock_would_take_is_tried_again_within_a_minute() -> None:
    patience, early, foreign = Patience(), SSLCertVerificationError(), SSLCertVerificationError()
    early.verify_code, foreign.verify_code = 9, 19
    assert max(patience.after(early) for _ in range(20)) <= 36
    assert max(patience.after(foreign) for _ in range(20)) >= 96


def test_s6_a_refusal_is_waited_out_for_30_to_300_seconds() -> None:
    wait = waits(*DENIED_S)
    for seconds in (30, 60, 120, 240, 300, 300):
        assert 0.8 * seconds <= next(wait) <= 1.2 * seconds


def test_the_board_says_its_name(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"Raspberry Pi 4 Model B\0")
    assert board(tmp_path / "model") == "Raspberry Pi 4 Model B"
    assert board(tmp_path / "none")
