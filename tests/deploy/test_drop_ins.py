"""The drop-ins beside the unit, and the udev rules of the stick, by systemd's own word."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

UNIT = ROOT / "deploy" / "edge-fer.service"
DROP_INS = sorted((ROOT / "deploy" / "systemd").glob("*.conf"))
RULES = ROOT / "deploy" / "udev" / "60-edge-fer-intel-stick.rules"
ASKED_EXPOSURE = 3.0
each = pytest.mark.parametrize("drop_in", DROP_INS, ids=lambda path: path.stem)


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed: its word on the drop-ins is left out")
    return found


def placed(folder: Path, *texts: str) -> Path:
    """The unit with these drop-ins beside it; its program need not be installed here."""
    unit = folder / UNIT.name
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text()))
    beside = folder / f"{UNIT.name}.d"
    beside.mkdir()
    for number, text in enumerate(texts):
        (beside / f"{number}.conf").write_text(text)
    return unit


def complaints(analyze: str, unit: Path) -> list[str]:
    """What `verify` says of the unit and its drop-ins; other units of the machine do not count."""
    command = [analyze, "verify", "--man=no", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [line for line in done.stderr.splitlines() if UNIT.name in line]


def exposure(analyze: str, unit: Path) -> float:
    command = [analyze, "security", "--offline=true", "--no-pager", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    if found is None:
        pytest.skip(f"this systemd cannot judge a unit offline: {done.stderr.strip()[:80]}")
    return float(found[1])


@each
def test_verify_is_silent(analyze: str, drop_in: Path, tmp_path: Path) -> None:
    assert complaints(analyze, placed(tmp_path, drop_in.read_text())) == []


def test_verify_is_silent_about_all_of_them(analyze: str, tmp_path: Path) -> None:
    assert complaints(analyze, placed(tmp_path, *(d.read_text() for d in DROP_INS))) == []


def test_verify_would_see_a_misspelt_key(analyze: str, tmp_path: Path) -> None:
    text = "[Service]\nDevicesAllow=char-media rw\n"
    (line,) = complaints(analyze, placed(tmp_path, text))
    assert "DevicesAllow" in line


@each
def test_the_exposure_stays_low(analyze: str, drop_in: Path, tmp_path: Path) -> None:
    assert exposure(analyze, placed(tmp_path, drop_in.read_text())) <= ASKED_EXPOSURE


def test_the_exposure_of_a_drop_in_that_opens_much_is_seen(analyze: str, tmp_path: Path) -> None:
    text = "[Service]\nProtectSystem=no\nDynamicUser=no\nSystemCallFilter=\nDevicePolicy=auto\n"
    assert exposure(analyze, placed(tmp_path, text)) > ASKED_EXPOSURE


@each
def test_the_unit_names_every_drop_in(drop_in: Path) -> None:
    assert drop_in.stem in UNIT.read_text()


def test_a_reboot_needs_a_limit_that_can_be_reached() -> None:
    text = (ROOT / "deploy" / "systemd" / "reboot.conf").read_text()
    settings = dict(re.findall(r"(?m)^(\w+)=(\w+)$", text))
    interval, burst = int(settings["StartLimitIntervalSec"]), int(settings["StartLimitBurst"])
    assert settings["StartLimitAction"] == "reboot"
    # Each round takes the pause, and at most a start and a watchdog's patience.
    longest_round = int(settings["RestartSec"]) + 90 + 30
    assert 0 < burst * longest_round < interval


def test_udev_accepts_the_rules() -> None:
    udevadm = shutil.which("udevadm")
    if udevadm is None:
        pytest.skip("udevadm is not installed")
    offered = subprocess.run([udevadm, "--help"], capture_output=True, text=True, check=True)
    if "verify" not in offered.stdout:
        pytest.skip("this udevadm has no `verify` (systemd 254 brought it)")
    done = subprocess.run([udevadm, "verify", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("product", ["2485", "f63b"])
def test_the_rules_know_the_stick_before_and_after_its_firmware(product: str) -> None:
    lines = [line for line in RULES.read_text().splitlines() if f'=="{product}"' in line]
    assert len(lines) == 1
    assert 'ATTR{idVendor}=="03e7"' in lines[0]
    assert 'GROUP="video"' in lines[0]
