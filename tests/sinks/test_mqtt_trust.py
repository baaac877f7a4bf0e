"""Passwords and certificates between the mqtt sink and its broker."""

import datetime
import re
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trustme
from brokers import (
    HANG_GUARD_S,
    OPEN,
    Mosquitto,
    until,
)
from mqtt_daemons import (
    Start,
    connected,
)

from edge_fer.sinks.mqtt import connection, failures
from edge_fer.sinks.mqtt.settings import PASSWORD


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
