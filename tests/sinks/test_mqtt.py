import datetime
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trustme
from brokers import (
    HANG_GUARD_S,
    MOSQUITTO,
    OPEN,
    Mosquitto,
    ScriptedBroker,
    accept,
    free_port,
    until,
    watching,
)
from fakes import SIDE, FakeDetector, FakeEngine, face_at, fake_bundle, frame_of

from edge_fer.config import RunConfig
from edge_fer.daemon.events import Events
from edge_fer.pipeline import Recognizer
from edge_fer.sinks.mqtt import connection, failures, report
from edge_fer.sinks.mqtt import sink as module
from edge_fer.sinks.mqtt.settings import PASSWORD
from edge_fer.sinks.mqtt.sink import FLUSH_S, Mqtt

if MOSQUITTO is None:
    pytest.skip("mosquitto is not installed: apt-get install mosquitto", allow_module_level=True)

ROOT = "edge_fer/pi-hall"
AVAILABLE, CAMERA = f"{ROOT}/availability", f"{ROOT}/front/availability"
STATE, EVENT, HEALTH = f"{ROOT}/front/state", f"{ROOT}/front/event", f"{ROOT}/diagnostics"
SWITCH = f"{ROOT}/front/enabled/set"
DISCOVERY = "homeassistant/device/edge_fer_pi-hall/config"


class Daemon:
    """Hands a sink the events of a daemon."""

    def __init__(self, sink: Any, folder: Path) -> None:
        self.sink = sink
        config = RunConfig(device="pi-hall", camera_id="front", purpose="art")
        self._events = Events(config, fake_bundle(folder / "bundle"))
        self._recognizer = Recognizer(FakeDetector([face_at(0, 0, 32)]), FakeEngine(), SIDE)
        sink.write(self._events.hello("int8", "fake 1.0", "haar"))
        sink.write(self._events.state("ok"))

    def update(self) -> None:
        self.sink.write(self._events.update(self._recognizer.recognize(frame_of())))


Start = Callable[..., Daemon]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits between attempts, and no password from outside."""
    monkeypatch.setattr(failures, "RETRY_S", (0.1, 0.5))
    monkeypatch.setattr(failures, "RETURN_S", (0.1, 0.5))
    monkeypatch.setattr(module, "POLL_S", 0.05)
    monkeypatch.delenv(PASSWORD, raising=False)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Opens a sink and hands it the first events."""
    sinks: list[Mqtt] = []

    def opened(port: int, options: str = "", **more: Any) -> Daemon:
        argument = f"host=127.0.0.1,port={port}"
        sinks.append(Mqtt(f"{argument},{options}" if options else argument, **more))
        return Daemon(sinks[-1], tmp_path)

    yield opened
    for sink in sinks:
        sink.close()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    brokers: list[Mosquitto] = []

    def made(*lines: str) -> Mosquitto:
        brokers.append(Mosquitto(tmp_path, *lines))
        return brokers[-1]

    yield made
    for broker in brokers:
        broker.stop()


