"""A board of a fleet: a container with systemd and sshd in a network namespace of its own."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import TracebackType

BOOT_S = 120


class Board:
    """Boots when it is entered, and is gone when it is left; only /opt lies on the disk."""

    def __init__(self, root: Path, folder: Path, name: str, number: int) -> None:
        self.root, self.folder, self.name = root, folder, name
        # Of 198.51.100.0/24, which is for documentation (RFC 5737): nobody else's.
        self.here, self.address = (f"198.51.100.{4 * number + end}" for end in (1, 2))
        self.namespace, self.cable = f"edge-fer-{name}", f"ef-{name}"
        self.key = folder / "key"
        self._child: subprocess.Popen[bytes] | None = None
        if not self.key.exists():
            quietly("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))

    @property
    def reached_by(self) -> str:
        """Its variables in an inventory; its host key is known, and checked."""
        options = f"-o UserKnownHostsFile={self.folder}/known_hosts -o IdentitiesOnly=yes"
        return (
            f"ansible_host={self.address} ansible_user=root ansible_ssh_private_key_file={self.key}"
            f" ansible_ssh_common_args='{options}'"
        )

    def __enter__(self) -> Board:
        try:
            self._plug_in()
            self._boot()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._child is not None:
            self._child.terminate()
            self._child.wait(60)
        subprocess.run(["ip", "link", "delete", self.cable], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "delete", self.namespace], check=False, capture_output=True)

    def _plug_in(self) -> None:
        quietly("ip", "netns", "add", self.namespace)
        quietly(
            *("ip", "link", "add", self.cable, "type", "veth"),
            *("peer", "name", "host0", "netns", self.namespace),
        )
        quietly("ip", "address", "add", f"{self.here}/30", "dev", self.cable)
        quietly("ip", "link", "set", self.cable, "up")
        inside = ("ip", "-n", self.namespace)
        quietly(*inside, "address", "add", f"{self.address}/30", "dev", "host0")
        quietly(*inside, "link", "set", "host0", "up")
        quietly(*inside, "link", "set", "lo", "up")

    def _boot(self) -> None:
        host_key = (self.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2]
        with (self.folder / "known_hosts").open("a") as known:
            known.write(f"{self.address} {' '.join(host_key)}\n")
        opt = self.folder / f"opt-{self.name}"
        opt.mkdir()
        command = [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--volatile=overlay",
            "--boot", f"--directory={self.root}", f"--machine={self.namespace}",
            f"--network-namespace-path=/run/netns/{self.namespace}", f"--bind={opt}:/opt",
            f"--bind-ro={self.key}.pub:/root/.ssh/authorized_keys", "--link-journal=no",
        ]  # fmt: skip
        log = (self.folder / f"console-{self.name}.log").open("wb")
        # A closed standard input would end it at once.
        with open("/dev/zero", "rb") as zero, log:
            self._child = subprocess.Popen(command, stdin=zero, stdout=log, stderr=log)
        end = time.monotonic() + BOOT_S
        while self.run("true").returncode:
            if self._child.poll() is not None or time.monotonic() > end:
                raise RuntimeError(
                    f"{self.name} did not boot: {Path(log.name).read_text()[-2000:]}"
                )
            time.sleep(0.5)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """A shell command on it, as root."""
        known = f"UserKnownHostsFile={self.folder}/known_hosts"
        words = ["ssh", "-i", str(self.key), "-o", known, "-o", "BatchMode=yes"]
        words += ["-o", "ConnectTimeout=5", f"root@{self.address}", command]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    def state(self) -> str:
        return self.run("systemctl is-active edge-fer").stdout.strip()

    def current(self) -> str:
        """The generation that `current` leads to; empty for none."""
        return self._named("current")

    def previous(self) -> str:
        return self._named("previous")

    def _named(self, link: str) -> str:
        return self.run(f"readlink /opt/edge-fer/{link}").stdout.strip().rpartition("/")[2]

    def running(self) -> str:
        """The generation whose configuration the main process was started with."""
        said = self.run("tr '\\0' ' ' < /proc/$(systemctl show -P MainPID edge-fer)/cmdline").stdout
        return said.partition("/generations/")[2].partition("/")[0]

    def health(self) -> str:
        """Its own word and the camera's, such as `ok ok`."""
        script = (
            "import json, urllib.request as u; "
            "s = json.load(u.urlopen('http://127.0.0.1:8787/healthz', timeout=5)); "
            "print(s['status'], s['camera_state'])"
        )
        return self.run(f'python3 -c "{script}"').stdout.strip()

    def count(self, folder: str) -> int:
        return len(self.run(f"ls -A /opt/edge-fer/{folder}").stdout.split())


def quietly(*command: str) -> None:
    subprocess.run(command, check=True)
