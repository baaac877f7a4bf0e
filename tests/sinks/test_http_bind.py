"""Where the http sink listens, and what that needs; rows of the security checklist."""

from pathlib import Path

import pytest
from served import (
    BEARER,
    Served,
    served,
    token_file,
)

from edge_fer.config import RunConfig
from edge_fer.errors import ConfigError
from edge_fer.sinks.http.settings import read_settings

# Bind


@pytest.mark.parametrize("place", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:127.0.0.1]:0"])
def test_bind_elsewhere_needs_a_token_a_flag_and_a_name(place: str, tmp_path: Path) -> None:
    token = token_file(tmp_path)
    with pytest.raises(ConfigError, match="token=FILE"):
        read_settings(f"{place},names=pi.local", allow_remote=True)
    with pytest.raises(ConfigError, match="--http-allow-remote"):
        read_settings(f"{place},names=pi.local,token={token}", allow_remote=False)
    assert read_settings(f"{place},names=pi.local,token={token}", allow_remote=True).remote


def test_bind_to_every_address_needs_the_names_that_clients_use(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names="):
        read_settings(f"0.0.0.0:0,token={token_file(tmp_path)}", allow_remote=True)


@pytest.mark.parametrize(
    "argument", ["", "0", "localhost:0", "127.0.0.1:0", "[::1]:0", "127.0.0.2:0", "port=0"]
)
def test_bind_to_loopback_needs_nothing(argument: str) -> None:
    assert not read_settings(argument, allow_remote=False).remote


def test_bind_listens_where_it_was_told_and_nowhere_else(server: Served) -> None:
    listening = {
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()
        if line.split()[1].endswith(f":{server.port:04X}") and line.split()[3] == "0A"
    }
    assert {place.partition(":")[0] for place in listening} == {
        "0100007F",
        "00000000000000000000000001000000",
    }


def test_bind_remote_is_really_served_with_the_token_under_its_name(tmp_path: Path) -> None:
    argument = f"0.0.0.0:0,names=pi.local,token={token_file(tmp_path)}"
    with served(tmp_path, argument, http_allow_remote=True) as one:
        host = f"pi.local:{one.port}"
        assert one.ask("/metrics", Host=host).status == 401
        assert one.ask("/metrics", Host=host, **BEARER).status == 200
        assert one.ask("/metrics", Host=f"0.0.0.1:{one.port}", **BEARER).status == 421


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("pi.local:8787", "pi.local"),
        ("127.0.0.1", "ADDRESS:PORT"),
        ("127.0.0.1:http", "ADDRESS:PORT"),
        (":8787", "ADDRESS:PORT"),
        ("70000", "70000"),
        ("8787,toekn=FILE", "toekn"),
        ("8787,names=a b", "a b"),
        ("8787,names=<b>", "<b>"),
    ],
)
def test_a_wrong_spec_is_refused_by_what_is_wrong(argument: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        read_settings(argument, allow_remote=True)


def test_f3_every_misspelt_option_of_a_secret_is_refused() -> None:
    for i in range(len("token")):
        with pytest.raises(ConfigError, match="unknown option"):
            read_settings(f"8787,{'token'[:i]}x{'token'[i + 1 :]}=FILE", allow_remote=True)


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    argument = f"192.0.2.1:0,token={token_file(tmp_path)}"
    with (
        pytest.raises(ConfigError, match=r"192\.0\.2\.1:0 is no address of this machine"),
        served(tmp_path, argument, http_allow_remote=True),
    ):
        pass


def test_the_flag_is_a_setting() -> None:
    assert not RunConfig().http_allow_remote
