"""Machine facts from files as boards have them."""

from __future__ import annotations

from benchmarks import throttle
from benchmarks.machine import condition, facts, is_busy


def put(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_a_board_is_read_from_its_own_files(tmp_path):
    governor = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
    put(
        tmp_path,
        {
            "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
            "proc/cpuinfo": "processor\t: 0\nmodel name\t: Cortex-A76\n",
            "proc/meminfo": "MemTotal:        8000000 kB\n",
            "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
            "proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t NVIDIA T4\n",
            governor: "ondemand\n",
        },
    )
    found = facts(tmp_path)
    assert found["board"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert (found["cpu"], found["memory_bytes"]) == ("Cortex-A76", 8_192_000_000)
    assert (found["system"], found["gpu"]) == ("Debian GNU/Linux 12", "NVIDIA T4")
    assert (found["governor"], found["virtual"]) == ("ondemand", False)


def test_the_condition_is_the_hottest_sensor_and_the_mean_clock(tmp_path):
    put(
        tmp_path,
        {
            "proc/loadavg": "1.25 0.50 0.20 1/200 999\n",
            "sys/class/thermal/thermal_zone0/temp": "48200\n",
            "sys/class/thermal/thermal_zone1/temp": "51000\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
            "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "2500000\n",
        },
    )
    assert condition(tmp_path) == {
        "load": 1.25, "temperature_c": 51.0, "clock_mhz": 2000.0, "throttling": None,
    }  # fmt: skip


def test_what_a_system_does_not_tell_is_none(tmp_path):
    assert set(condition(tmp_path).values()) == {None}
    assert facts(tmp_path)["board"] is None


def test_half_of_the_cores_taken_is_busy():
    assert is_busy(2.1, 4)
    assert not is_busy(1.9, 4)
    assert not is_busy(None, 4)


PI = "sys/devices/platform/soc/soc:firmware/get_throttled"


def test_a_raspberry_tells_what_slows_it_now_and_what_has(tmp_path):
    put(tmp_path, {PI: "50005\n"})
    told = throttle.read(tmp_path)
    assert told.active == ("under-voltage", "throttled")
    assert told.seen == ("under-voltage", "throttled")
    assert condition(tmp_path)["throttling"]["events"] is None


def test_a_throttled_run_is_invalid_and_says_why(tmp_path):
    put(tmp_path, {PI: "0\n"})
    calm = throttle.read(tmp_path)
    put(tmp_path, {PI: "40000\n"})
    assert throttle.slowed(calm, calm) is None
    assert throttle.slowed(calm, throttle.read(tmp_path)) == "throttled in between"
    put(tmp_path, {PI: "40004\n"})
    assert throttle.slowed(calm, throttle.read(tmp_path)) == "throttled"


def test_counted_events_in_between_make_a_run_invalid(tmp_path):
    count = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
    put(tmp_path, {count: "7\n"})
    before = throttle.read(tmp_path)
    assert throttle.slowed(before, throttle.read(tmp_path)) is None
    put(tmp_path, {count: "9\n"})
    assert throttle.slowed(before, throttle.read(tmp_path)) == "throttled 2 times"


def test_a_counter_that_cannot_be_read_says_nothing(tmp_path):
    counts = "sys/devices/system/cpu/cpu{}/thermal_throttle/core_throttle_count"
    put(tmp_path, {counts.format(0): "not a number\n", counts.format(1): "3\n"})
    assert throttle.read(tmp_path).events == 3


def test_where_nothing_is_told_nothing_is_invalid(tmp_path):
    assert throttle.read(tmp_path) is None
    assert throttle.slowed(None, None) is None
