"""Checks a device discovery payload with Home Assistant's own code; run by its Python, not by ours.

    python home_assistant_schema.py < payload.json

Prints a line for each entity, and one for each fault; the exit status is 1 if there is a fault.
"""

import asyncio
import importlib
import json
import sys
import tempfile


async def check(payload):
    """Do what `components/mqtt/discovery.py` does with a payload; returns the faults."""
    from homeassistant.components.mqtt import discovery
    from homeassistant.components.mqtt.schemas import DEVICE_DISCOVERY_SCHEMA
    from homeassistant.core import HomeAssistant, async_get_hass  # noqa: F401

    HomeAssistant(tempfile.mkdtemp())  # templates in the payload look for one
    device = discovery.MQTTDiscoveryPayload(payload)
    discovery._replace_all_abbreviations(device)
    DEVICE_DISCOVERY_SCHEMA(device)
    faults = []
    for id, config in device["components"].items():
        platform = config.pop("platform")
        if not config:
            print(f"{platform} {id}: removed")
            continue
        for key in ("device", "origin"):
            config[key] = device[key]
        own = set(config)
        discovery._merge_common_device_options(config, device)
        module = importlib.import_module(f"homeassistant.components.mqtt.{platform}")
        try:
            known = set(module.DISCOVERY_SCHEMA(dict(config)))
        except Exception as error:  # voluptuous' and others
            faults.append(f"{platform} {id}: {error}")
            continue
        faults += [f"{platform} {id}: unknown key {key}" for key in sorted(own - known - {"origin"})]
        print(f"{platform} {id}: {config.get('name')}")
    return faults


found = asyncio.run(check(json.load(sys.stdin)))
print(*found, sep="\n")
sys.exit(bool(found))
