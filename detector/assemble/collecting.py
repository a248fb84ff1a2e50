"""A source for `sound-detector record`: the microphone of the settings, or a recording."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace

from detector.assemble.edges import make_source
from detector.assemble.given import given_settings
from detector.cli.record import record_request
from detector.collecting.command import record
from detector.interfaces import Source


def record_command(
    options: argparse.Namespace, overrides: Mapping[str, object], environ: Mapping[str, str]
) -> int:
    """Do what `sound-detector record` was asked; `overrides`: the settings among `options`."""
    settings = given_settings(options, overrides, environ).settings
    wanted = replace(settings.source, name=None)

    def source(rate: int, block_length: int, /) -> Source:
        return make_source(wanted, sample_rate=rate, block_length=block_length)

    return record(record_request(options, live=wanted.input is None), source)