@pytest.fixture
def broker(mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    return mosquitto().start()


def connected(daemon: Daemon) -> Daemon:
    until(lambda: daemon.sink.state == "connected", "the connection")
    return daemon


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


def test_g1_a_broker_that_hangs_holds_the_end_up_for_two_seconds_at_most(
    broker: Mosquitto, start: Start
) -> None:
    daemon = connected(start(broker.port))
    assert broker.process is not None
    broker.process.send_signal(signal.SIGSTOP)
    daemon.update()
    began = time.monotonic()
    daemon.sink.close()
    assert time.monotonic() - began < FLUSH_S + 1
    broker.process.send_signal(signal.SIGCONT)


def test_s1_a_broker_that_is_down_at_the_start_stops_nobody(
    mosquitto: Callable[..., Mosquitto], start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = mosquitto()
    daemon = start(broker.port)
    until(lambda: daemon.sink.state == "lost")
    for _ in range(300):
        daemon.update()
    assert (daemon.sink.backlog, daemon.sink.dropped) == (256, 302 - 256)
    broker.start()
    connected(daemon)
    until(lambda: daemon.sink.sent == 256 and not daemon.sink.backlog)
    assert daemon.sink.failed == 0
    with watching(broker.port) as watcher:
        watcher.wait(AVAILABLE, b"online")
        watcher.wait(DISCOVERY)
    lines = capsys.readouterr().err.splitlines()
    assert ["refused" in lines[0], lines[1].endswith("connected"), len(lines)] == [True, True, 2]


def test_s2_a_broker_that_lost_its_memory_is_told_everything_again(
    broker: Mosquitto, start: Start
) -> None:
    daemon = connected(start(broker.port))
    broker.stop()
    until(lambda: daemon.sink.state == "lost")
    broker.start()
    connected(daemon)
    with watching(broker.port) as late:
        for topic in (DISCOVERY, STATE, HEALTH):
            late.wait(topic)
        late.wait(AVAILABLE, b"online")
        late.wait(CAMERA, b"online")
    assert daemon.sink.connections == 2


BLACK_HOLE = """
import sys, time
from pathlib import Path
from edge_fer.telemetry.metrics import resident_bytes
sys.path.insert(0, sys.argv[2])
from sinks.test_mqtt import Daemon
from edge_fer.sinks.mqtt.sink import Mqtt

sink = Mqtt(f"host=127.0.0.1,port={sys.argv[1]}")
daemon = Daemon(sink, Path(sys.argv[3]))
time.sleep(1)
event = {"type": "x", "rest": "x" * 380, "uptime_s": 1.0}
for _ in range(1_000):
    sink.write(event)
before = resident_bytes()
for _ in range(100_000):
    sink.write(event)
print(resident_bytes() - before, sink.dropped, sink.backlog)
"""


def test_s3_a_broker_that_never_reads_costs_no_memory(tmp_path: Path) -> None:
    done = threading.Event()

    def hole(one: socket.socket, level: int) -> None:
        """Experiment E1: welcome, and never another byte is read."""
        accept(one, level)
        done.wait(HANG_GUARD_S)

    tests = str(Path(__file__).resolve().parent.parent)
    with closing(ScriptedBroker(hole, buffer=4096)) as fake:
        child = subprocess.run(
            [sys.executable, "-c", BLACK_HOLE, str(fake.port), tests, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([tests, *sys.path])},
            capture_output=True,
            text=True,
            timeout=HANG_GUARD_S,
            check=False,
        )
        done.set()
    assert child.returncode == 0, child.stderr
    growth, dropped, waiting = map(int, child.stdout.split())
    assert growth <= 10e6
    assert dropped > 50_000
    assert waiting <= 256


def test_s4_a_connection_that_is_dead_but_open_is_noticed_by_the_keepalive(
    broker: Mosquitto, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.KEEPALIVE_S * 2 + failures.RETRY_S[0] <= 60
    monkeypatch.setattr(connection, "KEEPALIVE_S", 1)
    daemon = connected(start(broker.port))
    assert broker.process is not None
    broker.process.send_signal(signal.SIGSTOP)
    until(lambda: daemon.sink.state == "lost", "the loss")
    broker.process.send_signal(signal.SIGCONT)
    connected(daemon)
    with watching(broker.port, AVAILABLE) as late:
        late.wait(AVAILABLE, b"online")


CHILD = """
import sys, time
from pathlib import Path
from edge_fer.sinks.mqtt import connection
connection.KEEPALIVE_S = 1
from sinks.test_mqtt import Daemon
from edge_fer.sinks.mqtt.sink import Mqtt
Daemon(Mqtt(f"host=127.0.0.1,port={sys.argv[1]}"), Path(sys.argv[2]))
print("open", flush=True)
time.sleep(600)
"""


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """A daemon in its own process, with a keepalive of one second."""
    children: list[subprocess.Popen[bytes]] = []
    tests = str(Path(__file__).resolve().parent.parent)

    def started(port: int) -> subprocess.Popen[bytes]:
        folder = tmp_path / f"child{len(children)}"
        folder.mkdir()
        command = [sys.executable, "-c", CHILD, str(port), str(folder)]
        path = os.pathsep.join([tests, *sys.path])
        children.append(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}))
        return children[-1]

    yield started
    for one in children:
        one.kill()
        one.wait()


def test_a_killed_device_is_offline_by_its_will(broker: Mosquitto, child: Any) -> None:
    one = child(broker.port)
    with watching(broker.port, AVAILABLE) as watcher:
        watcher.wait(AVAILABLE, b"online")
        one.kill()
        watcher.wait(AVAILABLE, b"offline")
    with watching(broker.port, AVAILABLE) as late:
        assert late.wait(AVAILABLE) == b"offline"


def test_s5_the_will_of_a_hanging_predecessor_does_not_follow_its_successor(
    broker: Mosquitto, child: Any
) -> None:
    first = child(broker.port)
    with watching(broker.port, AVAILABLE) as watcher:
        watcher.wait(AVAILABLE, b"online")
        first.send_signal(signal.SIGSTOP)
        child(broker.port)
        until(lambda: watcher.payloads(AVAILABLE)[-2:] == [b"offline", b"online"], "the change")
        time.sleep(3)  # twice the 1.5 s after which a broker declares a silent client dead
        assert watcher.payloads(AVAILABLE)[-1] == b"online"


def password_file(folder: Path) -> Path:
    path = folder / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(path), "pi", "geheim"], check=True)
    return path


