"""Flags that several commands share: events to show, datasets, processes, output folders."""

from __future__ import annotations

import argparse

from detector.cli.number_arguments import number, whole
from detector.cli.path_arguments import path

LAYOUTS = ("esc50", "urbansound8k", "folders")
"""Those of `detector.datasets.labelled_clips`, named here so that `--help` need not load it."""
MOST_JOBS = 1024


def add_event_filter_flags(parser: argparse.ArgumentParser, *, score: str) -> None:
    """Add the flags that choose events by label and score; `score` says which of an event's scores."""
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        dest="labels",
        metavar="LABEL",
        help="show only events with this label or of this group (`models groups`); may be repeated",
    )
    parser.add_argument(
        "--min-score",
        type=number(0, 1, "a score"),
        default=0.0,
        metavar="SCORE",
        help=f"show only events whose {score} is at least this, 0 to 1",
    )


def add_layout_flag(group: argparse._ActionsContainer) -> None:
    """Add the flag that says how a dataset of clips is laid out."""
    group.add_argument("--layout", choices=LAYOUTS, help="layout of the dataset (default: detected)")


def add_annotations_flag(group: argparse._ActionsContainer) -> None:
    """Add the flag that names the annotations of recordings."""
    group.add_argument(
        "--annotations",
        metavar="DIR|TABLE",
        type=path,
        help="folder with an annotation file for each recording (.txt from Audacity, .csv, .tsv, .jams or "
        ".rttm), or one .csv or .tsv table for all of them, with a column `filename`",
    )


def add_jobs_flag(group: argparse._ActionsContainer, *, low: int = 0) -> None:
    """Add the flag that limits processes; 0, where it is allowed, is one for each core."""
    group.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=whole(low, MOST_JOBS),
        default=0,
        help="number of processes (default: one for each core)",
    )


def add_quiet_flag(group: argparse._ActionsContainer, help: str = "show no progress bar") -> None:
    """Add the flag that keeps a command silent."""
    group.add_argument("-q", "--quiet", action="store_true", help=help)


def add_overwrite_flag(group: argparse._ActionsContainer, help: str) -> None:
    """Add the flag that allows to replace what exists."""
    group.add_argument("--overwrite", action="store_true", help=help)


def add_seed_flag(group: argparse._ActionsContainer) -> None:
    """Add the flag that makes a random choice repeatable."""
    group.add_argument(
        "--seed",
        metavar="N",
        type=whole(),
        default=0,
        help="seed of the random numbers: the same seed gives the same result (default 0)",
    )
