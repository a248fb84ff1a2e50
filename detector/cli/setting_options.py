"""The settings that a command line gives, and how they are read together with the config file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from detector.cli.setting_flags import FLAGS
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.config.loading import Loaded


@dataclass(frozen=True, slots=True)
class SettingOptions:
    """Settings given on a command line: the file to read, and what overrides it."""

    config_path: str | None = None
    """None looks for a file in the default places."""
    overrides: Mapping[str, object] = field(default_factory=dict)
    """Settings that flags gave: dotted key -> value as in the file; None resets one to its default."""
    set_expressions: tuple[str, ...] = ()
    """`KEY=VALUE`; they override everything else."""
    flags: Mapping[str, str] = field(default_factory=dict)
    """Setting of `overrides` -> the flag that gave it, for messages."""

    def load(self) -> Loaded:
        """Read the settings, from file and flags together; raises ConfigError with every fault."""
        from detector.assemble import SINK_KINDS
        from detector.config.loading import load_settings

        return load_settings(
            config_path=self.config_path,
            environ=os.environ,
            sink_kinds=SINK_KINDS,
            overrides=self.overrides,
            flags=self.flags,
            set_expressions=self.set_expressions,
        )


def setting_options(options: argparse.Namespace) -> SettingOptions:
    """Collect the settings that a command's flags give; raises ConfigError where two contradict."""
    overrides = {key: value for key, value in vars(options).items() if "." in key or key == "sinks"}
    flags = {key: FLAGS[key] for key in overrides}
    demo = getattr(options, "demo", False)
    if "source.device" in overrides:
        if "source.input" in overrides or demo:
            raise ConfigError("--device cannot be combined with --input or --demo: choose one of them")
        overrides["source.input"] = None  # a file may name a recording; the microphone asked for here wins
        flags["source.input"] = FLAGS["source.device"]
    if demo and "source.input" in overrides:
        raise ConfigError("--demo cannot be combined with --input: choose one of them")
    if demo:
        from detector.demo import recording_path

        played = {"source.input": str(recording_path()), "source.realtime": True, "source.name": "demo"}
        overrides = played | overrides  # a --name that was given stays
        flags = dict.fromkeys(played, "--demo") | flags
    return SettingOptions(
        getattr(options, "config", None), overrides, tuple(getattr(options, "set_expressions", ())), flags
    )
