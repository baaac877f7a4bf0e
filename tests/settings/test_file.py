"""edge-fer.toml: whole or refused, each fault by its line and key."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from conftest import ROOT

from edge_fer.cli import app
from edge_fer.config import RunConfig
from edge_fer.errors import ConfigError, SettingError
from edge_fer.settings import Plan
from edge_fer.settings.keys import KEYS, SINK_TABLES, VERSION_KEY, sink_options
from edge_fer.settings.lines import fault, places

EXAMPLE = ROOT / "deploy" / "edge-fer.toml"
SPOKEN = re.compile(r"^# (?=\[|[a-z_-]+ = )", re.MULTILINE)
NOT_KEYS = {"config", "check", "help"}


def read(folder: Path, text: str, **flags: Any) -> RunConfig:
    path = folder / "edge-fer.toml"
    path.write_text(text)
    return Plan(flags, path).read()


def refused(folder: Path, text: str, **flags: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, text, **flags)
    return str(caught.value).replace(f"{folder}/", "")


def test_every_flag_of_run_is_a_key_and_every_key_a_flag() -> None:
    command = typer.main.get_command(app).commands["run"]  # type: ignore[attr-defined]
    flags = {option.removeprefix("--") for one in command.params for option in one.opts}
    assert flags - NOT_KEYS == set(KEYS)


def test_the_example_says_what_the_defaults_are(tmp_path: Path) -> None:
    config = read(tmp_path, EXAMPLE.read_text())
    assert config == RunConfig(camera="0")


def test_the_example_names_every_key_and_with_all_of_them_it_is_valid(tmp_path: Path) -> None:
    text = SPOKEN.sub("", EXAMPLE.read_text())
    # A preview and windows exclude each other.
    config = read(tmp_path, text.replace('preview = "boxes"\n', ""))
    named = places(text)
    for key in (*KEYS, VERSION_KEY):
        assert (key,) in named
    for scheme in SINK_TABLES:
        for key in sink_options(scheme):
            assert (scheme, key) in named
    assert len(config.sinks) == 4


def test_a_flag_wins_over_the_file(tmp_path: Path) -> None:
    text = 'camera = "1"\nsmoothing = 1\n'
    config = read(tmp_path, text, smoothing_s=0.0, camera=None)
    assert (config.camera, config.smoothing_s) == ("1", 0.0)


def test_a_table_is_a_sink_with_its_options(tmp_path: Path) -> None:
    text = (
        'purpose = "art"\nsink = ["jsonl:-"]\n[mqtt]\nhost = "a"\ntls = true\nport = 8883\n'
        '[[jsonl]]\nfile = "x"\n[[jsonl]]\nfile = "y"\nkeep = 9\n'
    )
    assert read(tmp_path, text).sinks == (
        "jsonl:-",
        "jsonl:x",
        "jsonl:y,keep=9",
        "mqtt:host=a,tls=yes,port=8883",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\n# a\ncamra = "0"\n', "edge-fer.toml:3 camra: unknown key; did you mean camera?"),
        ("\n\nthreads = true\n", "edge-fer.toml:3 threads: is 'True', expected a whole number"),
        ('smoothing = "1"\n', "edge-fer.toml:1 smoothing: is '1', expected a number"),
        ("smoothing = -1\n", "edge-fer.toml:1 smoothing: smoothing_s is '-1.0'"),
        ('a = 1\nb = "x\nc = 2\n', "edge-fer.toml:2 b: Illegal character '\\n'"),
        ('camera = "0"\n\ncamera = "1"\n', "edge-fer.toml:3 camera: Cannot overwrite a value"),
        ('sink = ["jsonl:-",\n "jsonl:x"]\n', "edge-fer.toml:1 sink: purpose is not stated"),
        ('purpose = "art"\n[htp]\nport = 1\n', "edge-fer.toml:2 htp: unknown key; did you mean"),
        ('[mqtt]\nhost = "a"\ntls = 1\n', "edge-fer.toml:3 mqtt.tls: is '1', expected true or"),
        ('[http]\n\ntokn = "f"\n', "edge-fer.toml:3 http.tokn: unknown key; did you mean token?"),
        ('[mqtt]\nname = "a,b"\n', "edge-fer.toml:2 mqtt.name: is 'a,b': a comma"),
        ('mqtt = "a"\n', "edge-fer.toml:1 mqtt: is no table: write [mqtt]"),
        ("version = 2\n", "edge-fer.toml:1 version: is 2; this edge-fer reads version 1"),
        ('roi = "0,0,2,1"\n', "edge-fer.toml:1 roi: roi is"),
        ("a = " + "[" * 3000, "edge-fer.toml:1 a: "),
    ],
)
def test_a_fault_is_named_by_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    assert refused(tmp_path, text).startswith(said)


def test_a_file_that_is_no_text_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "edge-fer.toml"
    path.write_bytes(b'camera = "0"\ndevice = "\xff"\n')
    with pytest.raises(ConfigError, match=r"edge-fer\.toml:2 device: is not UTF-8"):
        Plan({}, path).read()


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "large"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "edge-fer.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "large":
        path.write_text("#" * 70_000)
    with pytest.raises(ConfigError, match=r"edge-fer\.toml"):
        Plan({}, path).read()


def test_the_error_of_a_sink_that_is_opened_later_finds_its_line(tmp_path: Path) -> None:
    path = tmp_path / "edge-fer.toml"
    path.write_text('purpose = "art"\nsink = ["jsonl:-"]\n\n[http]\nport = 1\n')
    plan = Plan({}, path)
    plan.read()
    assert str(plan.located(SettingError("sinks.1", "taken"))) == f"{path}:4 http: taken"
    assert str(plan.located(SettingError("bundle", "gone"))) == "gone"


def test_a_file_that_is_refused_later_leaves_the_first_one_in_force(tmp_path: Path) -> None:
    path = tmp_path / "edge-fer.toml"
    path.write_text("\nthreads = 1\n")
    plan = Plan({}, path)
    plan.read()
    path.write_text("threads = 0\n")
    with pytest.raises(ConfigError, match=":1 threads"):
        plan.read()
    assert f"{path}:2 threads" in str(plan.located(SettingError("threads", "no")))


def test_a_key_in_a_text_is_no_key() -> None:
    text = 'notice = """\nevents = 1\n"""\nsink = [\n  "a",\n  "b",\n]\nevents = 2\n'
    assert places(text)[("events",)] == 8
    assert places(text)[("sink",)] == 4
    assert fault('a = 1\n\n[t]\nb = """\nx\n') == (4, "b")
