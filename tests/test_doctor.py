import subprocess
import sys
from pathlib import Path

import pytest

from edge_fer import doctor
from edge_fer.doctor import Finding, hardware, packages
from edge_fer.doctor.finding import trial

HANG_GUARD_S = 120


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """The root of a Raspberry Pi that is hot, slow and without a camera."""
    files = {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
        "proc/meminfo": "MemTotal: 1000000 kB\nMemAvailable: 204800 kB\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
        "sys/class/thermal/thermal_zone0/temp": "84500\n",
        "sys/class/thermal/thermal_zone1/temp": "not a number\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "dev").mkdir()
    return tmp_path


def about(findings: object, topic: str) -> Finding:
    return next(f for f in findings if f.topic == topic)  # type: ignore[attr-defined]


def test_here_edge_fer_can_run() -> None:
    findings = doctor.examine()
    assert doctor.fit_to_run(findings)
    assert doctor.report(findings).endswith("edge-fer can run here.")


def test_looking_imports_nothing_heavy() -> None:
    script = (
        "import sys; from edge_fer import doctor; doctor.examine(); "
        "print([m for m in ('tensorflow', 'keras', 'nncf', 'openvino') if m in sys.modules])"
    )
    child = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=HANG_GUARD_S,
        check=True,
    )
    assert child.stdout == "[]\n"


def test_a_missing_thing_comes_with_its_command() -> None:
    findings = [Finding("numpy", "missing", "not installed", "pip install numpy")]
    text = doctor.report(findings)
    assert "MISSING  numpy" in text
    assert "$ pip install numpy" in text
    assert not doctor.fit_to_run(findings)


def test_an_absent_workshop_does_not_keep_the_daemon_from_running() -> None:
    assert doctor.fit_to_run([Finding("tensorflow", "optional", "not installed", "pip install x")])


@pytest.mark.parametrize(
    ("text", "state"), [("glibc 2.36", "ok"), ("glibc 2.17", "warning"), ("", "warning")]
)
def test_an_old_c_library_is_a_warning(text: str, state: str) -> None:
    assert packages._glibc(text).state == state


def test_without_any_runtime_run_cannot_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "version", lambda distribution: None)
    tflite, openvino = packages.runtimes()
    assert (tflite.state, openvino.state) == ("missing", "optional")
    assert tflite.remedy == "pip install ai-edge-litert"


def test_a_broken_runtime_is_found_by_trying_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "trial", lambda code: (False, "ended by SIGILL"))
    tflite, openvino = packages.runtimes()
    assert (tflite.state, openvino.state) == ("missing", "warning")
    assert "SIGILL" in tflite.text


def test_an_absent_workshop_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda module: None)
    finding = about(packages.workshop(), "ai-edge-quantizer")
    assert (finding.state, finding.remedy) == ("optional", "pip install 'edge-fer[convert]'")


def test_opencv_5_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "trial", lambda code: (True, "5.0.0"))
    finding = packages._opencv()
    assert (finding.state, finding.remedy) == ("warning", "pip install 'opencv-python-headless<5'")


def test_a_trial_that_dies_of_a_signal_names_it() -> None:
    works, answer = trial("import os; os.kill(os.getpid(), 4)")
    assert (works, "SIGILL" in answer) == (False, True)


def test_a_trial_that_raises_gives_the_last_line() -> None:
    assert trial("import no_such_module") == (
        False,
        "ModuleNotFoundError: No module named 'no_such_module'",
    )


def test_without_a_camera_the_synthetic_one_is_named(board: Path) -> None:
    finding = about(hardware.cameras(board), "camera")
    assert (finding.state, "synthetic:" in finding.text) == ("warning", True)


def test_a_device_that_is_no_camera_is_a_warning(board: Path) -> None:
    (board / "dev/video0").write_text("")
    assert about(hardware.cameras(board), "camera 0").state == "warning"


def test_a_virtual_environment_that_hides_picamera2_is_found(
    board: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (board / hardware.SYSTEM_PACKAGES / "picamera2").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", "/home/pi/venv")
    finding = about(hardware.cameras(board), "picamera2")
    assert finding.state == "warning"
    assert finding.remedy == "python3 -m venv --system-site-packages /home/pi/venv"


def test_on_a_raspberry_pi_picamera2_is_offered(board: Path) -> None:
    finding = about(hardware.cameras(board), "picamera2")
    assert (finding.state, finding.remedy) == ("optional", "sudo apt install python3-picamera2")


def test_a_hot_slow_board_with_little_memory_is_warned_of(board: Path) -> None:
    findings = list(hardware.machine(board))
    warned = [f.topic for f in findings if f.state == "warning"]
    assert warned == ["memory", "governor", "temperature"]
    assert "Raspberry Pi 4 Model B" in about(findings, "processor").text


def test_a_machine_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    assert [f.topic for f in hardware.machine(tmp_path)] == ["processor"]


def plug_in_a_stick(root: Path) -> None:
    device = root / "sys/bus/usb/devices/1-2"
    device.mkdir(parents=True)
    (device / "idVendor").write_text("03e7\n")


def test_a_stick_without_its_environment_names_the_command(
    board: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_FER_NCS", str(board / "none"))
    absent = packages.stick(board)
    assert (absent.state, absent.remedy) == ("optional", "edge-fer setup-ncs")
    plug_in_a_stick(board)
    assert packages.stick(board).state == "warning"
