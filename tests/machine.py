"""A Debian with a real systemd, booted by systemd-nspawn, and reached by a real ssh."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from sshd import free_port, new_keys, ssh_config

BOOT_S = 300
NSPAWN = """
mount -t overlay overlay -o lowerdir={root},upperdir={here}/upper,workdir={here}/work {here}/root
exec systemd-nspawn --quiet --register=no --keep-unit --boot --directory={here}/root \
  --machine=edge-fer-{port} --link-journal=no --resolv-conf=off
"""
"""The mount lives in a namespace of its own, and ends with the container."""


class Machine:
    """What is written stays for the next boot; the tree below it is never touched."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self._script = NSPAWN.format(root=root, here=folder, port=self.port)
        self._child: subprocess.Popen[bytes] | None = None
        for name in ("upper/etc/ssh/sshd_config.d", "work", "root"):
            (folder / name).mkdir(parents=True)
        new_keys(folder, "key", "host", "stranger")
        self.ssh_config = ssh_config(folder, self.port, "root")
        etc = folder / "upper" / "etc" / "ssh"
        for source, name, mode in (("host", "host", 0o600), ("key.pub", "authorized", 0o644)):
            shutil.copy(folder / source, etc / name)
            (etc / name).chmod(mode)
        (etc / "sshd_config.d" / "test.conf").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey /etc/ssh/host\nUseDNS no\n"
            "PermitRootLogin prohibit-password\nPasswordAuthentication no\nMaxStartups 100\n"
            "AuthorizedKeysFile /etc/ssh/authorized\n"
        )

    def boot(self) -> None:
        """Start it, and wait until ssh answers and all units have been started."""
        log = self._folder / "console.log"
        # A closed stdin would end it at once.
        with open("/dev/zero", "rb") as zero, log.open("ab") as console:
            self._child = subprocess.Popen(
                ["unshare", "--mount", "sh", "-ec", self._script],
                stdin=zero, stdout=console, stderr=console,
            )  # fmt: skip
        end = time.monotonic() + BOOT_S
        while self.run("true", check=False).returncode:
            if self._child.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"no boot: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.3)
        self.run("systemctl is-system-running --wait", check=False)

    def run(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A shell command in it, as root."""
        words = ["ssh", "-F", str(self.ssh_config), "-oBatchMode=yes", "-oLogLevel=ERROR"]
        done = subprocess.run(
            [*words, "board", command], capture_output=True, text=True, timeout=600, check=False
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def say(self, command: str) -> str:
        """What a command says."""
        return self.run(command).stdout.strip()

    def power_cut(self) -> None:
        """Nothing in it is told to end."""
        if self._child is None:
            return
        pid = self._child.pid
        first = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        # The container outlives its keeper; its first process takes all others along.
        for one in (*map(int, first), pid):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self._child.wait()
        self._child = None
        end = time.monotonic() + BOOT_S
        while not self.run("true", check=False).returncode:
            assert time.monotonic() < end, "it still answers"
            time.sleep(0.1)
