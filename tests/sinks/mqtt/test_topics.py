"""Names in topics: whatever a label is called, its id is one that brokers and Home Assistant take."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError
from detector.sinks.mqtt.broker_address import parse_broker
from detector.sinks.mqtt.sound_classes import all_classes
from detector.sinks.mqtt.topics import ALLOWED, Topics, any_class_id, class_id, node_id
from tests.support.history_stores import make_message

ID = frozenset(string.ascii_lowercase + string.digits + "_")


@given(st.text())
def test_an_id_of_a_label_is_plain_and_stays_as_it_is(name):
    assert set(class_id(name)) <= ID
    assert class_id(class_id(name)) == class_id(name)
    assert any_class_id(name)
    assert set(any_class_id(name)) <= ID


@given(st.text())
def test_a_node_is_one_word_of_a_topic(name):
    assert node_id(name)
    assert set(node_id(name)) <= ALLOWED


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("Smoke detector, smoke alarm", "smoke_detector_smoke_alarm"),
        ("Türklingel", "turklingel"),
        ("A/C +#", "a_c"),
        ("猫", ""),
    ],
)
def test_ids_as_people_would_write_them(name, id):
    assert class_id(name) == id


def test_a_machine_goes_without_its_domain():
    assert node_id("kitchen-pi.local") == "kitchen-pi"


def test_labels_of_one_id_share_a_class():
    classes = all_classes(["Bell", "bell!", "Dog"])
    assert [one.id for one in classes.all] == ["bell", "dog"]
    assert [one.id for one in classes.of(make_message(1, label="bell!").body)] == ["bell"]


def test_a_source_with_a_name_has_topics_below_the_nodes_and_shares_its_availability():
    one, porch = Topics("a/b", "pi"), Topics("a/b", "pi", "porch")
    assert (one.detected, porch.detected) == ("a/b/pi/detected", "a/b/pi/porch/detected")
    assert one.availability == porch.availability == "a/b/pi/availability"


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "user"),
    [
        ("mqtt://hub", "hub", 1883, False, None),
        ("mqtts://hub/", "hub", 8883, True, None),
        ("mqtt://ada@[::1]", "::1", 1883, False, "ada"),
        ("mqtts://ada@10.0.0.1:99", "10.0.0.1", 99, True, "ada"),
    ],
)
def test_addresses_of_brokers(url, host, port, tls, user):
    broker = parse_broker(url)
    assert (broker.host, broker.port, broker.tls, broker.user) == (host, port, tls, user)
    assert "ada" not in str(broker)


@given(st.text())
def test_any_other_address_is_refused_and_a_password_is_not_repeated(text):
    with pytest.raises(ConfigError) as refused:
        parse_broker(f"mqtt://ada:s3cret{text}@hub{text}")
    assert "s3cret" not in str(refused.value)
