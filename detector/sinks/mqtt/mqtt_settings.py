"""The settings of the MQTT sink, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from detector.config.constraints import OnlyFor
from detector.config.sink_settings import SinkSettings
from detector.config.wording import show
from detector.errors import ConfigError
from detector.sinks.mqtt.broker_address import parse_broker
from detector.sinks.mqtt.topics import class_id, node_fault, prefix_fault

_ONLY_MQTT = OnlyFor("a sink of kind mqtt")

Version = Literal["auto", "mqtt5", "mqtt311"]


@dataclass(frozen=True, slots=True)
class MqttSettings(SinkSettings):
    """A broker and what it gets; `target` is `mqtt://HOST` or `mqtts://HOST`."""

    kind: ClassVar[str] = "mqtt"
    forms: ClassVar[tuple[str, ...]] = ("mqtt://HOST", "mqtts://HOST")
    schemes: ClassVar[tuple[str, ...]] = ("mqtt", "mqtts")

    user: Annotated[str | None, _ONLY_MQTT] = None
    """The user's name at the broker."""
    password_file: Annotated[str | None, _ONLY_MQTT] = None
    """A file with the password; not readable by others."""
    ca_file: Annotated[str | None, _ONLY_MQTT] = None
    """A PEM file with the authority of the broker's certificate; None is the system's authorities."""
    client_certificate: Annotated[str | None, _ONLY_MQTT] = None
    """A PEM file with a certificate that the daemon shows to the broker."""
    client_key: Annotated[str | None, _ONLY_MQTT] = None
    """A PEM file with its private key; not readable by others."""
    mqtt_version: Version = "auto"
    """`mqtt5`, `mqtt311`, or `auto`: 5, and 3.1.1 where the broker does not speak 5."""
    prefix: str = "sound-detector"
    """What all topics begin with."""
    node: Annotated[str | None, _ONLY_MQTT] = None
    """The daemon's name in topics; None is the machine's."""
    device_name: Annotated[str | None, _ONLY_MQTT] = None
    """Its name for people, in Home Assistant; None is made of `node`."""
    classes: Annotated[tuple[str, ...] | None, _ONLY_MQTT] = None
    """Labels, or names of what is above them, that are shown as live; None is all."""
    discovery: bool = True
    """Whether Home Assistant is told of this device."""
    discovery_prefix: str = "homeassistant"
    """What Home Assistant's own topics begin with."""

    @classmethod
    def from_text(cls, target: str) -> MqttSettings:
        """Make them of a whole `mqtt://HOST`."""
        return cls(target)

    def fault(self) -> tuple[str, str] | None:
        """Find an address, a topic or a class that cannot be, and keys that do not go together."""
        try:
            broker = parse_broker(self.target)
        except ConfigError as error:
            return "target", error.message
        for key in ("prefix", "discovery_prefix"):
            if message := prefix_fault(getattr(self, key)):
                return key, message
        if self.node is not None and (message := node_fault(self.node)):
            return "node", f"{message}, got {show(self.node)}"
        if self.user and broker.user and self.user != broker.user:
            return "user", "another user than in the address: give one of them"
        if self.password_file and not (self.user or broker.user):
            return "password_file", "a password needs a user: give `user` too"
        if (self.client_certificate is None) != (self.client_key is None):
            return "client_certificate", "expected client_certificate and client_key, got one of them"
        given = [key for key in ("ca_file", "client_certificate") if getattr(self, key)]
        if given and not broker.tls:
            return given[0], "a certificate is for mqtts://, got mqtt:// as target"
        return None if (message := self._class_fault()) == "" else ("classes", message)

    def _class_fault(self) -> str:
        ids: dict[str, str] = {}
        for name in self.classes or ():
            id = class_id(name)
            if not id:
                return (
                    f"expected a name with letters a-z or digits, since it becomes a topic, got {show(name)}"
                )
            if id in ids:
                return f"{show(ids[id])} and {show(name)} would both be the topic {id}: delete one"
            ids[id] = name
        return ""
