"""`sound-detector collect`: the events of many daemons, from a broker into one database."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.setting_options import SettingOptions

if TYPE_CHECKING:
    from detector.assemble.fleet_collecting import CollectRequest

EXAMPLES = """\
examples:
  sound-detector collect mqtt://localhost --into sqlite:fleet.db
  sound-detector collect mqtts://ada@pi --password-file pw --into sqlite:f.db
  sound-detector collect mqtt://localhost --into postgresql:///sounds
  sound-detector collect mqtt://localhost --into parquet:events --name second
Several collectors that share a broker and a database share the work; each
needs a --name of its own. SIGINT or SIGTERM ends it.
"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags."""
    parser.add_argument(
        "broker", metavar="BROKER", help="mqtt://HOST or mqtts://HOST, with USER@ where needed"
    )
    parser.add_argument(
        "--into",
        required=True,
        metavar="DATABASE",
        help="sqlite:FILE, postgresql://HOST/DATABASE or parquet:FOLDER",
    )
    parser.add_argument(
        "--name",
        default="",
        help="the collector's name at the broker, which keeps what comes while it is away "
        "(default: made of the machine's name)",
    )
    parser.add_argument(
        "--group",
        default="collectors",
        help="collectors of one group share the events (default: %(default)s); an empty one for brokers "
        "without shared subscriptions, such as NATS",
    )
    parser.add_argument(
        "--prefix",
        default="sound-detector",
        help="what the daemons' topics begin with (default: %(default)s)",
    )
    parser.add_argument(
        "--metrics-port", type=_port, metavar="PORT", help="serve counts for Prometheus on this loopback port"
    )
    access = parser.add_argument_group("access to the broker")
    access.add_argument(
        "--password-file",
        metavar="FILE",
        help="file with the password; other users must not be able to read it",
    )
    access.add_argument(
        "--ca", metavar="FILE", help="PEM file with the authority to trust (default: the system's)"
    )
    access.add_argument(
        "--client-certificate", metavar="FILE", help="PEM file with the collector's certificate"
    )
    access.add_argument("--client-key", metavar="FILE", help="PEM file with its private key")
    access.add_argument(
        "--mqtt311", action="store_true", help="speak MQTT 3.1.1 instead of 5, for brokers such as NATS"
    )


def read_request(options: argparse.Namespace) -> CollectRequest:
    """Read what was asked for."""
    from detector.assemble.fleet_collecting import CollectRequest
    from detector.sinks.mqtt.mqtt_settings import MqttSettings

    return CollectRequest(
        broker=MqttSettings(
            options.broker,
            password_file=options.password_file,
            ca_file=options.ca,
            client_certificate=options.client_certificate,
            client_key=options.client_key,
            mqtt_version="mqtt311" if options.mqtt311 else "mqtt5",
            prefix=options.prefix,
        ),
        into=options.into,
        group=options.group,
        name=options.name,
        metrics_port=options.metrics_port,
    )


def execute(request: CollectRequest, _options: SettingOptions) -> int:
    """Collect until it is stopped."""
    from detector.assemble.fleet_collecting import collect
    from detector.cli.logs import limit_repeated_lines

    limit_repeated_lines()
    return collect(request)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


COMMAND = Command(
    name="collect",
    summary="collect the events of many daemons from a broker",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
