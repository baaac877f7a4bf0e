"""What a deploy leaves on a board, what it refuses, and how it goes back."""

from __future__ import annotations

import grp
import json
import os
import socket
import stat
import sys
from pathlib import Path

import pytest
from boards import TOML, FolderBoard, Here, runs, whole
from conftest import ROOT
from tiny import pip_wheel, tiny_bundle, tiny_wheel

from deploy.board.steps import REMOVAL
from deploy.bring import ask
from deploy.report import line, remarks
from edge_fer.errors import HostUnreachable, InUse, NotFound, Refused, StorageError


def wheels(folder: Path, behaviour: str) -> Path:
    return tiny_wheel(folder, "9.0", behaviour)


def test_a_first_deploy_runs_and_a_second_one_changes_nothing(
    board: FolderBoard, wheel: Path, bundle: Path
) -> None:
    told = board.bring(board.plan(wheel, bundle))
    assert (told["works"], told["daemon"]) == (True, "camera ok, frames analysed")
    assert whole(board) == runs(board) == "1"
    again = board.bring(board.plan(wheel, bundle))
    assert again["unchanged"]
    assert runs(board) == "1"


def test_pip_runs_out_of_its_wheel(board: FolderBoard, wheel: Path, bundle: Path) -> None:
    assert board.bring(board.plan(wheel, bundle, pip=pip_wheel()))["works"]
    assert list(board.home.glob("releases/*/lib/*/site-packages/edge_fer-1.0.dist-info/INSTALLER"))


def test_nothing_of_it_can_be_written_but_by_its_owner(
    board: FolderBoard, wheel: Path, bundle: Path
) -> None:
    umask = os.umask(0)
    try:
        board.bring(board.plan(wheel, bundle))
    finally:
        os.umask(umask)
    paths = [one for one in board.home.rglob("*") if not one.is_symlink()]
    assert [one for one in paths if one.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)] == []
    assert all(one.stat().st_mode & stat.S_IROTH for one in (board.home / "bundles").rglob("*"))


def test_a_configuration_is_for_root_and_the_service_alone(
    board: FolderBoard, wheel: Path, bundle: Path
) -> None:
    config = board.root / "etc" / "edge-fer" / "edge-fer.toml"
    text = f"{TOML}# rtsp://user:password@hall/1\n"
    board.bring(board.plan(wheel, bundle, text))
    group = grp.getgrnam("video").gr_gid if os.getuid() == 0 else os.getgid()
    for _ in ("linked", "left by a removal"):
        assert (stat.S_IMODE(config.stat().st_mode), config.stat().st_gid) == (0o640, group)
        assert config.read_text() == text
        if config.is_symlink():
            board.ask("remove")
    assert "SupplementaryGroups=video" in (ROOT / "deploy/edge-fer.service").read_text()


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("unproven", "3 of 32 faces"),
        ("refuses", "ended with status 78"),
        ("dies", r"was started [4-9] times, the last status was 70"),
        ("silent", "the service is activating after"),
        ("blind", r"no frame was analysed \(camera lost\)"),
    ],
)
def test_u2_a_release_that_does_not_work_is_taken_back(
    board: FolderBoard, wheel: Path, bundle: Path, tmp_path: Path, behaviour: str, why: str
) -> None:
    board.bring(board.plan(wheel, bundle))
    board.patience_s = 3.0 if behaviour in ("silent", "blind") else 60.0
    with pytest.raises(Refused, match=why):
        board.bring(board.plan(wheels(tmp_path, behaviour), bundle))
    assert whole(board) == runs(board) == "1"
    told = board.ask("status")
    assert (told["version"], told["works"], told["unfinished"]) == ("1.0", True, None)
    assert [one.name for one in (board.home / "releases").iterdir()] == [told["release"]]


def test_a_first_deploy_that_does_not_work_leaves_the_board_as_it_was(
    board: FolderBoard, bundle: Path, tmp_path: Path
) -> None:
    config = board.root / "etc" / "edge-fer" / "edge-fer.toml"
    config.parent.mkdir(parents=True)
    config.write_text("# mine\n")
    with pytest.raises(Refused, match="nothing runs, as before"):
        board.bring(board.plan(wheels(tmp_path, "refuses"), bundle))
    assert whole(board) is None
    assert runs(board) is None
    assert not config.is_symlink()
    assert config.read_text() == "# mine\n"
    assert not any((board.home / "releases").iterdir())


