"""What a deploy must know of a configuration, and what it refuses in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy import settings
from deploy.plan import seal
from deploy.transport import Host, reason
from edge_fer.errors import BundleError, ConfigError, HostUnreachable, NotPermitted

PAGE = 'purpose = "test"\n[http]\n'


@pytest.mark.parametrize(
    ("text", "health"),
    [
        ("", None),
        (PAGE, "http://127.0.0.1:8787/healthz"),
        (f"{PAGE}port = 9000\n", "http://127.0.0.1:9000/healthz"),
        (f"{PAGE}port = 0\n", None),
        (f"{PAGE}required = false\n", None),
        (f'{PAGE}address = "::1"\n', "http://[::1]:8787/healthz"),
        (
            'http-allow-remote = true\npurpose = "test"\n'
            '[http]\naddress = "0.0.0.0"\nnames = "hall"\ntoken = "/etc/edge-fer/token"\n',
            "http://127.0.0.1:8787/healthz",
        ),
        (
            'http-allow-remote = true\npurpose = "test"\n'
            '[http]\naddress = "::"\nnames = "hall"\ntoken = "/etc/edge-fer/token"\n',
            "http://[::1]:8787/healthz",
        ),
    ],
)
def test_where_health_is_asked(text: str, health: str | None) -> None:
    assert settings.read(text.encode(), "a.toml").health == health


def test_extras_follow_from_sinks_key_and_format() -> None:
    text = 'purpose = "test"\ntrusted-key = "/etc/edge-fer/a.pub"\n[mqtt]\nhost = "b"\n[http]\n'
    asked = settings.read(text.encode(), "a.toml")
    assert asked.extras("openvino") == ["http", "mqtt", "openvino", "sign"]
    assert settings.read(b"", "a.toml").extras("tflite") == []


def test_the_proof_opens_a_page_only_where_there_is_one() -> None:
    assert settings.read(b"", "a.toml").proof == ["jsonl:-"]
    assert settings.read(PAGE.encode(), "a.toml").proof == ["jsonl:-", "http:127.0.0.1:0"]


def test_the_boards_cores_are_its_own_business() -> None:
    assert settings.read(b"threads = 64\n", "a.toml").camera == "v4l2:0"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'camera = "0"\nsmothing = 1\n', r"pi:a.toml:2 smothing: unknown key; did you mean"),
        (b"camera = \n", r"pi:a.toml:1 camera"),
        (b"[http]\nport = 1\n", r"pi:a.toml:1 http: purpose is not stated"),
        (b"roi = \xff\n", r"pi:a.toml:1 roi: is not UTF-8"),
    ],
)
def test_a_fault_is_named_by_the_file_it_is_in(text: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        settings.read(text, "pi:a.toml")


def test_a_bundle_without_faces_cannot_prove_itself(bundle: Path, tmp_path: Path) -> None:
    from edge_fer.bundle import Manifest, create_bundle

    bare = Manifest(
        name="bare", format="tflite", precision="int8", input_size=72, parent="0" * 64, files={}
    )
    create_bundle(tmp_path / "bare", bare, {"model.tflite": b"x"})
    with pytest.raises(BundleError, match="carries no faces to test itself"):
        seal(tmp_path / "bare", [])
    assert len(seal(bundle, []).name) == 16


@pytest.mark.parametrize("name", ["", "-oProxyCommand=true", "a b", "a'b", "a\nb"])
def test_a_host_is_no_option_and_no_command(name: str) -> None:
    with pytest.raises(ConfigError, match="is no host"):
        Host(name)


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ("ssh: connect to host a port 22: Connection refused", HostUnreachable, "Connection"),
        ("Host key verification failed.", NotPermitted, "not known here"),
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
         NotPermitted, "somebody may be between"),
        ("a@b: Permission denied (publickey).", NotPermitted, "ssh-copy-id"),
        ("/x: line 1: Bad configuration option: y", ConfigError, "Bad configuration option"),
        ("", HostUnreachable, "ssh says nothing"),
    ],
)  # fmt: skip
def test_what_ssh_says_becomes_one_line(said: str, error: type[Exception], words: str) -> None:
    told = reason(said)
    assert type(told) is error
    assert words in str(told)
    assert "\n" not in str(told)
