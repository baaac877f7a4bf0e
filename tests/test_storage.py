"""Files and folders appear whole or not at all."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_fer import storage
from edge_fer.errors import StorageError
from edge_fer.storage import new_folder, prove_folder, write_file

IN_SMALL_TMPFS = """
mount -t tmpfs -o size=64k none "$1" && mkdir "$1/b" && echo old > "$1/b/kept" || exit 1
exec "$2" - "$1" <<'PY'
import sys
from pathlib import Path
from edge_fer.errors import StorageError
from edge_fer.storage import new_folder
place = Path(sys.argv[1])
try:
    with new_folder(place / "b") as scratch:
        (scratch / "model").write_bytes(bytes(200_000))
except StorageError as error:
    print(error)
print(sorted(str(p.relative_to(place)) for p in place.rglob("*")))
PY
"""


def test_a_full_disk_keeps_the_old_folder_and_leaves_no_other(tmp_path: Path) -> None:
    probe = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("no user namespaces here: the full disk is not tried")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", IN_SMALL_TMPFS, "sh", tmp_path, sys.executable],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    said, left = done.stdout.splitlines()
    assert "/b: cannot be written (No space left on device)" in said
    assert left == "['b', 'b/kept']"


def test_a_limit_on_file_size_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(StorageError, match="File too large"):
            write_file(tmp_path / "report", bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_the_block_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with new_folder(tmp_path / "b") as scratch:
            (scratch / "half").write_text("x")
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_replaces_the_older_one(
    tmp_path: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchange:  # an older file system
        monkeypatch.setattr(storage, "_exchange", lambda *_: False)
    for content in ("old", "new"):
        with new_folder(tmp_path / "b") as scratch:
            (scratch / "file").write_text(content)
    assert (tmp_path / "b" / "file").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_a_file_replaces_the_older_one(tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        write_file(tmp_path / "f", content)
    assert (tmp_path / "f").read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_device_or_a_link_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").write_text("kept")
    for name in ("link", "file"):
        with pytest.raises(StorageError, match="not a folder"), new_folder(tmp_path / name):
            pass
    with pytest.raises(StorageError, match="not a regular file"):
        write_file(Path("/dev/null"), b"x")
    assert Path("/dev/null").is_char_device()
    assert (tmp_path / "file").read_text() == "kept"


class TestProveFolder:
    def test_what_can_be_made_passes_and_is_not_made(self, tmp_path: Path) -> None:
        prove_folder(tmp_path / "a" / "b")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["file", "file/below", "gone", "gone/below"])
    def test_what_is_no_folder_is_refused(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").write_text("")
        (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
        with pytest.raises(StorageError, match=f"{name.split('/')[0]} is not a folder"):
            prove_folder(tmp_path / name)

    def test_a_device_holds_no_folder(self) -> None:
        with pytest.raises(StorageError, match="/dev/full is not a folder"):
            prove_folder(Path("/dev/full/x"))

    def test_nothing_can_be_made_where_nobody_may_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
        with pytest.raises(StorageError, match=f"{tmp_path} cannot be written"):
            prove_folder(tmp_path / "a")
