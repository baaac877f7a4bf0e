"""What the unit promises, kept by a real systemd: readiness, watchdog, user, a closed system."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable

import pytest
from machine import Machine

PATIENCE_S = 600
"""For the unit's 30 s, the end, and a start on a busy machine: no speed is tested here."""


@pytest.fixture(autouse=True)
def _(deployed: object) -> None:
    """There is something to look at."""


def shown(machine: Machine, name: str) -> str:
    return machine.say(f"systemctl show edge-fer --value --property {name}")


def test_it_is_ready_and_says_what_it_does(machine: Machine) -> None:
    assert shown(machine, "Type") == "notify"
    assert shown(machine, "ActiveState") == "active"
    assert shown(machine, "StatusText") == "camera ok, frames analysed"


def test_its_user_is_its_own_and_has_no_rights(machine: Machine) -> None:
    pid = shown(machine, "MainPID")
    status = dict(
        line.split(":\t", 1) for line in machine.say(f"cat /proc/{pid}/status").splitlines()
    )
    assert 61184 <= int(status["Uid"].split()[0]) <= 65519  # systemd's range for dynamic users
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert {int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}


@pytest.mark.parametrize(
    "place", ["/opt/edge-fer/bundles", "/opt/edge-fer/current", "/etc/edge-fer", "/usr", "/etc"]
)
def test_it_can_write_nothing_that_it_runs(machine: Machine, place: str) -> None:
    pid = shown(machine, "MainPID")
    user = machine.say(f"stat --format %u /proc/{pid}")
    became = f"setpriv --reuid {user} --regid {user} --clear-groups"
    done = machine.run(f"nsenter --mount --target {pid} {became} touch {place}/x", check=False)
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr or "Permission denied" in done.stderr


def test_what_it_may_write_is_private(machine: Machine) -> None:
    pid = shown(machine, "MainPID")
    machine.run(f"nsenter --mount --target {pid} touch /var/lib/edge-fer/x")
    assert machine.say("stat --format %a /var/lib/private") == "700"
    assert machine.run(f"nsenter --mount --target {pid} ls /home", check=False).stdout == ""


def test_every_file_of_a_bundle_is_roots(machine: Machine) -> None:
    assert machine.say("find /opt/edge-fer ! -user root -o -perm /022 ! -type l") == ""


def test_memory_and_tasks_are_bounded(machine: Machine) -> None:
    assert (shown(machine, "MemoryMax"), shown(machine, "TasksMax")) == (str(512 << 20), "64")


def test_the_exposure_is_low(machine: Machine) -> None:
    said = machine.say("systemd-analyze security --no-pager edge-fer")
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found is not None
    print(f"exposure {found[1]}")
    assert float(found[1]) <= 3.0


def test_the_journal_has_what_it_says_of_itself_and_no_events(
    deploy: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    said = deploy("logs", "board", "--lines=400").stdout
    assert "on CPU executing int8" in said
    assert "edge-fer/event/1" not in said


def test_g3_stopped_it_is_killed_by_the_watchdog_and_started_again(machine: Machine) -> None:
    pid, before = shown(machine, "MainPID"), int(shown(machine, "NRestarts"))
    began = time.monotonic()
    machine.run(f"kill -STOP {pid}")
    while shown(machine, "MainPID") in (pid, "0") or shown(machine, "ActiveState") != "active":
        assert time.monotonic() < began + PATIENCE_S
        time.sleep(0.5)
    print(f"running again {time.monotonic() - began:.0f} s after SIGSTOP")
    assert int(shown(machine, "NRestarts")) == before + 1
    assert "Watchdog timeout" in machine.say("journalctl --unit edge-fer --no-pager --lines 200")


def test_after_a_power_cut_it_runs_again(machine: Machine) -> None:
    machine.power_cut()
    machine.boot()
    end = time.monotonic() + PATIENCE_S
    while shown(machine, "StatusText") != "camera ok, frames analysed":
        assert time.monotonic() < end
        time.sleep(0.5)
