"""Start the daemon in the Home Assistant app: its options and the broker's address become settings."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DATA = Path("/data")
PROGRAM = "/opt/sound-detector/venv/bin/sound-detector"
BROKER = "http://supervisor/services/mqtt"


def main() -> None:
    """Write the settings below /data and become the daemon."""
    options = json.loads((DATA / "options.json").read_text())
    try:
        broker = _broker(os.environ["SUPERVISOR_TOKEN"])
    except (KeyError, OSError, ValueError) as error:
        sys.exit(
            f"the Supervisor names no MQTT broker ({error}): install one, such as Mosquitto, and start again"
        )
    config, password = DATA / "config.yaml", DATA / "mqtt-password"
    _write(password, broker.get("password") or "")
    # JSON is YAML.
    _write(config, json.dumps(settings_of(options, broker, password), indent=2))
    os.environ["SOUND_DETECTOR_CONFIG"] = str(config)
    os.execv(PROGRAM, [PROGRAM, "run"])  # noqa: S606


def settings_of(options: Mapping[str, Any], broker: Mapping[str, Any], password_file: Path) -> dict[str, Any]:
    """Make settings of the app's options and of what the Supervisor says of its MQTT broker."""
    mqtt: dict[str, Any] = {
        "kind": "mqtt",
        "target": f"{'mqtts' if broker.get('ssl') else 'mqtt'}://{broker['host']}:{broker['port']}",
        "node": options["node"],
    }
    if broker.get("username"):
        mqtt |= {"user": broker["username"], "password_file": str(password_file)}
    return {
        "source": {"device": options["device"] or None},
        "events": {"preset": options["preset"], "include": options["include"] or None},
        "sinks": ["stdout:text", "socket", mqtt],
    }


def _broker(token: str) -> dict[str, Any]:
    request = urllib.request.Request(BROKER, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        data: dict[str, Any] = json.load(answer)["data"]
    return data


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner reads."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


if __name__ == "__main__":
    main()
