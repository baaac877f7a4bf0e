"""A Debian with a real systemd, booted by systemd-nspawn, that is reached by a real ssh."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

BOOT_S = 180
CONFIG = """
Host {name}
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def keys(folder: Path, *names: str) -> None:
    """Ed25519 pairs without a passphrase."""
    for name in names:
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
        )


class Machine:
    """One container; its writes are lost when it ends, but for /opt and /var/lib."""

    def __init__(self, root: Path, folder: Path, name: str = "board") -> None:
        self.root, self.folder, self.name, self.port = root, folder, name, free_port()
        self.ssh_config = folder / "ssh_config"
        self._child: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        keys(folder, "key", "host")
        host = (folder / "host.pub").read_text().split()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host[0]} {host[1]}\n")
        self.ssh_config.write_text(
            CONFIG.format(name=name, port=self.port, user="root", folder=folder)
            + CONFIG.format(name="pi", port=self.port, user="pi", folder=folder)
        )
        (folder / "sshd.conf").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey /etc/ssh/host\n"
            "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUseDNS no\n"
            "AuthorizedKeysFile /etc/ssh/authorized\nMaxStartups 100\n"
        )
        shutil.copy(folder / "key.pub", folder / "authorized")

    def boot(self) -> None:
        """Start it, and wait until ssh answers."""
        binds = {
            "sshd.conf": "/etc/ssh/sshd_config.d/test.conf",
            "host": "/etc/ssh/host",
            "authorized": "/etc/ssh/authorized",
        }
        for kept in ("opt", "etc"):
            (self.folder / kept).mkdir(exist_ok=True)
        command = [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--volatile=overlay",
            "--boot", f"--directory={self.root}", f"--machine=edge-fer-{self.port}",
            f"--bind={self.folder / 'opt'}:/opt", "--link-journal=no", "--resolv-conf=off",
            *(f"--bind-ro={self.folder / name}:{place}" for name, place in binds.items()),
        ]  # fmt: skip
        # A closed stdin would end it at once.
        with open("/dev/zero", "rb") as zero, (self.folder / "console.log").open("ab") as log:
            self._child = subprocess.Popen(command, stdin=zero, stdout=log, stderr=log)
        end = time.monotonic() + BOOT_S
        while self.run("true", check=False).returncode:
            if self._child.poll() is not None or time.monotonic() > end:
                console = (self.folder / "console.log").read_text(errors="replace")
                raise RuntimeError(f"the container did not boot: {console[-2000:]}")
            time.sleep(0.3)

    def run(self, command: str, check: bool = True, **more: object) -> subprocess.CompletedProcess[str]:
        """A shell command in it, as root."""
        words = ["ssh", "-F", str(self.ssh_config), "-oBatchMode=yes", self.name, command]
        settings = {"capture_output": True, "text": True, "timeout": 300, **more}
        return subprocess.run(words, check=check, **settings)  # type: ignore[call-overload,no-any-return]

    def power_off(self) -> None:
        """Pull the plug: nothing is told to end."""
        assert self._child is not None
        self._child.kill()
        self._child.wait()
