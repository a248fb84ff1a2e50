"""The settings that a command line means: those of its file, its flags and --set together."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from detector.assemble.edges import SINK_KINDS
from detector.config.loading import Loaded, load_settings


def given_settings(
    options: argparse.Namespace, overrides: Mapping[str, object], environ: Mapping[str, str]
) -> Loaded:
    """Read them; `overrides`: the settings among `options`. Raises ConfigError."""
    given = dict(overrides)
    if "source.device" in given:
        given["source.input"] = None  # a file may name a recording; the microphone asked for here wins
    return load_settings(
        config_path=options.config,
        environ=environ,
        sink_kinds=SINK_KINDS,
        overrides=given,
        set_expressions=options.set_expressions,
    )