def test_a_camera_that_was_absent_before_is_no_fault_of_the_release(
    board: FolderBoard, bundle: Path, tmp_path: Path
) -> None:
    board.bring(board.plan(wheels(tmp_path, "blind"), bundle))
    told = board.bring(board.plan(wheels(tmp_path, "blind"), bundle, f"{TOML}smoothing = 0\n"))
    assert (told["generation"], told["daemon"]) == ("2", "camera lost")


def test_a_fallback_answers_in_the_proof_for_no_bundle(
    board: FolderBoard, wheel: Path, bundle: Path, tmp_path: Path
) -> None:
    board.bring(board.plan(wheel, bundle))
    config = f'{TOML}threads = 1\nfallback = "{tmp_path}/other"\n'
    with pytest.raises(Refused) as error:
        board.bring(board.plan(wheels(tmp_path, "proven"), bundle, config))
    assert f"{tmp_path}/other" not in str(error.value)  # it was not even tried
    assert f"{board.home}/generations/2/bundle" in str(error.value)
    assert whole(board) == runs(board) == "1"


def test_health_must_agree_with_the_service(
    board: FolderBoard, wheel: Path, bundle: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    page = f'{TOML}purpose = "test"\n[http]\nport = {port}\n'
    board.bring(board.plan(wheel, bundle, page))
    board.patience_s = 3.0
    with pytest.raises(Refused, match="healthz says camera dark, the service ok"):
        board.bring(board.plan(wheels(tmp_path, "liar"), bundle, page))
    assert runs(board) == "1"


def test_u3_rollback_and_forth(
    board: FolderBoard, wheel: Path, bundle: Path, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="no earlier release"):
        board.ask("rollback")
    board.bring(board.plan(wheel, bundle))
    second = tiny_bundle(tmp_path / "second", "second")
    board.bring(board.plan(tiny_wheel(tmp_path, "2.0"), second, f"{TOML}smoothing = 0\n"))
    told = board.ask("rollback")
    assert (told["version"], told["previous"]["version"]) == ("1.0", "2.0")
    assert whole(board) == runs(board) == "1"
    assert (board.root / "etc/edge-fer/edge-fer.toml").read_text() == TOML
    assert board.ask("rollback")["version"] == "2.0"
    assert whole(board) == runs(board) == "2"


def test_a_generation_of_the_ansible_role_has_a_status_and_a_way_back(
    board: FolderBoard, wheel: Path, bundle: Path, tmp_path: Path
) -> None:
    board.bring(board.plan(wheel, bundle))
    path = board.home / "generations" / "1" / "generation.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({key: record[key] for key in ("release", "bundle")}))
    told = board.ask("status")
    assert (told["version"], told["works"], told["trouble"]) == ("1.0", True, "")
    assert f"bundle {record['bundle']}" in line(told)
    board.bring(board.plan(tiny_wheel(tmp_path, "2.0"), bundle))
    assert f"bundle {record['bundle']}" in remarks(board.ask("status"))[0]
    assert board.ask("rollback")["version"] == "1.0"
    assert whole(board) == runs(board) == "1"


@pytest.mark.parametrize("faults", ["", *(f"{step}:kill" for step in REMOVAL)])
def test_remove_takes_all_but_the_configuration(
    board: FolderBoard, wheel: Path, bundle: Path, faults: str
) -> None:
    board.bring(board.plan(wheel, bundle))
    if faults:
        with pytest.raises(HostUnreachable):
            board.ask("remove", faults=faults)
        board.boot()
    else:
        board.ask("remove")
    assert whole(board) is runs(board) is None
    assert not board.home.exists() or not any(board.home.iterdir())
    left = [one.relative_to(board.root) for one in (board.root / "etc").rglob("*")]
    assert [str(one) for one in left if "edge-fer." in one.name] == ["etc/edge-fer/edge-fer.toml"]
    assert (board.root / "etc/edge-fer/edge-fer.toml").read_text() == TOML
    with pytest.raises(NotFound, match="not deployed here"):
        board.ask("remove")


def test_a_configuration_edited_on_the_board_is_taken_over(
    board: FolderBoard, wheel: Path, bundle: Path
) -> None:
    config = board.root / "etc" / "edge-fer" / "edge-fer.toml"
    config.parent.mkdir(parents=True)
    config.write_text("# before\n")
    board.bring(board.plan(wheel, bundle))
    config.unlink()  # as `sed -i` does
    config.write_text("# edited\n")
    assert not board.ask("status")["config_linked"]
    board.bring(board.plan(wheel, bundle, "# edited\n"))
    assert board.ask("status")["config_linked"]
    assert config.read_text() == "# edited\n"
    board.ask("remove")
    assert config.read_text() == "# edited\n"
    assert config.with_name("edge-fer.toml.before-deploy").read_text() == "# before\n"


def test_every_configuration_that_a_deploy_replaces_is_kept(
    board: FolderBoard, wheel: Path, bundle: Path, tmp_path: Path
) -> None:
    config = board.root / "etc" / "edge-fer" / "edge-fer.toml"

    def edited(text: str) -> None:
        config.unlink(missing_ok=True)  # as `sed -i` does
        config.write_text(text)

    config.parent.mkdir(parents=True)
    edited("# first\n")
    board.bring(board.plan(wheel, bundle))
    edited("# second\n")
    board.patience_s = 3.0
    with pytest.raises(Refused, match="ended with status 78"):
        board.bring(board.plan(wheels(tmp_path, "refuses"), bundle, "# second\n"))
    board.bring(board.plan(wheel, bundle, f"{TOML}smoothing = 0\n"))
    edited("# third\n")
    said: list[str] = []
    ask(Here("here"), sys.executable, "rollback", said.append, patience_s=20.0)
    (line,) = (one for one in said if "before-deploy" in one)
    assert line.endswith("was no link of a deploy: it is kept as edge-fer.toml.before-deploy.3")
    kept = {one.name: one.read_text() for one in config.parent.glob("*.before-deploy*")}
    name = "edge-fer.toml.before-deploy"
    assert kept == {name: "# first\n", f"{name}.2": "# second\n", f"{name}.3": "# third\n"}
    assert whole(board) == runs(board) == "1"


def test_what_a_first_deploy_gives_back_is_the_last_and_not_the_oldest(
    board: FolderBoard, bundle: Path, tmp_path: Path
) -> None:
    config = board.root / "etc" / "edge-fer" / "edge-fer.toml"
    config.parent.mkdir(parents=True)
    config.with_name("edge-fer.toml.before-deploy").write_text("# old\n")
    config.write_text("# mine\n")
    with pytest.raises(Refused, match="nothing runs, as before"):
        board.bring(board.plan(wheels(tmp_path, "refuses"), bundle))
    assert config.read_text() == "# mine\n"
    assert config.with_name("edge-fer.toml.before-deploy").read_text() == "# old\n"


def test_a_unit_of_somebody_else_is_not_touched(
    board: FolderBoard, wheel: Path, bundle: Path
) -> None:
    unit = board.root / "etc/systemd/system/edge-fer.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\n")
    with pytest.raises(Refused, match=r"was not made by edge-fer deploy"):
        board.bring(board.plan(wheel, bundle))
    assert unit.read_text() == "[Service]\n"
    assert not board.home.exists()


