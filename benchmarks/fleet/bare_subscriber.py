"""The peer: a paho client that subscribes to all events, and only counts them."""

from __future__ import annotations

import sys
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


def main() -> None:
    """Count until killed."""
    host, port = sys.argv[1].split(":")
    protocol = paho.MQTTv5 if sys.argv[2] == "True" else paho.MQTTv311
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
    counted = [0]

    def count(_client: Any, _data: Any, _message: Any) -> None:  # noqa: ANN401
        counted[0] += 1

    client.on_connect = lambda client, *_: client.subscribe("sound-detector/+/events", 1)
    client.on_message = count
    client.connect(host, int(port))
    client.loop_forever()


if __name__ == "__main__":
    main()
