"""What the MQTT sink remembers across restarts, and what becomes of a damaged file."""

import pytest

from detector.sinks.mqtt.mqtt_memory import MqttMemory, Remembered


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "mqtt.json"


def test_what_was_saved_is_there_again(path):
    memory = MqttMemory(path)
    memory.load()
    assert memory.is_new
    memory.now = Remembered(7, 9, "g", {"topic": {"level": "sensor"}}, ["a/class/dog"], ["porch"])
    memory.save()
    again = MqttMemory(path)
    again.load()
    assert (again.now, again.is_new) == (memory.now, False)


@pytest.mark.parametrize("text", ["", "[]", "{", "nul", '"x"', "[" * 100_000, "\xff"])
def test_a_damaged_file_is_begun_anew_with_one_line(path, caplog, text):
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    memory = MqttMemory(path)
    memory.load()
    assert (memory.now, memory.is_new) == (Remembered(), True)
    assert len(caplog.messages) == 1
    memory.save()
    MqttMemory(path).load()


def test_values_of_another_type_are_left_out(path):
    path.parent.mkdir()
    path.write_text(
        '{"acked": "7", "sent": true, "paused": [1], "devices": {"a": {"b": 3}}, "generation": "g"}'
    )
    memory = MqttMemory(path)
    memory.load()
    assert memory.now == Remembered(generation="g", devices={"a": {"b": "3"}})


def test_a_file_that_cannot_be_written_costs_one_line(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    memory = MqttMemory(tmp_path / "file" / "mqtt.json")
    memory.save()
    memory.save()
    assert len(caplog.messages) == 1


def test_without_a_path_nothing_is_kept():
    memory = MqttMemory(None)
    memory.load()
    memory.save()
    assert memory.is_new
