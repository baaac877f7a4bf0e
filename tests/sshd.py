"""A real sshd on a free loopback port, with keys of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE_S = 60
HOST = """
Host {name}
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/{key}
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/{known}
  GlobalKnownHostsFile /dev/null
"""


def new_keys(folder: Path, *names: str) -> None:
    """Ed25519 pairs without a passphrase."""
    for name in names:
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
        )


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def known(folder: Path, port: int, key: str) -> str:
    """A line of known_hosts."""
    kind, content = (folder / f"{key}.pub").read_text().split()[:2]
    return f"[127.0.0.1]:{port} {kind} {content}\n"


def ssh_config(folder: Path, port: int, user: str) -> Path:
    """ssh's names for the board: as it should be, with a stranger's key, of another host key."""
    (folder / "known").write_text(known(folder, port, "host"))
    (folder / "unknown").write_text("")
    (folder / "changed").write_text(known(folder, port, "stranger"))
    rows = [
        ("board", port, "key", "known"),
        ("stranger", port, "stranger", "known"),
        ("unknown", port, "key", "unknown"),
        ("changed", port, "key", "changed"),
        ("nobody", free_port(), "key", "known"),
    ]
    path = folder / "ssh_config"
    path.write_text(
        "".join(
            HOST.format(name=name, port=at, user=user, folder=folder, key=key, known=file)
            for name, at, key, file in rows
        )
    )
    return path


@contextmanager
def sshd(folder: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """Serve this machine as the board; gives ssh's configuration. Skips aloud without sshd."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or shutil.which("ssh") is None:
        pytest.skip("sshd is not installed (apt-get install openssh-server): ssh is not tested")
    if os.getuid() != 0:
        pytest.skip("needs root, as which a board is deployed to: ssh is not tested")
    Path("/run/sshd").mkdir(exist_ok=True)
    folder.mkdir()
    new_keys(folder, "key", "host", "stranger")
    port = free_port()
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/key.pub\nStrictModes no\nUsePAM no\nUseDNS no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        f"SetEnv {' '.join(f'{key}={value}' for key, value in environment.items())}\n"
    )
    log = folder / "log"
    with log.open("wb") as file:
        child = subprocess.Popen([program, "-D", "-e", "-f", config], stderr=file)
    try:
        end = time.monotonic() + PATIENCE_S
        while b"listening" not in log.read_bytes():
            assert child.poll() is None, log.read_text()
            assert time.monotonic() < end
            time.sleep(0.02)
        yield ssh_config(folder, port, "root")
    finally:
        child.terminate()
        child.wait()
