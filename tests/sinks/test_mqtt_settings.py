import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_fer.errors import ConfigError
from edge_fer.sinks import open_sink
from edge_fer.sinks.mqtt.settings import CREDENTIALS, PASSWORD, open_broker, read_settings


@pytest.fixture(autouse=True)
def no_secrets_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD, raising=False)
    monkeypatch.delenv(CREDENTIALS, raising=False)


def secret(folder: Path, text: str = "geheim\n", mode: int = 0o600) -> Path:
    path = folder / "password"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("argument", "port"),
    [("host=b", 1883), ("host=b,tls=yes", 8883), ("host=b,tls=yes,port=1884", 1884)],
)
def test_the_port_follows_the_protocol(argument: str, port: int) -> None:
    broker = open_broker(read_settings(argument))
    assert (broker.host, broker.port, broker.trust is None) == ("b", port, "tls" not in argument)


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("", "host=NAME"),
        ("broker", "unknown option 'broker'"),
        ("host=b,passwort=x", "password_file"),
        ("host=b,password=x", "unknown option 'password'"),
        ("host=b,tls=perhaps", "tls is yes or no"),
        ("host=b,port=0x1", "port is a whole number"),
        ("host=b,port=65536", "65535"),
        ("host=b,ca=f", "tls=yes"),
        ("host=b,password_file=f", "user=NAME"),
        ("host=b,page=javascript:alert(1)", "http://"),
        ("host=b,user=u", PASSWORD),
        ("host=b,user=u,password_file=no-such-file", "no-such-file: No such file"),
        ("host=b,user=u,password_file=.", "not a regular file|Is a directory"),
        ("host=b,tls=yes,ca=no-such-file", "no-such-file: No such file"),
    ],
)
def test_a_wrong_spec_is_refused_by_the_name_of_the_option(argument: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        open_sink(f"mqtt:{argument}")


def test_a_file_of_authorities_that_holds_none_is_refused(tmp_path: Path) -> None:
    path = secret(tmp_path, "no certificate")
    with pytest.raises(ConfigError, match=str(path)):
        open_broker(read_settings(f"host=b,tls=yes,ca={path}"))


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD, "geheim")
    assert open_broker(read_settings("host=b,user=u")).password == "geheim"


def test_the_password_comes_from_a_private_file(tmp_path: Path) -> None:
    argument = f"host=b,user=u,password_file={secret(tmp_path)}"
    assert open_broker(read_settings(argument)).password == "geheim"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_password_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret(tmp_path, mode=mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        open_broker(read_settings(f"host=b,user=u,password_file={path}"))


def test_a_credential_of_systemd_may_have_any_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CREDENTIALS, str(tmp_path))
    argument = f"host=b,user=u,password_file={secret(tmp_path, mode=0o440)}"
    assert open_broker(read_settings(argument)).password == "geheim"


def test_an_empty_password_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = secret(tmp_path, "\n")
    monkeypatch.setenv(PASSWORD, "")
    for argument in ("host=b,user=u", f"host=b,user=u,password_file={path}"):
        with pytest.raises(ConfigError, match="holds no password"):
            open_broker(read_settings(argument))


def test_a_fifo_in_place_of_a_password_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(ConfigError, match="not a regular file"):
        open_broker(read_settings(f"host=b,user=u,password_file={tmp_path / 'fifo'}"))


def test_no_password_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD, "geheim")
    assert "geheim" not in repr(open_broker(read_settings("host=b,user=u")))


def test_without_its_package_the_line_names_the_extra() -> None:
    script = "import sys; sys.modules['paho'] = None; from edge_fer.sinks import open_sink; "
    child = subprocess.run(
        [sys.executable, "-c", script + "open_sink('mqtt:host=b')"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "MissingExtra: the sink 'mqtt' needs the package paho" in child.stderr
    assert "edge-fer[mqtt]" in child.stderr
