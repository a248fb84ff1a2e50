"""`sound-detector evaluate`: how good a model is, on clips or on annotated recordings."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.number_arguments import whole
from detector.cli.path_arguments import path
from detector.cli.setting_flags import add_classifying_flags, add_config_flags
from detector.cli.setting_options import SettingOptions
from detector.cli.shared_flags import (
    add_annotations_flag,
    add_jobs_flag,
    add_layout_flag,
    add_overwrite_flag,
    add_quiet_flag,
)
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.evaluation.command import EvaluateRequest

EXAMPLES = """\
examples:
  sound-detector evaluate ESC-50-master         a dataset of clips
  sound-detector evaluate my-clips --map my-classes.csv --out report
  sound-detector evaluate recordings/ --annotations labels/ --preset quiet
  sound-detector evaluate recordings/ --annotations strong_labels.tsv
  sound-detector evaluate recordings/ --annotations labels/ --verdicts 5,10,20
"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags, in groups."""
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        type=path,
        help="a dataset of clips; with --annotations: recordings or folders of recordings",
    )
    truth = parser.add_argument_group("ground truth")
    add_annotations_flag(truth)
    add_layout_flag(truth)
    truth.add_argument(
        "--map",
        metavar="FILE",
        type=path,
        help="CSV file with the columns class and labels: which of the model's labels belong to each class",
    )
    truth.add_argument(
        "--ignore",
        metavar="LABEL",
        action="append",
        default=[],
        help="in recordings, count no events of this label or of its sub-labels; may be repeated",
    )
    truth.add_argument(
        "--verdicts",
        metavar="N[,N...]",
        type=_counts,
        default=(),
        help="in recordings, simulate verdicts on the first N events of each first half, and count the wrong "
        "and the right events of the second halves with and without them",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out", metavar="DIR", type=path, help="write the report, tables and pictures to this folder"
    )
    add_overwrite_flag(output, "write to DIR even if it is not empty")
    output.add_argument("--json", action="store_true", help="print all figures as a JSON object")
    add_jobs_flag(output)
    add_quiet_flag(output)
    add_classifying_flags(parser)
    add_config_flags(parser)


def read_request(options: argparse.Namespace) -> EvaluateRequest:
    """Read what was asked for; raises ConfigError where a flag has no effect."""
    from detector.evaluation.command import EvaluateRequest

    if options.annotations is None and options.ignore:
        raise ConfigError("--ignore works on annotated recordings: add --annotations")
    if options.annotations is None and options.verdicts:
        raise ConfigError("--verdicts works on annotated recordings: add --annotations")
    if options.annotations is not None and options.layout is not None:
        raise ConfigError("--layout works on a dataset of clips: leave it out beside --annotations")
    return EvaluateRequest(
        paths=tuple(options.paths),
        annotations=options.annotations,
        layout=options.layout,
        map_file=options.map,
        ignore=tuple(options.ignore),
        verdicts=options.verdicts,
        out=options.out,
        overwrite=options.overwrite,
        as_json=options.json,
        jobs=options.jobs,
        quiet=options.quiet,
    )


def _counts(text: str) -> tuple[int, ...]:
    return tuple(map(whole(1), text.split(",")))


def execute(request: EvaluateRequest, options: SettingOptions) -> int:
    """Measure, and print the figures."""
    from detector.assemble.evaluation import evaluate_command

    return evaluate_command(request, options.load())


COMMAND = Command(
    name="evaluate",
    summary="measure how well a model recognises labelled clips or annotated recordings",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
