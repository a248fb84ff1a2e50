"""Which device is meant, and how the list looks."""

import json
import os
import subprocess
import sys

import pytest

from detector.config import yamltext
from detector.errors import DeviceNotFound, SourceError
from detector.sources.device_list import Device, choose, devices_command, list_devices
from detector.sources.portaudio import open_audio
from tests.support.fake_audio import FakeAudio


def device(index, name, *, is_default=False):
    return Device(index, name, 44100, (), 2, is_default, "ALSA")


DEVICES = (
    device(0, "HDA Intel: ALC257 Analog"),
    device(2, "USB PnP Sound Device: Audio (hw:1,0)"),
    device(5, "USB"),
    device(6, "default", is_default=True),
    device(7, "Webcam 2000"),
    device(8, "3"),
)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (0, 0),
        (2, 2),
        ("2", 2),
        (None, 6),
        ("alc257", 0),
        ("  PnP ", 2),
        ("USB", 5),
        ("usb", 5),
        ("3", 8),
        ("2000", None),
        ("WEBCAM 2000", 7),
    ],
)
def test_a_device_is_meant_by_index_name_part_or_nothing(wanted, index):
    if index is None:
        with pytest.raises(DeviceNotFound, match="index 2000"):
            choose(DEVICES, wanted)
    else:
        assert choose(DEVICES, wanted).index == index


@pytest.mark.parametrize("wanted", [99, -1, 1, "99", "-1", "1", "kitchen", "", " "])
def test_what_is_not_there_is_refused_with_what_is(wanted):
    with pytest.raises(
        DeviceNotFound, match="expected one of 0 'HDA Intel: ALC257 Analog', 2 'USB PnP"
    ) as caught:
        choose(DEVICES, wanted)
    assert "\n" not in str(caught.value)


def test_a_name_that_matches_two_lists_both_with_their_indices():
    with pytest.raises(DeviceNotFound, match=r"several .*'a'.* 2 'USB PnP.*7 'Webcam 2000'"):
        choose(DEVICES, "a")


def test_two_devices_of_the_same_name_need_the_index():
    twins = (device(1, "Mic"), device(2, "Mic"))
    with pytest.raises(DeviceNotFound, match="1 'Mic', 2 'Mic'; give more of the name, or the index"):
        choose(twins, "mic")
    assert choose(twins, 2).index == 2


def test_without_a_default_the_first_is_taken():
    assert choose(DEVICES[:3], None).index == 0


@pytest.mark.parametrize("wanted", [None, 0, "mic"])
def test_no_device_at_all_is_said(wanted):
    with pytest.raises(DeviceNotFound, match="no microphone found; plug one in"):
        choose((), wanted)


LAPTOP = [("Speakers", 0, 48000), ("Analog", 2, 48000), ("default", 32, 44100)]


def laptop(**changes):
    return FakeAudio(LAPTOP, **{"default": 2, "forms": [(16000, 1), (48000, 1)]} | changes)


def test_only_capture_devices_are_listed_with_the_rates_they_take():
    audio = laptop()
    assert list_devices(audio.factory()) == (
        Device(1, "Analog", 48000, (16000, 48000), 2, False, "ALSA"),
        Device(2, "default", 44100, (16000, 48000), 32, True, "ALSA"),
    )
    assert audio.terminated == 1


def test_a_machine_without_a_default_device_can_be_listed():
    assert [device.is_default for device in list_devices(laptop(default=None).factory())] == [False, False]


def printed(audio, wanted=None, *, as_json=False):
    lines = []
    status = devices_command(wanted, as_json, audio_factory=audio.factory(), write=lines.append)
    assert status == 0
    return "\n".join(lines)


def test_the_table_marks_the_one_that_would_be_used_and_says_what_to_put_in_the_config():
    assert printed(laptop(), "analog").splitlines() == [
        "   index  name               channels  default Hz  usable rates [Hz]  through",
        "*  1      Analog             2         48000       16000 48000        ALSA",
        "   2      default (default)  32        44100       16000 48000        ALSA",
        "",
        '* is used. In config.yaml:  source: {device: "Analog"}',
    ]


def test_a_name_that_means_two_is_put_in_the_config_as_an_index():
    audio = FakeAudio([("Mic", 1, 48000), ("Mic", 1, 48000)], default=0)
    assert printed(audio).endswith("source: {device: 0}")
    part_of_another = FakeAudio([("Mic", 1, 48000), ("Mic 2", 1, 48000)], default=0)
    assert printed(part_of_another).endswith('source: {device: "Mic"}')


def test_json_is_a_list_of_all_fields():
    listed = json.loads(printed(laptop(), as_json=True))
    assert [(entry["index"], entry["used"]) for entry in listed] == [(1, False), (2, True)]
    assert listed[0]["rates"] == [16000, 48000]


def test_json_without_devices_is_an_empty_list():
    assert json.loads(printed(FakeAudio([], default=None), as_json=True)) == []


def test_a_wrong_wish_still_prints_the_table_and_then_fails():
    lines = []
    with pytest.raises(DeviceNotFound, match="no microphone has index 99"):
        devices_command(99, audio_factory=laptop().factory(), write=lines.append)
    assert len(lines) == 3
    assert not any(line.startswith("*") for line in lines)


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        (["default", "sysdefault"], '"default"'),
        (["mic🎤", "other"], '"mic🎤"'),
        (["3", "other"], '"3"'),
        (["off", "other"], '"off"'),
        (["Mic: USB, (hw:1,0)", "other"], '"Mic: USB, (hw:1,0)"'),
        (["Mic", "Mic"], "0"),
        (["mic\udcff", "other"], "0"),
        (["mic\x1b[2J", "other"], '"mic\\U0000001b[2J"'),
    ],
)
def test_what_it_advises_to_write_is_accepted_and_means_that_device(names, advice):
    said = []
    audio = FakeAudio([(name, 1, 16000) for name in names])
    devices_command(0, audio_factory=lambda: audio, write=said.append)
    line = said[-1]
    assert line == f"* is used. In config.yaml:  source: {{device: {advice}}}"
    document, faults = yamltext.parse(line.partition("config.yaml:")[2].strip())
    assert faults == []
    wanted = document.data["source"]["device"]
    assert choose(list_devices(lambda: audio), wanted).index == 0
    assert "\x1b" not in "".join(said)


@pytest.mark.skipif(sys.platform != "linux", reason="ALSA is Linux's")
def test_without_a_configuration_of_alsa_it_is_one_line_and_no_abort(tmp_path):
    pytest.importorskip("pyaudio")
    environment = os.environ | {"ALSA_CONFIG_PATH": str(tmp_path / "absent.conf")}
    done = subprocess.run(
        [sys.executable, "-m", "detector", "devices"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("sound-detector: ALSA has no configuration that can be read")
    assert "absent.conf" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("libportaudio.so.2: cannot open shared object file", "apt install libportaudio2"),
        ("No module named 'pyaudio'", "apt install portaudio19-dev, then pip install PyAudio"),
    ],
)
def test_what_a_microphone_needs_is_said_in_one_line(monkeypatch, tmp_path, fault, wanted):
    (tmp_path / "pyaudio.py").write_text(f"raise ImportError({fault!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pyaudio", raising=False)
    with pytest.raises(SourceError) as caught:
        open_audio()
    assert str(caught.value) == f"a microphone needs PyAudio ({fault}): {wanted}"
