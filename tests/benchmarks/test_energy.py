"""Energy from files as boards have them, and from a program that prints as tegrastats does."""

from __future__ import annotations

import pytest

from benchmarks.energy import Sampled, open_meter


def put(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def rapl(package, microjoules, span=1_000_000):
    zone = f"sys/class/powercap/intel-rapl:{package}"
    return {
        f"{zone}/name": f"package-{package}\n",
        f"{zone}/energy_uj": f"{microjoules}\n",
        f"{zone}/max_energy_range_uj": f"{span}\n",
    }


def test_all_packages_are_summed_and_nothing_inside_them(tmp_path):
    inside = "sys/class/powercap/intel-rapl:0:0"
    put(tmp_path, {**rapl(0, 100), **rapl(1, 500), f"{inside}/name": "core\n"})
    meter = open_meter(tmp_path, tegrastats="")
    assert meter.joules() == 0
    put(tmp_path, {**rapl(0, 400_100), **rapl(1, 100_500)})
    assert meter.joules() == pytest.approx(0.5)
    assert meter.name == "RAPL package counters"


def test_a_counter_that_starts_anew_goes_on(tmp_path):
    put(tmp_path, rapl(0, 900_000))
    meter = open_meter(tmp_path, tegrastats="")
    put(tmp_path, rapl(0, 200_000))
    assert meter.joules() == pytest.approx(0.3)


def ina(rails):
    chip = "sys/class/hwmon/hwmon3"
    files = {f"{chip}/name": "ina3221\n"}
    for number, (label, millivolts, milliamperes) in enumerate(rails, 1):
        files[f"{chip}/in{number}_label"] = f"{label}\n"
        files[f"{chip}/in{number}_input"] = f"{millivolts}\n"
        files[f"{chip}/curr{number}_input"] = f"{milliamperes}\n"
    return files


def test_a_jetson_is_measured_at_the_supply_of_its_module(tmp_path):
    put(tmp_path, ina([("VDD_IN", 5000, 1200), ("VDD_CPU_GPU_CV", 5000, 700)]))
    meter = open_meter(tmp_path, tegrastats="")
    meter.close()
    assert meter.name == "INA sensor of the module's supply"
    assert meter._watts() == pytest.approx(6.0)


def test_without_that_rail_the_others_are_summed_and_named(tmp_path):
    put(tmp_path, ina([("CPU", 5000, 200), ("GPU", 5000, 400)]))
    meter = open_meter(tmp_path, tegrastats="")
    meter.close()
    assert meter._watts() == pytest.approx(3.0)
    assert "CPU, GPU" in meter.name


def test_power_is_summed_over_time():
    meter = Sampled("constant", lambda: 8.0, period_s=0.01)
    first = meter.joules()
    began = meter._then
    second = meter.joules()
    assert second - first == pytest.approx(8.0 * (meter._then - began), rel=0.5, abs=0.2)
    assert second > first
    meter.close()


@pytest.mark.parametrize(
    ("line", "watts"),
    [
        ("RAM 2448/7620MB CPU [1%@729] VDD_IN 4567mW/4500mW VDD_CPU_GPU_CV 550mW/550mW", 4.567),
        ("RAM 2/3964MB POM_5V_IN 2532/2532 POM_5V_GPU 0/0 POM_5V_CPU 452/452", 2.532),
    ],
)
def test_tegrastats_is_read_where_there_is_no_sensor_file(tmp_path, line, watts):
    program = tmp_path / "tegrastats"
    program.write_text(f"#!/bin/sh\nwhile echo '{line}'; do sleep 0.05; done\n")
    program.chmod(0o755)
    meter = open_meter(tmp_path, str(program))
    assert (meter.name, meter._last) == ("tegrastats", watts)
    assert meter.joules() > 0
    meter.close()
    assert meter._child.returncode is not None


def test_a_program_that_prints_something_else_measures_nothing(tmp_path):
    program = tmp_path / "tegrastats"
    program.write_text("#!/bin/sh\necho no such board\n")
    program.chmod(0o755)
    assert open_meter(tmp_path, str(program)) is None


def test_a_machine_without_sensors_measures_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert open_meter(tmp_path) is None
