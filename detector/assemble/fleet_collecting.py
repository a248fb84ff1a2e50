"""`sound-detector collect` and `fleet`: the objects that their flags ask for."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from detector.config.wording import show
from detector.errors import ConfigError
from detector.files.home import expand_home
from detector.fleet.collector_metrics import metrics_text
from detector.fleet.event_database import Database, DatabaseError, has_tables
from detector.fleet.fleet_collector import SESSION_SECONDS, FleetCollector
from detector.fleet.fleet_table import as_json, as_table, node_rows
from detector.fleet.parquet_folder import JOURNAL, ParquetFolder
from detector.fleet.postgres_database import PostgresDatabase, refuse_password
from detector.fleet.sqlite_database import SqliteDatabase
from detector.service.prometheus import MetricsServer
from detector.sinks.mqtt.broker_address import parse_broker
from detector.sinks.mqtt.broker_credentials import read_credentials
from detector.sinks.mqtt.mqtt_factory import check_paho
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.sinks.mqtt.paho_link import PahoLink
from detector.sinks.mqtt.topics import node_id

log = logging.getLogger(__name__)

FORMS = "sqlite:FILE, postgresql://HOST/DATABASE or parquet:FOLDER"


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """What `collect` is asked for."""

    broker: MqttSettings
    into: str
    group: str
    name: str
    """The collector's name at the broker; empty is made of the machine's."""
    metrics_port: int | None = None


def collect(request: CollectRequest) -> int:
    """Collect until SIGINT or SIGTERM; the exit status is 0. Raises DetectorError."""
    check_paho()
    settings = request.broker
    if (wrong := settings.fault()) is not None:
        raise ConfigError(f"{wrong[0].replace('_', '-')}: {wrong[1]}")
    address = parse_broker(settings.target)
    name = request.name or f"collect-{node_id(socket.gethostname())}"
    collector = FleetCollector(
        broker=str(address),
        prefix=settings.prefix,
        group=request.group,
        make_link=lambda: PahoLink(
            address,
            read_credentials(settings, address),
            client_id=f"sound-detector-{name}",
            will=None,
            is_version_5=settings.mqtt_version != "mqtt311",
            session_seconds=SESSION_SECONDS,
        ),
        open_database=database_opener(request.into),
        exports=_exports(request.into),
    )
    read_credentials(settings, address)
    log.info(
        "collect.starting broker=%s into=%s name=%s group=%s", address, request.into, name, request.group
    )
    with _until_signal() as stopped:
        if request.metrics_port is None:
            collector.run(stopped)
        else:
            with closing(
                MetricsServer(request.metrics_port, partial(metrics_text, collector.counts))
            ) as server:
                server.start()
                collector.run(stopped)
    counts = collector.counts
    log.info("collect.stopped new=%d again=%d unfit=%d", counts.new, counts.again, counts.unfit)
    return 0


def show_fleet(target: str, *, json: bool) -> int:
    """Print what is known of each daemon; the exit status is 0. Raises DetectorError."""
    path = _file_of(target)
    if path is not None and not path.exists():
        raise DatabaseError(f"{target}: there is no such database; `sound-detector collect` makes it")
    with closing(database_opener(target)()) as database:
        if not has_tables(database):
            raise ConfigError(
                f"{database.name}: expected a database that `sound-detector collect` has made, got one "
                "without its tables: choose another"
            )
        rows = node_rows(database, now=time.time())
    sys.stdout.write(as_json(rows) if json else as_table(rows, now=time.time()))
    return 0


def database_opener(target: str) -> Callable[[], Database]:
    """What opens the database of `--into`; raises ConfigError for another form."""
    path = _file_of(target)
    if path is not None:
        return lambda: SqliteDatabase(path)
    if target.startswith(("postgresql://", "postgres://")):
        refuse_password(target)
        return lambda: PostgresDatabase(target)
    raise ConfigError(f"expected {FORMS}, got {show(target)}")


def _file_of(target: str) -> Path | None:
    scheme, _, rest = target.partition(":")
    if scheme in ("sqlite", "parquet") and rest:
        path = Path(expand_home(rest))
        return path if scheme == "sqlite" else path / JOURNAL
    return None


def _exports(target: str) -> ParquetFolder | None:
    scheme, _, rest = target.partition(":")
    return ParquetFolder(Path(expand_home(rest))) if scheme == "parquet" else None


@contextmanager
def _until_signal() -> Iterator[Callable[[], bool]]:
    """Yield what says whether SIGINT or SIGTERM came; a second one ends the program at once."""
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
