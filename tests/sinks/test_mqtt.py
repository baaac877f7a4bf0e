"""What a reader, Home Assistant and its switch get of the mqtt sink."""

import json
import os
import signal
import threading
import time
from typing import Any

import pytest
from brokers import (
    HANG_GUARD_S,
    Mosquitto,
    free_port,
    until,
    watching,
)
from mqtt_daemons import (
    AVAILABLE,
    CAMERA,
    DISCOVERY,
    EVENT,
    HEALTH,
    ROOT,
    STATE,
    SWITCH,
    Start,
    connected,
)

from edge_fer.sinks.mqtt import report
from edge_fer.sinks.mqtt.sink import Mqtt


def test_a_reader_gets_events_state_and_availability(broker: Mosquitto, start: Start) -> None:
    with watching(broker.port) as watcher:
        daemon = connected(start(broker.port))
        daemon.update()
        assert json.loads(watcher.wait(EVENT))["type"] == "hello"
        until(lambda: len(watcher.payloads(EVENT)) == 3)
        event = json.loads(watcher.payloads(EVENT)[-1])
        assert (event["type"], event["faces"][0]["emotion"]) == ("update", "happy")
        until(lambda: b'"emotion":"happy"' in watcher.payloads(STATE)[-1])
        assert json.loads(watcher.payloads(STATE)[-1])["score"] == 70.0
        watcher.wait(AVAILABLE, b"online")
        watcher.wait(CAMERA, b"online")
        assert json.loads(watcher.wait(HEALTH))["purpose"] == "art"


def test_what_a_late_reader_must_know_is_retained_and_events_are_not(
    broker: Mosquitto, start: Start
) -> None:
    with watching(broker.port) as first:
        daemon = connected(start(broker.port))
        daemon.update()
        until(lambda: len(first.payloads(EVENT)) == 3)  # none is still on its way
    with watching(broker.port) as late:
        for topic in (DISCOVERY, AVAILABLE, CAMERA, STATE, HEALTH):
            late.wait(topic)
        assert not late.payloads(EVENT)
        assert all(retained for _, _, retained in late.heard)


def test_home_assistant_finds_the_device_with_its_model_and_version(
    broker: Mosquitto, start: Start
) -> None:
    with watching(broker.port, "homeassistant/#") as watcher:
        start(broker.port, "name=Hall camera,page=http://pi-hall.local:8787/")
        said = json.loads(watcher.wait(DISCOVERY))
    assert said["dev"]["name"] == "Hall camera"
    assert said["dev"]["cu"] == "http://pi-hall.local:8787/"
    assert said["dev"]["sw"] == said["o"]["sw"]
    assert said["state_topic"] == STATE


def test_closing_says_offline_after_the_last_event(broker: Mosquitto, start: Start) -> None:
    with watching(broker.port) as watcher:
        daemon = connected(start(broker.port))
        for _ in range(100):
            daemon.update()
        daemon.sink.close()
        watcher.wait(AVAILABLE, b"offline")
        watcher.wait(CAMERA, b"offline")
        assert len(watcher.payloads(EVENT)) == 102
        topics = [topic for topic, _, _ in watcher.heard]
        assert topics[-2:] == [AVAILABLE, CAMERA]
    with watching(broker.port, AVAILABLE) as late:
        assert late.wait(AVAILABLE) == b"offline"


def test_s9_home_assistant_that_restarts_is_told_everything_again_once(
    broker: Mosquitto, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "BIRTH_S", (0.2, 0.3))
    connected(start(broker.port))
    with watching(broker.port) as watcher:
        watcher.wait(DISCOVERY)
        watcher.heard.clear()
        for _ in range(3):
            watcher.say("homeassistant/status", b"online")
        for topic in (DISCOVERY, AVAILABLE, CAMERA, STATE, HEALTH):
            watcher.wait(topic)
        time.sleep(0.5)
        assert len(watcher.payloads(DISCOVERY)) == 1


def test_the_switch_turns_the_analysis_off_and_on(broker: Mosquitto, start: Start) -> None:
    daemon = connected(start(broker.port))
    with watching(broker.port) as watcher:
        watcher.say(SWITCH, b"OFF")
        until(lambda: not daemon.sink.enabled)
        until(lambda: b'"enabled":"OFF"' in watcher.payloads(STATE)[-1])
        watcher.say(SWITCH, b"ON")
        until(lambda: daemon.sink.enabled)


@pytest.mark.parametrize(
    ("topic", "payload", "retain"),
    [
        (SWITCH, b"OFF", True),
        (SWITCH, b"off", False),
        (SWITCH, b"OFF\0", False),
        (SWITCH, b"\xff\xfe", False),
        (SWITCH, b"", False),
        (SWITCH, b"OFF" * 350_000, False),
        (f"{ROOT}/back/enabled/set", b"OFF", False),
        (f"{ROOT}/front/enabled", b"OFF", False),
        ("homeassistant/status", b"OFF", False),
    ],
)
def test_anything_else_that_comes_in_changes_nothing(
    broker: Mosquitto, start: Start, topic: str, payload: bytes, retain: bool
) -> None:
    with watching(broker.port) as watcher:
        watcher.say(topic, payload, retain)
        daemon = connected(start(broker.port))
        if not retain:
            watcher.say(topic, payload)
        daemon.update()
        until(lambda: daemon.sink.backlog == 0)
        time.sleep(0.1)
        assert daemon.sink.enabled
        assert daemon.sink.connections == 1


def test_a_closed_sink_leaves_nothing_behind(broker: Mosquitto, start: Start) -> None:
    connected(start(broker.port)).sink.close()
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        connected(start(broker.port)).sink.close()
    until(lambda: threading.active_count() <= threads)
    assert len(os.listdir("/proc/self/fd")) <= files


def test_a_sink_that_never_got_an_event_closes_at_once() -> None:
    Mqtt(f"host=127.0.0.1,port={free_port()}").close()


def test_the_switch_stops_the_daemons_analysis(broker: Mosquitto, whole: Any) -> None:
    whole(broker.port)
    with watching(broker.port) as watcher:
        until(lambda: any(b'"update"' in event for event in watcher.payloads(EVENT)))
        watcher.say(SWITCH, b"OFF")
        until(lambda: b'"camera_state":"disabled"' in watcher.payloads(STATE)[-1])
        watcher.wait(CAMERA, b"offline")

        def updates() -> int:
            return sum(b'"update"' in event for event in watcher.payloads(EVENT))

        seen = updates()
        time.sleep(0.3)  # the fake camera gives thirty frames in it
        assert updates() == seen
        watcher.say(SWITCH, b"ON")
        until(lambda: updates() > seen)


def test_g1_a_signal_ends_with_0_and_offline(broker: Mosquitto, whole: Any) -> None:
    daemon = whole(broker.port)
    with watching(broker.port, AVAILABLE) as watcher:
        watcher.wait(AVAILABLE, b"online")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(HANG_GUARD_S) == 0
        watcher.wait(AVAILABLE, b"offline")


def test_g1_a_signal_ends_with_0_where_there_is_no_broker(whole: Any) -> None:
    daemon = whole(free_port())
    assert b"bundle" in daemon.stderr.readline()
    assert b"lost" in daemon.stderr.readline()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(HANG_GUARD_S) == 0
