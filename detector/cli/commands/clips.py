"""`sound-detector clips list | play | lock | unlock | delete | export`: the sound around events."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from detector.cli.command import Command, add_parser
from detector.cli.setting_options import SettingOptions
from detector.errors import ConfigError

EXAMPLES = """\
examples:
  sound-detector --clips ~/clips               listen, and keep clips in ~/clips
  sound-detector clips list --folder ~/clips
  sound-detector clips list --label Dog        in the folder of the settings
  sound-detector clips play last
  sound-detector clips lock 20261128T150313Z_dog_3f9a-12
  sound-detector clips export sounds --label Dog
"""

Action = Literal["list", "play", "lock", "unlock", "delete", "export"]

ABOUT: dict[Action, str] = {
    "list": "list the clips, the oldest first",
    "play": "play clips through the default output",
    "lock": "keep clips for good: they are not deleted by age or size",
    "unlock": "let clips be deleted again",
    "delete": "delete clips, locked ones too",
    "export": "cut the sounds out of clips, into a folder for each class, for train",
}


@dataclass(frozen=True, slots=True)
class ClipsRequest:
    """What `clips` is asked for; fields that an action does not have keep their defaults."""

    action: Action
    names: tuple[str, ...] = ()
    """Clips; none means all for export."""
    labels: tuple[str, ...] = ()
    dataset: str | None = None
    folder: str | None = None
    """None is the one that the settings name."""
    as_json: bool = False


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its actions, and their flags."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, about in ABOUT.items():
        own = add_parser(actions, action, about, EXAMPLES)
        if action == "export":
            own.add_argument("dataset", metavar="DATASET", help="folder to write to; made if it is missing")
        if action != "list":
            own.add_argument(
                "names",
                metavar="CLIP",
                nargs="*" if action == "export" else "+",
                help="the name of a clip, a part of it that no other has, its file, or `last`",
            )
        if action in ("list", "export"):
            own.add_argument(
                "--label",
                dest="labels",
                metavar="LABEL",
                action="append",
                default=[],
                help="only sounds of this label; may be repeated",
            )
        if action == "list":
            own.add_argument("--json", action="store_true", help="print a JSON list")
        own.add_argument("--folder", metavar="FOLDER", help="folder of clips (default: clips.folder)")
        own.add_argument(
            "--config", metavar="FILE", help="config.yaml that names the folder (default: as for run)"
        )


def read_request(options: argparse.Namespace) -> ClipsRequest:
    """Read what was asked for."""
    return ClipsRequest(
        action=options.action,
        names=tuple(getattr(options, "names", ())),
        labels=tuple(getattr(options, "labels", ())),
        dataset=getattr(options, "dataset", None),
        folder=options.folder,
        as_json=getattr(options, "json", False),
    )


def execute(request: ClipsRequest, options: SettingOptions) -> int:
    """Do what the action says."""
    from detector.clips import command

    named = request.folder or options.load().settings.clips.folder
    if named is None:
        raise ConfigError("no folder of clips is set: give --folder FOLDER, or set clips.folder")
    folder = Path(named)
    if request.action == "list":
        return command.list_clips(folder, labels=request.labels, as_json=request.as_json)
    if request.action == "export":
        dataset = Path(request.dataset or "")
        return command.export_clips(folder, dataset, request.names, labels=request.labels)
    if request.action == "play":
        return command.play_clips(folder, request.names)
    if request.action == "delete":
        return command.delete_clips(folder, request.names)
    return command.lock_clips(folder, request.names, locked=request.action == "lock")


COMMAND = Command(
    name="clips",
    summary="list, play, lock, delete or export the clips of events",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
