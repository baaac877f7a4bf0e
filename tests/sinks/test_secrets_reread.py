"""A reload reads the files of secrets again; what is wrong there closes nothing."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import trustme
from brokers import free_port

from edge_fer.config import RunConfig
from edge_fer.errors import ConfigError, StorageError
from edge_fer.sinks import Sinks, prove_sinks
from edge_fer.sinks.mqtt.settings import Broker, open_broker, read_settings
from edge_fer.sinks.setting import Setting

FIRST, SECOND = "a" * 32, "b" * 32


def secret(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


@contextmanager
def opened(*specs: str) -> Iterator[tuple[Sinks, RunConfig]]:
    config = RunConfig(sinks=specs, purpose="art")
    with closing(Sinks(specs, Setting(config))) as sinks:
        yield sinks, config


def parts(sinks: Sinks) -> list[object]:
    return [one.sink for one in sinks._open]


def test_another_token_is_taken_and_the_old_one_is_not_answered(tmp_path: Path) -> None:
    token = secret(tmp_path / "token", FIRST)
    port = free_port()

    def status(sent: str) -> int:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as client:
            head = f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            client.sendall(f"{head}Authorization: Bearer {sent}\r\n\r\n".encode())
            return int(client.recv(12).split()[1])

    with opened(f"http:127.0.0.1:{port},token={token}") as (sinks, config):
        before = parts(sinks)
        assert status(FIRST) == 200
        sinks.change(config)
        assert parts(sinks) == before
        secret(token, SECOND)
        sinks.change(config)
        assert (status(SECOND), status(FIRST)) == (200, 401)


def test_another_password_is_taken(tmp_path: Path) -> None:
    password = secret(tmp_path / "password", FIRST)
    with opened(f"mqtt:host=127.0.0.1,user=u,password_file={password}") as (sinks, config):
        before = parts(sinks)
        sinks.change(config)
        assert parts(sinks) == before
        secret(password, SECOND)
        sinks.change(config)
        assert parts(sinks) != before


@pytest.mark.parametrize("name", ["mqtt:host=127.0.0.1,user=u,password_file=", "http:0,token="])
def test_a_secret_that_cannot_be_read_refuses_the_reload_and_closes_nothing(
    name: str, tmp_path: Path
) -> None:
    path = secret(tmp_path / "secret", FIRST)
    with opened(f"{name}{path}") as (sinks, config):
        before = parts(sinks)
        path.chmod(0o644)
        with pytest.raises(ConfigError, match="be read by others"):
            sinks.change(config)
        assert parts(sinks) == before


def test_a_broker_tells_other_secrets_apart_and_says_none_of_them() -> None:
    one, same, other = (Broker("b", 1, "u", word, None) for word in (FIRST, FIRST, SECOND))
    assert one.digest() == same.digest() != other.digest()
    assert FIRST not in f"{one!r} {one}"


def test_other_authorities_are_told_apart(tmp_path: Path) -> None:
    def digest() -> bytes:
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca"))
        settings = read_settings(f"host=b,tls=yes,ca={tmp_path / 'ca'}")
        assert open_broker(settings).digest() == open_broker(settings).digest()
        return open_broker(settings).digest()

    assert digest() != digest()


def test_proving_opens_no_port_and_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "events"
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        specs = (f"http:127.0.0.1:{taken.getsockname()[1]}", f"jsonl:{path}")
        prove_sinks(specs, Setting(RunConfig(sinks=specs, purpose="art")))
    assert not path.exists()


@pytest.mark.parametrize("name", ["", "missing/e"])
def test_a_place_for_no_file_is_refused_without_opening_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened for events"):
        prove_sinks([f"jsonl:{tmp_path / name}"], Setting())
