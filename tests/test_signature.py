"""Signed bundles, against the real minisign."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import RunCli
from fakes import fake_bundle
from running import fake_parts

from edge_fer.bundle import MANIFEST, open_bundle
from edge_fer.config import RunConfig
from edge_fer.daemon.model import load_model, open_model
from edge_fer.errors import BundleError, ConfigError, NotFound, StorageError
from edge_fer.signature import SUFFIX, PublicKey, make_keys, sign

CONTENT = b'{"schema": "edge-fer/bundle/1"}\n'


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    make_keys(tmp_path / "a.key", tmp_path / "a.pub")
    return tmp_path / "a.key", tmp_path / "a.pub"


@pytest.fixture
def signed(tmp_path: Path, keys: tuple[Path, Path]) -> Path:
    path = tmp_path / MANIFEST
    path.write_bytes(CONTENT)
    sign(path, keys[0])
    return path


@pytest.fixture
def minisign() -> str:
    found = shutil.which("minisign")
    if found is None:
        pytest.skip("minisign is not installed: its word on our signatures is left out")
    return found


def test_a_signature_is_accepted_by_its_own_key(signed: Path, keys: tuple[Path, Path]) -> None:
    assert "sha256:" in PublicKey.load(keys[1]).check(signed, CONTENT)


def test_minisign_accepts_what_was_signed_here(
    signed: Path, keys: tuple[Path, Path], minisign: str
) -> None:
    done = subprocess.run(
        [minisign, "-Vm", signed, "-p", keys[1]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Signature and comment signature verified" in done.stdout


def test_what_minisign_signed_is_accepted_here(tmp_path: Path, minisign: str) -> None:
    path = tmp_path / MANIFEST
    path.write_bytes(CONTENT)
    secret, public = tmp_path / "m.key", tmp_path / "m.pub"
    subprocess.run(
        [minisign, "-G", "-W", "-s", secret, "-p", public], check=True, capture_output=True
    )
    subprocess.run(
        [minisign, "-Sm", path, "-s", secret, "-t", "hall"], check=True, capture_output=True
    )
    assert PublicKey.load(public).check(path, CONTENT) == "hall"


@pytest.mark.parametrize("where", [0, len(CONTENT) // 2, len(CONTENT) - 1])
def test_a_changed_byte_is_noticed(signed: Path, keys: tuple[Path, Path], where: int) -> None:
    altered = bytearray(CONTENT)
    altered[where] ^= 1
    with pytest.raises(BundleError, match="altered after it was signed"):
        PublicKey.load(keys[1]).check(signed, bytes(altered))


def test_a_changed_comment_is_noticed(signed: Path, keys: tuple[Path, Path]) -> None:
    path = signed.with_name(MANIFEST + SUFFIX)
    path.write_text(path.read_text().replace("file:", "fiel:"))
    with pytest.raises(BundleError, match="does not fit"):
        PublicKey.load(keys[1]).check(signed, CONTENT)


def test_another_key_is_refused_by_name(
    tmp_path: Path, signed: Path, keys: tuple[Path, Path]
) -> None:
    make_keys(tmp_path / "b.key", tmp_path / "b.pub")
    with pytest.raises(BundleError, match=r"made with key [0-9A-F]{16}, trusted is [0-9A-F]{16}"):
        PublicKey.load(tmp_path / "b.pub").check(signed, CONTENT)


def test_an_unsigned_file_is_refused(signed: Path, keys: tuple[Path, Path]) -> None:
    signed.with_name(MANIFEST + SUFFIX).unlink()
    with pytest.raises(BundleError, match="not signed"):
        PublicKey.load(keys[1]).check(signed, CONTENT)


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\xff" * 4000, b"a\nb\nc\nd\n"])
def test_a_file_that_is_no_signature_is_one_line(
    signed: Path, keys: tuple[Path, Path], content: bytes
) -> None:
    signed.with_name(MANIFEST + SUFFIX).write_bytes(content)
    with pytest.raises(BundleError, match="not a minisign signature"):
        PublicKey.load(keys[1]).check(signed, CONTENT)


@pytest.mark.parametrize("content", [b"", b"junk\n", b"\xff" * 300, b"x" * 5000])
def test_a_file_that_is_no_key_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="bad: "):
        PublicKey.load(path)
    with pytest.raises(ConfigError, match="bad: "):
        sign(path, path)


def test_absent_keys_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such public key"):
        PublicKey.load(tmp_path / "none")
    with pytest.raises(NotFound, match="no such secret key"):
        sign(tmp_path / "x", tmp_path / "none")


def test_a_secret_key_is_private_and_never_replaced(keys: tuple[Path, Path]) -> None:
    assert keys[0].stat().st_mode & 0o777 == 0o600
    with pytest.raises(StorageError, match="never replaced"):
        make_keys(*keys)


def test_the_command_signs_a_bundle_that_still_opens(
    tmp_path: Path, tflite_bundle: Path, cli: RunCli
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(tflite_bundle, folder)
    assert cli("keys", tmp_path / "mine").returncode == 0
    done = cli("sign", folder, "--key", tmp_path / "mine.key")
    assert done.returncode == 0, done.stderr
    open_bundle(folder)
    key = PublicKey.load(tmp_path / "mine.pub")
    assert key.check(folder / MANIFEST, (folder / MANIFEST).read_bytes())


def test_a_damaged_bundle_is_not_signed(tmp_path: Path, tflite_bundle: Path, cli: RunCli) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(tflite_bundle, folder)
    next(folder.glob("*.tflite")).write_bytes(b"x")
    cli("keys", tmp_path / "mine")
    done = cli("sign", folder, "--key", tmp_path / "mine.key")
    assert done.returncode == 78
    assert not (folder / (MANIFEST + SUFFIX)).exists()


@pytest.fixture
def bundle(tmp_path: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_parts(monkeypatch)
    folder = fake_bundle(tmp_path / "bundle").path
    sign(folder / MANIFEST, keys[0])
    return folder


class TestWithATrustedKey:
    def test_a_signed_bundle_serves(self, bundle: Path, keys: tuple[Path, Path]) -> None:
        assert load_model(RunConfig(trusted_key=keys[1]), bundle).bundle.path == bundle

    def test_an_unsigned_one_is_refused(self, bundle: Path, keys: tuple[Path, Path]) -> None:
        (bundle / (MANIFEST + SUFFIX)).unlink()
        with pytest.raises(BundleError, match="not signed"):
            load_model(RunConfig(trusted_key=keys[1]), bundle)

    def test_an_altered_one_is_refused(self, bundle: Path, keys: tuple[Path, Path]) -> None:
        manifest = bundle / MANIFEST
        manifest.write_text(manifest.read_text().replace('"name": "', '"name": "x'))
        with pytest.raises(BundleError, match="altered after it was signed"):
            load_model(RunConfig(trusted_key=keys[1]), bundle)

    def test_the_fallback_is_not_excepted(self, bundle: Path, keys: tuple[Path, Path]) -> None:
        (bundle / (MANIFEST + SUFFIX)).unlink()
        with pytest.raises(BundleError, match="not signed"):
            open_model(RunConfig(trusted_key=keys[1], bundle=Path("/none"), fallback=bundle))

    def test_a_key_that_is_not_there_lets_nothing_start(self, bundle: Path) -> None:
        with pytest.raises(NotFound, match="no such public key"):
            load_model(RunConfig(trusted_key=Path("/none.pub")), bundle)
