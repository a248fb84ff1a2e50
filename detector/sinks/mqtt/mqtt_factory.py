"""An MQTT sink of its settings, without loading what it needs before one is wanted."""

from __future__ import annotations

from importlib.util import find_spec

from detector.errors import SinkError
from detector.interfaces import Sink
from detector.sinks.context import SinkContext
from detector.sinks.mqtt.mqtt_settings import MqttSettings


def check_paho() -> None:
    """Raise SinkError where the package is not there."""
    if find_spec("paho") is None:
        raise SinkError("MQTT needs paho-mqtt; install it with: pip install 'sound-detector[mqtt]'")


def make_mqtt_sink(settings: MqttSettings, context: SinkContext) -> Sink:
    """Build the sink, not opened; when it is, it adds its counts. SinkError without paho-mqtt."""
    check_paho()
    from detector.sinks.mqtt.mqtt_sink import MqttSink

    return MqttSink(settings, context)
