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
    path.with_name("mqtt.json.seq").write_text("1 2")
    memory = MqttMemory(path)
    memory.load()
    assert (memory.now, memory.is_new) == (Remembered(), True)
    assert len(caplog.messages) == 1
    memory.save()
    MqttMemory(path).load()


@pytest.mark.parametrize("text", ["", "7", "7 8 9", "-1 -1", "x y", "9" * 200])
def test_damaged_numbers_are_begun_anew_too(path, caplog, text):
    memory = MqttMemory(path)
    memory.now.paused = ["porch"]
    memory.save()
    memory.close()
    path.with_name("mqtt.json.seq").write_text(text)
    memory = MqttMemory(path)
    memory.load()
    assert (memory.now, memory.is_new) == (Remembered(paused=["porch"]), True), "a pause outlives them"
    assert len(caplog.messages) == 1


def test_the_numbers_alone_are_written_over_the_old_ones(path):
    memory = MqttMemory(path)
    memory.save()
    for number in (5, 123_456_789_012, 7):
        memory.now.acked = memory.now.sent = number
        memory.save_numbers()
        again = MqttMemory(path)
        again.load()
        assert (again.now.acked, again.now.sent) == (number, number)
    memory.close()


def test_values_of_another_type_are_left_out(path):
    MqttMemory(path).save_numbers()
    path.write_text('{"paused": [1], "devices": {"a": {"b": 3}}, "generation": "g"}')
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
