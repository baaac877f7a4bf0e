"""Rows F1 to F5 of the fault table: a configuration is whole or refused, and never less strict."""

import os
import random
import stat
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import RunCli

from edge_fer.errors import ConfigError
from edge_fer.settings import Plan
from edge_fer.settings.keys import KEYS
from edge_fer.sinks.http.settings import read_settings, token_hash

GOOD = [
    'camera = "synthetic:faces=1"', 'purpose = "art"', "threads = 1", "smoothing = 0.5",
    "most-faces = 3", 'roi = "0,0,1,1"', 'sink = ["jsonl:-"]', "aggregate = 30",
]  # fmt: skip
SECURITY = [
    "http-allow-remote",
    "purpose",
    "aggregate",
    "aggregate-public",
    "http.token",
    "trusted-key",
]
SECURITY += ["mqtt.tls", "mqtt.ca", "mqtt.user", "mqtt.password_file"]
VALUES = {"http-allow-remote": "true", "aggregate-public": "true", "aggregate": "60"}
VALUES |= {"mqtt.tls": "true"}


def broken_files(number: int) -> Iterator[tuple[str, int, str]]:
    """Text, line and key of generated files, each with one fault of one of five kinds."""
    chance = random.Random(5)
    for i in range(number):
        lines = chance.sample(GOOD, chance.randint(2, len(GOOD)))
        place = chance.randrange(len(lines))
        key, _, value = lines[place].partition(" = ")
        kind = ("syntax", "unknown", "type", "duplicate", "value")[i % 5]
        if kind == "syntax":
            lines[place] = chance.choice([f'{key} = "x', f"{key} = ", f"{key} = 1 2", f"{key} =="])
        elif kind == "unknown":
            key = misspelt(key, chance)
            lines[place] = f"{key} = {value}"
        elif kind == "type":
            lines[place] = f"{key} = 1979-05-27"
        elif kind == "duplicate":
            lines.insert(place + 1, f"{key} = {value}")
            place += 1
        else:
            key = "threads"
            lines = [one for one in lines if not one.startswith("threads")]
            place = chance.randint(0, len(lines))
            lines.insert(place, "threads = 0")
        before = chance.randint(0, 3)
        yield "\n" * before + "\n".join(lines) + "\n", before + place + 1, key


def misspelt(key: str, chance: random.Random) -> str:
    """The key with one letter changed, left out, doubled or swapped; never a known one."""
    while True:
        i = chance.randrange(len(key))
        changed = chance.choice(
            [
                key[:i] + chance.choice(string.ascii_lowercase) + key[i + 1 :],
                key[:i] + key[i + 1 :],
                key[:i] + key[i] + key[i:],
                key[:i] + key[i + 1 : i + 2] + key[i] + key[i + 2 :],
            ]
        )
        if changed not in (key, "") and changed not in KEYS and changed[0] != "-":
            return changed


def test_f1_each_of_200_broken_files_is_refused_by_line_and_key(tmp_path: Path) -> None:
    path = tmp_path / "edge-fer.toml"
    named = 0
    for text, line, key in broken_files(200):
        path.write_text(text)
        with pytest.raises(ConfigError) as caught:
            Plan({}, path).read()
        assert str(caught.value).startswith(f"{path}:{line} {key}: "), text
        named += 1
    assert named == 200


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_f1_a_start_and_a_check_say_the_same_and_exit_78(
    cli: RunCli, tmp_path: Path, check: tuple[str, ...]
) -> None:
    path = tmp_path / "edge-fer.toml"
    path.write_text('camera = "0"\nnotise = "x"\n')
    done = cli("run", "--config", path, *check)
    assert done.returncode == 78
    assert done.stderr == f"edge-fer: {path}:2 notise: unknown key; did you mean notice?\n"


def document(key: str, written: str) -> str:
    table = key.rpartition(".")[0]
    value = VALUES.get(key, '"x"')
    line = f"{written} = {value}\n"
    top = 'purpose = "art"\n' if key != "purpose" else 'sink = ["jsonl:-"]\n'
    return f"{top}[{table}]\n{line}" if table else top + line


@pytest.mark.parametrize("key", SECURITY)
def test_f3_a_security_key_with_one_letter_changed_never_starts(tmp_path: Path, key: str) -> None:
    path, chance = tmp_path / "edge-fer.toml", random.Random(3)
    name = key.rpartition(".")[2]
    for _ in range(50):
        written = misspelt(name, chance)
        path.write_text(document(key, written))
        with pytest.raises(ConfigError, match="unknown key"):
            Plan({}, path).read()


@pytest.mark.parametrize("spelt", ["tokn=f", "Token=f", "token =f", "auth=no"])
def test_f3_in_a_spec_too(spelt: str) -> None:
    with pytest.raises(ConfigError, match="unknown option"):
        read_settings(f"0.0.0.0:8787,names=a,{spelt}", allow_remote=True)


@pytest.mark.parametrize(("content", "mode"), [(None, 0o600), ("", 0o600), ("x" * 40, 0o644)])
def test_f4_a_token_file_missing_empty_or_open_to_others_is_refused(
    tmp_path: Path, content: str | None, mode: int
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(ConfigError, match="token"):
        token_hash(read_settings(f"0.0.0.0:0,names=a,token={path}", allow_remote=True))


def test_f5_a_read_only_configuration_folder_is_enough(cli: RunCli, tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    path = folder / "edge-fer.toml"
    path.write_text('camera = "images:nowhere"\n')
    path.chmod(0o400)
    folder.chmod(0o500)
    before = stat.S_IMODE(os.stat(folder).st_mode), os.stat(folder).st_mtime_ns
    Plan({}, path).read()
    assert (stat.S_IMODE(os.stat(folder).st_mode), os.stat(folder).st_mtime_ns) == before


@pytest.mark.parametrize("version", ["2", "0", '"1"', "1.0", "true"])
def test_f2_a_file_of_another_form_is_refused_by_its_version(tmp_path: Path, version: str) -> None:
    path = tmp_path / "edge-fer.toml"
    path.write_text(f'camera = "0"\nversion = {version}\nof_the_future = 1\n')
    with pytest.raises(ConfigError) as caught:
        Plan({}, path).read()
    assert str(caught.value).startswith(f"{path}:2 version: is ")
    assert str(caught.value).endswith("this edge-fer reads version 1")


def test_f2_the_shipped_file_says_its_version_and_one_that_says_none_is_of_the_first(
    tmp_path: Path,
) -> None:
    shipped = Path(__file__).parents[2] / "deploy" / "edge-fer.toml"
    assert "\nversion = 1\n" in shipped.read_text()
    path = tmp_path / "edge-fer.toml"
    path.write_text('camera = "synthetic:"\n')
    assert Plan({}, path).read().camera == "synthetic:"
