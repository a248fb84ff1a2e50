"""The settings that a command line gives, and how they are read together with the config file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from detector.cli.setting_flags import FLAGS
from detector.config.wording import show
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.config.loading import Loaded


SINGLE = {"source.device": "--device", "source.input": "--input"}
"""Settings that mean one source without a name, and their flags."""


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
        from detector.assemble.endpoints import SINK_KINDS
        from detector.config.loading import load_settings

        return load_settings(
            config_path=self.config_path,
            environ=os.environ,
            sink_kinds=SINK_KINDS,
            overrides=self.overrides,
            flags=self.flags,
            set_expressions=self.set_expressions,
        )


def _named_sources(texts: Sequence[str]) -> dict[str, object]:
    """What `--source` gives: name -> text as in the file."""
    sources: dict[str, object] = {}
    for text in texts:
        name, equals, sound = text.partition("=")
        if not equals or "://" in name:  # which may hold a password, and is not quoted
            raise ConfigError("--source: expected NAME=SOUND, such as porch=rtsp://camera.local/stream")
        if name in sources:
            raise ConfigError(f"--source: two sources are called {show(name)}: give each a name of its own")
        sources[name] = sound
    return sources


def setting_options(options: argparse.Namespace) -> SettingOptions:
    """Collect the settings that a command's flags give; raises ConfigError where two contradict."""
    overrides = {key: value for key, value in vars(options).items() if "." in key or key == "sinks"}
    if "named_sources" in options:
        overrides["sources"] = _named_sources(options.named_sources)
    flags = {key: FLAGS[key] for key in overrides}
    demo = getattr(options, "demo", False)
    if "source.device" in overrides:
        if "source.input" in overrides or demo:
            raise ConfigError("--device cannot be combined with --input or --demo: choose one of them")
        overrides["source.input"] = None  # a file may name a recording; the microphone asked for here wins
        flags["source.input"] = FLAGS["source.device"]
    single = [flag for key, flag in SINGLE.items() if key in overrides] + ["--demo"] * demo
    if "sources" in overrides and single:
        raise ConfigError(f"--source cannot be combined with {single[0]}: give that one a name too")
    if "sources" in overrides and (alone := [key for key in overrides if key.startswith("source.")]):
        key = alone[0].removeprefix("source.")
        where = f"write {key} into `sources` of config.yaml" if key != "name" else "it has a name"
        raise ConfigError(f"--source cannot be combined with {FLAGS[alone[0]]}: {where}")
    if "sources" in overrides:  # a file may name a single source, or others; those asked for here win
        overrides |= {"source.device": None, "source.input": None}
        flags |= dict.fromkeys(("source.device", "source.input"), FLAGS["sources"])
    elif single:
        overrides["sources"], flags["sources"] = {}, single[0]
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