def test_s6_the_right_password_opens_and_a_wrong_one_is_told_once(
    mosquitto: Callable[..., Mosquitto],
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    users = password_file(tmp_path)
    broker = mosquitto("allow_anonymous false", f"password_file {users}").start()
    monkeypatch.setenv(PASSWORD, "geheim")
    connected(start(broker.port, "user=pi"))
    capsys.readouterr()
    monkeypatch.setattr(failures, "DENIED_S", (0.1, 0.1))
    monkeypatch.setenv(PASSWORD, "wrong")
    denied = start(broker.port, "user=pi")
    until(lambda: denied.sink.state == "auth_failed")
    time.sleep(0.5)  # several more attempts
    (line,) = capsys.readouterr().err.splitlines()
    assert "auth_failed" in line
    assert "ot authorized" in line or "password" in line
    assert "wrong" not in line


def test_s6_a_broker_that_takes_nothing_from_us_is_a_refusal(
    mosquitto: Callable[..., Mosquitto], start: Start, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "acl").write_text("topic read homeassistant/#\n")
    broker = mosquitto(OPEN, f"acl_file {tmp_path / 'acl'}").start()
    daemon = start(broker.port)
    until(lambda: daemon.sink.state == "auth_failed")
    assert "connected" not in capsys.readouterr().err
    assert daemon.sink._patience.after(connection.Unauthorized()) >= 0.8 * 60


def certificate(folder: Path, host: str, **options: Any) -> tuple[Path, str]:
    """An authority's file, and the lines that make mosquitto use its certificate for `host`."""
    authority = trustme.CA()
    made = authority.issue_cert(host, **options)
    authority.cert_pem.write_to_path(folder / f"ca-{host}.pem")
    made.cert_chain_pems[0].write_to_path(folder / f"{host}.pem")
    made.private_key_pem.write_to_path(folder / f"{host}.key")
    lines = f"certfile {folder / host}.pem\nkeyfile {folder / host}.key"
    return folder / f"ca-{host}.pem", lines


def test_a_broker_with_a_good_certificate_is_spoken_to_over_tls(
    mosquitto: Callable[..., Mosquitto], start: Start, tmp_path: Path
) -> None:
    ca, lines = certificate(tmp_path, "127.0.0.1")
    daemon = connected(start(mosquitto(OPEN, lines).start().port, f"tls=yes,ca={ca}"))
    for _ in range(200):
        daemon.update()
    until(lambda: daemon.sink.backlog == 0)


# paho leaves the socket of a failed handshake to the garbage collector.
UNCLOSED = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@UNCLOSED
@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("expired", "expired .is the clock right"),
        ("other host", "IP address mismatch|Hostname mismatch"),
        ("unknown authority", "self.signed|unable to get local issuer"),
    ],
)
def test_s7_a_wrong_certificate_is_refused_and_the_reason_said(
    mosquitto: Callable[..., Mosquitto],
    start: Start,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    fault: str,
    named: str,
) -> None:
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    host = "other.test" if fault == "other host" else "127.0.0.1"
    expiry = {"not_after": yesterday} if fault == "expired" else {}
    ca, lines = certificate(tmp_path, host, **expiry)
    if fault == "unknown authority":
        trustme.CA().cert_pem.write_to_path(ca)
    daemon = start(mosquitto(OPEN, lines).start().port, f"tls=yes,ca={ca}")
    until(lambda: daemon.sink.state == "lost")
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(named, line)


