"""`sound-detector verdicts list | report | export | forget`: what people said of events, and what it did."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from detector.cli.command import Command, add_parser
from detector.cli.connection_flags import add_connection_flags, credentials, daemon_uris
from detector.cli.path_arguments import path
from detector.cli.setting_options import SettingOptions

if TYPE_CHECKING:
    from detector.subscriber.client import Credentials

EXAMPLES = """\
examples:
  sound-detector verdicts list                 all verdicts, the newest last
  sound-detector verdicts report               what they did, label by label
  sound-detector verdicts forget last          take back the one on an event
  sound-detector verdicts forget Dog           ... or all on a label
  sound-detector verdicts forget all
  sound-detector verdicts export verdicts.jsonl
"""


@dataclass(frozen=True, slots=True)
class VerdictsRequest:
    """What `verdicts` is asked for; fields that an action does not have keep their defaults."""

    action: Literal["list", "report", "export", "forget"]
    file: str | None = None
    as_json: bool = False
    target: str = "-"
    """Where `export` writes; `-` is standard output."""
    forget: str = ""
    uris: tuple[str, ...] = ()
    credentials: Credentials | None = None
    chosen_daemon: bool = False


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its actions, and their flags."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = add_parser(actions, "list", "list all verdicts, the newest last", EXAMPLES)
    report = add_parser(
        actions,
        "report",
        "show for each label how many sounds would have been told, were told, vetoed and renamed",
        EXAMPLES,
    )
    export = add_parser(actions, "export", "write all verdicts, with their embeddings, to a file", EXAMPLES)
    export.add_argument("target", metavar="FILE", type=path, help="JSON lines; - is standard output")
    forget = add_parser(actions, "forget", "take verdicts back", EXAMPLES)
    forget.add_argument("what", metavar="ID|LABEL|all", help="of one event, of all events of a label, or all")
    add_connection_flags(forget)
    for action in (listing, report, export, forget):
        action.add_argument(
            "--file",
            metavar="PATH",
            help="the history that holds them (default: as for run)",
        )
        action.add_argument(
            "--config", metavar="FILE", help="config.yaml that names the history (default: as for run)"
        )
    for action in (listing, report, forget):
        action.add_argument("--json", action="store_true", help="print JSON lines")


def read_request(options: argparse.Namespace) -> VerdictsRequest:
    """Read what was asked for."""
    if options.action != "forget":
        return VerdictsRequest(
            options.action,
            options.file,
            as_json=getattr(options, "json", False),
            target=str(getattr(options, "target", "-")),
        )
    return VerdictsRequest(
        "forget",
        options.file,
        as_json=options.json,
        forget=options.what,
        uris=() if options.file else daemon_uris(options),
        credentials=credentials(options),
        chosen_daemon=options.uri is not None,
    )


def execute(request: VerdictsRequest, options: SettingOptions) -> int:
    """Do what the action says."""
    from detector.assemble import verdict_giving
    from detector.subscriber.client import NOTHING
    from detector.wire.request import VerdictLine

    if request.action == "forget":
        return verdict_giving.give_verdict(
            VerdictLine(forget=request.forget),
            options.load,
            uris=request.uris,
            credentials=request.credentials or NOTHING,
            file=request.file,
            chosen_daemon=request.chosen_daemon,
            as_json=request.as_json,
        )
    file = verdict_giving.history_file(options.load(), request.file)
    if request.action == "list":
        return verdict_giving.list_verdicts(file, as_json=request.as_json)
    if request.action == "report":
        return verdict_giving.report_verdicts(file, as_json=request.as_json)
    return verdict_giving.export_verdicts(file, request.target)


COMMAND = Command(
    name="verdicts",
    summary="list your verdicts, what they did, or take them back",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
