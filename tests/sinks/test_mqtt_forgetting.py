"""`edge-fer forget`: nothing of a device that has ended stays with its broker."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from brokers import (
    HANG_GUARD_S,
    OPEN,
    Mosquitto,
    ScriptedBroker,
    accept,
    free_port,
    until,
    watching,
)
from conftest import RunCli
from mqtt_daemons import AVAILABLE, CAMERA, DISCOVERY, HEALTH, STATE, Start, connected

from edge_fer.sinks.mqtt.topics import Topics

KEPT = {DISCOVERY, STATE, HEALTH, CAMERA, AVAILABLE}
OTHER = "edge_fer/pi-door/availability"


def configuration(folder: Path, port: int, *lines: str) -> Path:
    path = folder / "edge-fer.toml"
    told = ['device-id = "pi-hall"', 'camera-id = "front"', 'purpose = "art"']
    told += ["[mqtt]", 'host = "127.0.0.1"', f"port = {port}", *lines]
    path.write_text("\n".join(told) + "\n")
    return path


def kept(port: int) -> set[str]:
    """Topics of which the broker keeps a message."""
    with watching(port) as late:
        late.say("end", b"of all that is kept")
        late.wait("end")
        return {topic for topic, _, retained in late.heard if retained}


def test_the_topics_are_all_that_a_broker_keeps(broker: Mosquitto, start: Start) -> None:
    daemon = connected(start(broker.port))
    daemon.update()
    until(lambda: kept(broker.port) == KEPT)
    assert set(Topics("pi-hall", "front").retained) == KEPT


def test_all_of_it_is_cleared_and_nothing_of_others(
    broker: Mosquitto, start: Start, cli: RunCli, tmp_path: Path
) -> None:
    daemon = connected(start(broker.port))
    with watching(broker.port, "none") as other:
        other.say(OTHER, b"online", retain=True)
    until(lambda: kept(broker.port) == {*KEPT, OTHER})
    daemon.sink.close()
    done = cli("forget", "--config", configuration(tmp_path, broker.port))
    assert (done.returncode, done.stderr) == (0, "")
    assert "keeps nothing of edge_fer_pi-hall any more" in done.stdout
    assert kept(broker.port) == {OTHER}


def test_the_will_of_a_daemon_that_hangs_does_not_come_after(
    broker: Mosquitto,
    child: Callable[[int], "subprocess.Popen[bytes]"],
    cli: RunCli,
    tmp_path: Path,
) -> None:
    hanging = child(broker.port)
    until(lambda: kept(broker.port) == KEPT)
    hanging.send_signal(signal.SIGSTOP)
    assert cli("forget", "--config", configuration(tmp_path, broker.port)).returncode == 0
    assert kept(broker.port) == set()


def test_a_secret_that_ends_with_the_daemon_is_read_before(
    mosquitto: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    users, secret = tmp_path / "users", tmp_path / "secret"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(users), "pi", "geheim"], check=True)
    broker = mosquitto("allow_anonymous false", f"password_file {users}").start()
    secret.write_text("geheim\n")
    secret.chmod(0o600)
    lines = ('user = "pi"', f'password_file = "{secret}"')
    config = configuration(tmp_path, broker.port, *lines)
    words = [sys.executable, "-m", "edge_fer.cli", "forget", f"--config={config}", "--after-line"]
    with watching(broker.port, name="pi", password="geheim") as watcher:
        watcher.say(DISCOVERY, b"{}", retain=True)
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            secret.unlink()
            assert watcher.payloads(DISCOVERY) == [b"{}"]
            child.communicate("go\n", HANG_GUARD_S)
        assert child.returncode == 0
        watcher.wait(DISCOVERY, b"")


def test_without_that_line_nothing_is_done(broker: Mosquitto, cli: RunCli, tmp_path: Path) -> None:
    with watching(broker.port) as watcher:
        watcher.say(DISCOVERY, b"{}", retain=True)
    words = ("forget", "--config", configuration(tmp_path, broker.port), "--after-line")
    assert cli(*words, stdin=subprocess.DEVNULL).returncode == 1
    assert kept(broker.port) == {DISCOVERY}


def told(line: str, status: int, done: "subprocess.CompletedProcess[str]") -> None:
    """One line on stderr, which says what stays and what to do about it."""
    assert (done.returncode, done.stderr.count("\n")) == (status, 1), done.stderr
    assert line in done.stderr
    assert "`mosquitto_pub -r -n -t TOPIC`" in done.stderr
    assert all(topic in done.stderr for topic in KEPT)


def test_a_broker_that_is_away_is_one_line_that_names_the_topics(
    cli: RunCli, tmp_path: Path
) -> None:
    done = cli("forget", "--config", configuration(tmp_path, free_port()))
    told("Connection refused", 68, done)


def test_a_refused_password_is_one_line_that_names_the_topics(
    mosquitto: Callable[..., Mosquitto], cli: RunCli, tmp_path: Path
) -> None:
    broker = mosquitto("allow_anonymous false").start()
    told(
        "the broker refuses us", 77, cli("forget", "--config", configuration(tmp_path, broker.port))
    )


def test_a_missing_password_is_one_line_that_names_the_topics(cli: RunCli, tmp_path: Path) -> None:
    lines = ('user = "pi"', f'password_file = "{tmp_path / "gone"}"')
    told("gone: No such file", 78, cli("forget", "--config", configuration(tmp_path, 1, *lines)))


def test_a_broker_that_forbids_us_to_publish_is_a_refusal(
    mosquitto: Callable[..., Mosquitto], cli: RunCli, tmp_path: Path
) -> None:
    (tmp_path / "acl").write_text("topic read #\n")
    broker = mosquitto(OPEN, f"acl_file {tmp_path / 'acl'}").start()
    done = cli("forget", "--config", configuration(tmp_path, broker.port))
    told("refuses what we publish", 77, done)


def test_an_old_broker_is_spoken_to_in_3_1_1(cli: RunCli, tmp_path: Path) -> None:
    heard = list[bytes]()

    def old(one: socket.socket, level: int) -> None:
        if level == 5:
            return
        accept(one, level)
        while data := one.recv(4096):
            heard.append(data)

    fake = ScriptedBroker(old)
    try:
        done = cli("forget", "--config", configuration(tmp_path, fake.port))
    finally:
        fake.close()
    assert fake.levels == [5, 4]
    # It answers none of our messages.
    told("no answer in 10 s", 68, done)
    assert all(topic.encode() in b"".join(heard) for topic in KEPT)


def test_a_configuration_without_a_broker_is_left_alone(cli: RunCli, tmp_path: Path) -> None:
    path = tmp_path / "edge-fer.toml"
    path.write_text('camera = "synthetic:"\n')
    done = cli("forget", "--config", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "leaves anything" in done.stdout


def test_a_wrong_configuration_is_named(cli: RunCli, tmp_path: Path) -> None:
    path = tmp_path / "edge-fer.toml"
    path.write_text("[mqtt]\nport = 1\n")
    done = cli("forget", "--config", path)
    assert (done.returncode, "toml:1 mqtt" in done.stderr) == (78, True), done.stderr


def test_of_two_brokers_the_one_that_answers_is_cleared(
    broker: Mosquitto, cli: RunCli, tmp_path: Path
) -> None:
    with watching(broker.port) as watcher:
        watcher.say(DISCOVERY, b"{}", retain=True)
    path = configuration(tmp_path, free_port())
    sink = f'sink = ["mqtt:host=127.0.0.1,port={broker.port}"]\n'
    path.write_text(sink + path.read_text())
    told("Connection refused", 68, cli("forget", "--config", path))
    assert kept(broker.port) == set()