@UNCLOSED
def test_s7_tls_1_0_is_refused_and_nothing_is_said_in_the_clear(
    start: Start, tmp_path: Path
) -> None:
    ca, _ = certificate(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "127.0.0.1.pem", tmp_path / "127.0.0.1.key")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    seen, refused = list[bytes](), threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            one, _ = server.accept()
            seen.append(one.recv(16, socket.MSG_PEEK))
            with closing(one):
                try:
                    context.wrap_socket(one, server_side=True).close()
                except (ssl.SSLError, OSError):
                    refused.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        daemon = start(server.getsockname()[1], f"tls=yes,ca={ca}")
        until(lambda: daemon.sink.state == "lost")
        thread.join(HANG_GUARD_S)
    assert refused.is_set()
    assert seen[0][0] == 0x16  # a TLS handshake record, no CONNECT


# Experiment E2: the second column is said to MQTT 5 in the same words.
BAD_PACKETS = {
    "publish of length 1": "3001 00",
    "topic beyond the packet": "3004 00ff 6161",
    "short suback": "9001 00",
    "short puback": "4001 00",
    "short pubrel": "6201 00",
    "short connack": "2001 00",
    "five-byte length": "30ffffffff7f",
    "huge length": "30ffffff7f 0001 61",
    "topic that is no text": "3005 0002 fffe 61",
    "type 0": "0000",
    "type 15 with content": "f002 0000",
}


@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize("packet", BAD_PACKETS.values(), ids=BAD_PACKETS)
def test_s8_after_a_bad_packet_the_sink_connects_again(
    start: Start, packet: str, level: int
) -> None:
    welcomed: list[int] = []

    def spoil(one: socket.socket, spoken: int) -> None:
        if spoken != level:
            return
        welcomed.append(spoken)
        accept(one, spoken)
        one.sendall(bytes.fromhex(packet))
        time.sleep(0.1)

    with closing(ScriptedBroker(spoil)) as fake:
        daemon = start(fake.port)
        until(lambda: len(welcomed) >= 2, "the second connection")
        assert daemon.sink._thread.is_alive()


def test_s8_an_error_in_our_own_callback_does_not_end_the_thread(
    broker: Mosquitto, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, now: float) -> None:
        raise RuntimeError("our mistake")

    monkeypatch.setattr(report.Report, "greeted", broken)
    daemon = connected(start(broker.port))
    with watching(broker.port) as watcher:
        watcher.say("homeassistant/status", b"online")
        watcher.say(SWITCH, b"OFF")
        until(lambda: not daemon.sink.enabled)


def test_an_old_broker_is_spoken_to_in_3_1_1(start: Start) -> None:
    def old(one: socket.socket, level: int) -> None:
        if level == 5:
            one.sendall(bytes.fromhex("20020001"))
        else:
            accept(one, level)
            while one.recv(4096):
                pass

    with closing(ScriptedBroker(old)) as fake:
        daemon = start(fake.port)
        until(lambda: daemon.sink.sent == 2)
        assert fake.levels == [5, 4]


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


DAEMON = """
import sys
from pathlib import Path
from edge_fer.config import RunConfig
from edge_fer.daemon.main import run
from fakes import ENTRIES, fake_bundle

for table, name, member in ENTRIES:
    table[name] = member
bundle = fake_bundle(Path(sys.argv[2]) / "bundle").path
sinks = (f"mqtt:host=127.0.0.1,port={sys.argv[1]}",)
config = RunConfig(
    "fake:then=more", bundle, sinks=sinks, detector="fake", purpose="art",
    device="pi-hall", camera_id="front",
)
sys.exit(run(config))
"""


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """A whole daemon with fake parts and one real sink, in its own process."""
    children: list[subprocess.Popen[bytes]] = []
    tests = str(Path(__file__).resolve().parent.parent)

    def started(port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", DAEMON, str(port), str(tmp_path)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([tests, *sys.path])}
        children.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE))
        return children[-1]

    yield started
    for one in children:
        one.kill()
        one.communicate()


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
