"""Events for an MQTT broker, and through it for Home Assistant (docs/mqtt.md)."""
