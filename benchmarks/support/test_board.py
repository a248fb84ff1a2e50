"""A board is named by what the kernel shows of it, and by nothing that is somebody's own."""

from benchmarks.support.board import board, clock, heat, throttling
from benchmarks.support.report import machine


def written(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_a_raspberry_pi_says_what_it_is_how_fast_and_how_hot(tmp_path):
    written(tmp_path, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    written(tmp_path, "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "1800000\n")
    written(tmp_path, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "ondemand\n")
    written(tmp_path, "sys/class/thermal/thermal_zone0/temp", "61342\n")
    assert board(tmp_path) == "Raspberry Pi 4 Model B Rev 1.4"
    assert clock(tmp_path) == "1800 MHz at most, governor ondemand"
    assert heat(tmp_path, lambda: "throttled=0x0\n") == "61 °C, never throttled since boot"


def test_a_machine_that_shows_nothing_is_asked_for_nothing_more(tmp_path):
    assert (board(tmp_path), clock(tmp_path), heat(tmp_path, lambda: "")) == ("", "", "")


def test_throttling_is_told_in_words():
    assert throttling("throttled=0x50005") == [
        "too little voltage now",
        "throttled now",
        "too little voltage since boot",
        "throttled since boot",
    ]
    for answer in ("", "throttled=", 'error=1 error_msg="Command not registered"', "volt=0x1"):
        assert throttling(answer) == []


def test_the_table_of_the_machine_has_no_row_for_its_name_or_user():
    shown = {row[0] for row in machine()}
    assert shown <= {
        *("the machine", "board", "clock", "temperature before the run", "processor", "system", "Python"),
        *("packages", "load before the run"),
    }
