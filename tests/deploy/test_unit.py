"""The systemd unit, by systemd's own word."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

UNIT = ROOT / "deploy" / "edge-fer.service"
ASKED_EXPOSURE = 3.0


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed: its word on the unit is left out")
    return found


def verified(analyze: str, folder: Path, text: str) -> str:
    """What `verify` complains of; the program need not be installed here."""
    unit = folder / UNIT.name
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    done = subprocess.run(
        [analyze, "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    # Units of the machine itself may be at fault: only lines about this one count.
    return "\n".join(line for line in done.stderr.splitlines() if UNIT.name in line)


def test_verify_is_silent(analyze: str, tmp_path: Path) -> None:
    assert verified(analyze, tmp_path, UNIT.read_text()) == ""


def test_verify_would_see_a_misspelt_key(analyze: str, tmp_path: Path) -> None:
    text = UNIT.read_text().replace("WatchdogSec=", "WatchdogSecs=")
    assert "WatchdogSecs" in verified(analyze, tmp_path, text)


def test_the_exposure_is_low(analyze: str) -> None:
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", UNIT],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    if found is None:
        pytest.skip(f"this systemd cannot judge a unit offline: {done.stderr.strip()[:80]}")
    assert float(found[1]) <= ASKED_EXPOSURE


@pytest.mark.parametrize(
    "line",
    [
        "Type=notify",
        "WatchdogSec=30",
        "Restart=always",
        "RestartPreventExitStatus=78",
        "StartLimitIntervalSec=0",
        "TimeoutStopSec=10",
        "DynamicUser=yes",
        "UMask=0077",
        "LimitCORE=0",
    ],
)
def test_what_clients_rely_on_is_there(line: str) -> None:
    assert line in UNIT.read_text().splitlines()