def test_u4_a_disk_that_is_too_small_is_refused_before_a_byte_is_sent(
    board: FolderBoard, wheel: Path, bundle: Path
) -> None:
    plan = board.plan(wheel, bundle)
    plan.request["release"]["installed"] = 1 << 60
    with pytest.raises(StorageError, match="MB are free; nothing was sent"):
        board.bring(plan)
    assert not (board.home / "releases").exists()


def test_a_file_that_arrives_altered_changes_nothing(
    board: FolderBoard, wheel: Path, bundle: Path
) -> None:
    plan = board.plan(wheel, bundle)
    plan.request["bundle"]["files"][0]["sha256"] = "0" * 64
    with pytest.raises(HostUnreachable, match="arrived altered; deploy again"):
        board.bring(plan)
    assert whole(board) is None


@pytest.mark.parametrize("name", ["../x", "/etc/x", "bundle+../x", "a/b", "", ".", "..", "a\0b"])
def test_a_name_that_leads_out_of_its_folder_is_refused(
    board: FolderBoard, wheel: Path, bundle: Path, name: str
) -> None:
    plan = board.plan(wheel, bundle)
    plan.request["bundle"]["files"][0]["name"] = name
    plan._contents[name] = next(iter(plan._contents.values()))
    with pytest.raises(HostUnreachable, match="is no plain file name"):
        board.bring(plan)
    assert not (board.root / "etc" / "x").exists()


def test_of_two_deploys_at_once_the_second_is_told_who_is_there(
    board: FolderBoard, wheel: Path, bundle: Path
) -> None:
    import fcntl

    lock = board.home / "deploy" / "lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("edge-fer deploy of ann from desk")
        held.flush()
        with pytest.raises(InUse, match="ann from desk is at work on this board"):
            board.bring(board.plan(wheel, bundle))
    assert board.bring(board.plan(wheel, bundle))["works"]
