"""`edge-fer setup-ncs`: the environment is made by the real pip, or one line says why not."""

from pathlib import Path

import pytest
from conftest import RunCli
from sticks import stick_home

from edge_fer.engines import myriad_home
from edge_fer.engines.myriad_home import STAMP, home, python_of
from edge_fer.errors import ConfigError, MissingExtra

__all__ = ["stick_home"]  # a fixture


def test_a_made_environment_is_whole_and_has_the_pinned_packages(stick_home: Path) -> None:
    assert python_of(stick_home).exists()
    site = stick_home / "lib"
    assert list(site.glob("python3.*/site-packages/openvino-2021.4.2.dist-info"))
    assert not list(stick_home.parent.glob(f".{stick_home.name}.new*"))


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--python", "/nowhere/python"), 78, "is no Python, need Python 3.9"),
        (("--python", "/bin/true"), 78, "is no Python, need Python 3.9"),
    ],
)
def test_a_wrong_python_is_one_line(
    tmp_path: Path, cli: RunCli, arguments: tuple[str, ...], status: int, said: str
) -> None:
    done = cli("setup-ncs", "--dir", tmp_path / "new", *arguments)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_without_a_python_it_says_what_brings_one(tmp_path: Path, cli: RunCli) -> None:
    bare = {"PATH": "/nowhere", "HOME": str(tmp_path)}
    done = cli("setup-ncs", "--dir", tmp_path / "new", env=bare)
    assert done.returncode == 69
    assert "uv python install 3.9" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_of_somebody_else_is_left_alone(
    tmp_path: Path, cli: RunCli, stick_home: Path
) -> None:
    """Another virtual environment too: only one of ours is ever replaced."""
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    python = myriad_home.find_python(None)
    done = cli("setup-ncs", "--dir", tmp_path, "--python", python)
    assert done.returncode == 74
    assert "holds something else" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["pyvenv.cfg"]


def test_an_install_that_fails_leaves_nothing(
    tmp_path: Path, stick_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(myriad_home, "PACKAGES", ("openvino==2021.4.2.99",))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(MissingExtra, match=r"pip cannot install openvino==2021\.4\.2: .*\.99"):
        myriad_home.make(tmp_path / "new", myriad_home.find_python(None), lambda line: None)
    assert list(tmp_path.iterdir()) == []


def test_a_board_with_another_processor_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(ConfigError, match="made for x86-64, not for aarch64"):
        myriad_home.find_python(None)


def test_the_folder_is_the_variables_or_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_FER_NCS", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.delenv("EDGE_FER_NCS")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path / ".local/share/edge-fer/ncs"


def test_a_stamp_alone_is_no_environment(tmp_path: Path) -> None:
    (tmp_path / STAMP).write_text("{}")
    with pytest.raises(MissingExtra, match="is not whole"):
        python_of(tmp_path)
