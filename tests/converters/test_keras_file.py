"""A Keras file is a program: what is refused before Keras is imported."""

import json
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from conftest import RunCli

from converters.keras_file import MEMBERS, scan
from edge_fer.emotions import LABELS
from edge_fer.errors import BadData, NotFound

TYPE = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"},
        "registered_name": None}  # fmt: skip


def layer(class_name: str, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": class_name, "config": {"dtype": TYPE, **config},
            "registered_name": None}  # fmt: skip


def model(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras", "class_name": "Sequential", "registered_name": "Sequential",
            "config": {"name": "s", "layers": list(layers)}}  # fmt: skip


PLAIN = model(layer("InputLayer"), layer("Conv2D"), layer("Dense", units=7))


def archive(path: Path, config: Any = PLAIN, **more: bytes) -> Path:
    members = {"metadata.json": b"{}", "model.weights.h5": b"\x89HDF"}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in {
            **members,
            "config.json": json.dumps(config).encode(),
            **more,
        }.items():
            file.writestr(name, content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BadData) as caught:
        scan(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_plain_classifier_is_taken(tmp_path: Path) -> None:
    assert scan(archive(tmp_path / "m.keras"))["class_name"] == "Sequential"


def test_layers_that_change_pictures_by_chance_are_stilled(tmp_path: Path) -> None:
    augmented = model(layer("InputLayer"), layer("RandomFlip", name="flip"), layer("Dense"))
    (_, still, _) = scan(archive(tmp_path / "m.keras", augmented))["config"]["layers"]
    assert still["class_name"] == "Activation"
    assert still["config"] == {"name": "flip", "activation": "linear"}


def test_what_the_model_was_trained_with_is_dropped_unread(tmp_path: Path) -> None:
    evil = {"optimizer": layer("Popen", "subprocess", args=["touch", "canary"])}
    assert "compile_config" not in scan(
        archive(tmp_path / "m.keras", PLAIN | {"compile_config": evil})
    )


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (layer("Lambda", function={"class_name": "__lambda__"}), "Lambda"),
        (layer("Popen", "subprocess", args=["touch", "canary"]), "Popen"),
        (layer("function", "builtins", name="eval"), "function"),
        (layer("Dense", "evil"), "evil"),
        (layer("Dense", "keras_evil.layers"), "keras_evil"),
        (layer("Dense") | {"registered_name": "my>Dense"}, "my>Dense"),
        (layer("TFSMLayer", filepath="/tmp/x"), "TFSMLayer"),
        (layer("StringLookup", vocabulary="/etc/passwd"), "StringLookup"),
        (layer("Conv2D", activation={"class_name": "function", "config": "f"}), "function"),
        (layer("Conv2D", deep=[{"a": [layer("get_file", "keras.utils")]}]), "get_file"),
        ({"class_name": ["Dense"], "config": {}}, "Dense"),
        ({"registered_name": "x"}, "None"),
    ],
)  # fmt: skip
def test_everything_that_could_be_code_is_refused_by_name(
    tmp_path: Path, bad: dict[str, Any], named: str
) -> None:
    said = refusal(archive(tmp_path / "m.keras", model(layer("Conv2D"), bad)))
    assert named in said
    assert "refused" in said


@pytest.mark.parametrize("name", ["../evil.py", "/etc/cron.d/x", "assets/vocabulary.txt", "a\\b"])
def test_a_member_that_is_not_known_is_refused(tmp_path: Path, name: str) -> None:
    assert "holds" in refusal(archive(tmp_path / "m.keras", **{name: b"x"}))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.keras"]


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("config.json", json.dumps(model(layer("Lambda"))))
    assert "once" in refusal(path)


def test_a_bomb_is_refused_unpacked(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "m.keras", **{"model.weights.h5": bytes(200 * 2**20)})
    assert bomb.stat().st_size < 2**20
    assert "which no model does" in refusal(bomb)


def test_a_member_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    """The directory claims fewer bytes than the packed stream holds."""
    path = archive(tmp_path / "m.keras")
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"config.json"))
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    path.write_bytes(content)
    assert "not a whole .keras file" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 99])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.keras").write_bytes(content)
    assert "not a whole .keras file" in refusal(tmp_path / "m.keras")


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras")
    path.write_bytes(path.read_bytes()[:-30])
    assert "not a whole .keras file" in refusal(path)


@pytest.mark.parametrize("text", [b"[]", b"{", b"\xff", b'{"a":' * 50_000])
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    refusal(archive(tmp_path / "m.keras", **{"config.json": text}))


def test_a_configuration_without_a_model_is_refused(tmp_path: Path) -> None:
    deep: Any = {}
    for _ in range(100):
        deep = {"a": deep}
    assert "nested" in refusal(archive(tmp_path / "m.keras", deep))


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        scan(tmp_path / "none.keras")


def test_nothing_of_weight_is_imported_to_look(tmp_path: Path) -> None:
    import subprocess

    program = (
        "import sys, pathlib; from converters.keras_file import scan; "
        f"scan(pathlib.Path({str(archive(tmp_path / 'm.keras'))!r})); "
        "print({'keras', 'tensorflow', 'h5py', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_the_command_says_it_in_one_line(tmp_path: Path, cli: RunCli) -> None:
    bad = archive(tmp_path / "m.keras", model(layer("Lambda")))
    done = cli("convert", bad, "--fp32", "--labels", ",".join(LABELS), "--out", tmp_path / "out")
    assert done.returncode == 65, done.stderr
    assert "holds a Lambda, which is refused" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_labels_must_be_said(tmp_path: Path, cli: RunCli) -> None:
    done = cli("convert", archive(tmp_path / "m.keras"), "--fp32")
    assert (done.returncode, "--labels neutral,happy" in done.stderr) == (78, True)


def test_the_members_are_the_three_that_keras_writes() -> None:
    assert set(MEMBERS) == {"metadata.json", "config.json", "model.weights.h5"}
