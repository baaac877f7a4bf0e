"""A booted Debian for `make test-systemd`; elsewhere these tests are skipped, aloud."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from machine import Machine
from sshd import free_port
from turns import Deploy, Turns

from deploy.own_wheel import built
from edge_fer.bundle import open_bundle

BUNDLE = "EDGE_FER_SYSTEMD_BUNDLE"
TOML = """version = 1
camera = "synthetic:faces=1,fps=1"
camera-id = "{name}"
purpose = "test of the service"
sink = ["jsonl:-"]
[http]
port = {port}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without the target nothing of this folder is even set up."""
    if BUNDLE not in os.environ:
        reason = "needs a booted systemd: make test-systemd (root, Debian)"
        for item in items:
            if "systemd" in item.path.parts[-2:-1]:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    root = subprocess.run(
        [ROOT / "tests" / "root.sh", "systemd", "bookworm"],
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout.strip()  # fmt: skip
    with tempfile.TemporaryDirectory(dir=ROOT / ".cache" / "systemd") as folder:
        one = Machine(Path(root), Path(folder))
        one.boot()
        try:
            yield one
        finally:
            one.power_cut()


@pytest.fixture(scope="session")
def port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def bundle() -> Path:
    return Path(os.environ[BUNDLE])


@pytest.fixture(scope="session")
def other_bundle(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model under another name, and so another bundle."""
    return renamed(bundle, tmp_path_factory.mktemp("bundles") / "other", "other")


def renamed(bundle: Path, target: Path, name: str) -> Path:
    shutil.copytree(bundle, target)
    manifest = target / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "name": name}))
    open_bundle(target)
    return target


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """edge-fer as it is, under another version, and one that fails as a service alone."""
    folder = tmp_path_factory.mktemp("wheels")
    now = built(offline=False)
    ends = "import os, sys\nif os.environ.get('NOTIFY_SOCKET'): sys.exit(70)\n"
    return {
        "now": now,
        "next": reversioned(now, folder, "99.1"),
        "broken": reversioned(now, folder, "99.2", ends),
    }


def reversioned(wheel: Path, folder: Path, version: str, before: str = "") -> Path:
    """The same wheel as another version, with some words before its command line's first."""
    old = wheel.name.split("-")[1]
    target = folder / wheel.name.replace(old, version)
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w") as copy:
        for one in source.namelist():
            data = source.read(one)
            if one == "edge_fer/cli.py":
                data = data.replace(
                    b"from edge_fer.commands", before.encode() + b"from edge_fer.commands", 1
                )
            if one.endswith("/METADATA"):
                data = data.replace(
                    f"\nVersion: {old}\n".encode(), f"\nVersion: {version}\n".encode()
                )
            if one.endswith("/RECORD"):
                data = b""  # pip needs none to install, and this one no longer fits
            copy.writestr(one.replace(f"-{old}.", f"-{version}."), data)
    return target


@pytest.fixture(scope="session")
def deploy(machine: Machine, port: int, tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """The command as a person types it; its time and words go to the log."""

    def run(
        *words: str | Path, config: str = "", faults: str = "", name: str = "one"
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "edge_fer.cli", "deploy", *map(str, words)]
        command += [f"--ssh-config={machine.ssh_config}"]
        if words[0] == "board":
            toml = tmp_path_factory.mktemp("config") / "edge-fer.toml"
            toml.write_text(config or TOML.format(port=port, name=name))
            command += [f"--config={toml}"]
            # No speed is tested here: the machine may be busy.
            command += [] if any("--wait" in str(word) for word in words) else ["--wait=600"]
        around = {**os.environ, "EDGE_FER_DEPLOY_FAULTS": faults}
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, env=around, check=False)
        print(f"{time.monotonic() - began:.1f} s, status {done.returncode}")
        print(done.stdout + done.stderr)
        return done

    return run


@pytest.fixture(scope="session")
def deployed(
    machine: Machine, deploy: Deploy, bundle: Path, wheels: dict[str, Path]
) -> subprocess.CompletedProcess[str]:
    """The first deploy, measured: its words have its seconds and the bytes that were sent."""
    deploy("board", f"--bundle={bundle}", f"--wheel={wheels['now']}", "--dry-run")  # fetches
    done = deploy("board", f"--bundle={bundle}", f"--wheel={wheels['now']}")
    assert done.returncode == 0, done.stderr
    print("installed:", machine.say("cd /opt/edge-fer; du -sBM releases bundles wheels"))
    return done


@pytest.fixture(scope="session")
def turns(
    deployed: object, machine: Machine, deploy: Deploy, wheels: dict[str, Path],
    bundle: Path, other_bundle: Path,
) -> Iterator[Turns]:  # fmt: skip
    both = Turns(machine, deploy, wheels, [bundle, other_bundle])
    now = both.settled()
    if now != "99.1":
        assert both.bring("99.1").returncode == 0
    yield both
    print("\nkill matrix:", dict(both.counts))
