"""model.yaml read and checked, all but what needs the table of labels.

A fault is a ModelError of one line that names file, line and key. docs/models.md explains every key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from detector.backends.modelkeys import RUNTIMES, ModelYaml
from detector.config import strict, yamltext
from detector.config.constraints import wrong_values
from detector.config.wording import show
from detector.config.yamltext import Fault
from detector.errors import ModelError

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_TABLE_NAME = re.compile(rf"(\.\./{_PLAIN_NAME.pattern}/)?{_PLAIN_NAME.pattern}")
_WHEEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9][A-Za-z0-9.+!_-]*")
"""What pip may be asked for: a name and one version. An address, a path or an option could run code."""
_SHA256 = re.compile(r"[0-9a-f]{64}")

MAX_CONTEXT_SECONDS = 60.0
"""The embeddings of all windows within it are kept, and averaged anew for each window."""

MAX_SAMPLE_RATE = 384_000
"""Hz; beyond what any microphone gives, and what resamplers are built for."""
MAX_WINDOW_SECONDS = 60.0
MAX_FILE_BYTES = 1 << 28
"""Of a network in a file: far more than a small computer could run."""
MAX_FFT = 65_536
MAX_BANDS = 1024
MAX_FRAMES = 20_000
"""A patch of the front end, and the memory that it takes, stay within reason."""

Refuse = Callable[[str, str], NoReturn]
"""Raises the ModelError for a key and what is wrong with it."""


def read_model_yaml(path: Path) -> tuple[ModelYaml, Refuse]:
    """Return its keys, and what raises the ModelError for a key; ModelError where the file is wrong."""
    if not os.path.lexists(path):  # a link to what is not there, or cannot be, is told when it is read
        raise ModelError(f"{path}: not found; a model bundle is a folder with a model.yaml in it")
    document, faults = yamltext.read(path, links=False)
    if not faults:
        yaml, faults = strict.fill(ModelYaml, document)
        wrong = () if yaml is None else wrong_values(yaml)
        faults += [Fault(document.lines.get(key), key, message) for key, message in wrong]
    if faults or yaml is None:
        raise ModelError(faults[0].at(str(path)))

    def refuse(key: str, message: str) -> NoReturn:
        raise ModelError(Fault(document.lines.get(key), key, message).at(str(path)))

    _check_name(_PLAIN_NAME, yaml.name, "name", refuse)
    _check_name(_TABLE_NAME, yaml.labels, "labels", refuse)
    if yaml.ontology:
        _check_name(_TABLE_NAME, yaml.ontology, "ontology", refuse)
    if yaml.everyday:
        _check_name(_TABLE_NAME, yaml.everyday, "everyday", refuse)
    if yaml.prior:
        _check_name(_TABLE_NAME, yaml.prior, "prior", refuse)
    if not 0 <= yaml.prior_weight <= 1:
        refuse("prior_weight", f"expected 0 to 1, got {yaml.prior_weight}")
    for key, value, most in (
        ("sample_rate", yaml.sample_rate, MAX_SAMPLE_RATE),
        ("window", yaml.window, int(MAX_WINDOW_SECONDS * yaml.sample_rate)),
    ):
        if not 1 <= value <= most:
            refuse(key, f"expected at {'least 1' if value < 1 else f'most {most}'}, got {value}")
    _check_files(yaml, refuse)
    _check_members(yaml, refuse)
    _check_front_end(yaml, refuse)
    _check_head(yaml, refuse)
    return yaml, refuse


def _check_name(pattern: re.Pattern[str], name: str, key: str, refuse: Refuse) -> None:
    if not pattern.fullmatch(name):
        refuse(key, f"expected letters, digits, dots, dashes and underscores, at most 100, got {show(name)}")


def _check_files(yaml: ModelYaml, refuse: Refuse) -> None:
    files = yaml.files.given
    if not (files.keys() & set(RUNTIMES) or yaml.members):
        refuse("files", f"expected at least one of: {', '.join(RUNTIMES)}")
    for kind, file in files.items():
        key = f"files.{kind}"
        _check_name(_PLAIN_NAME, file.name, f"{key}.name", refuse)
        for name, tensor in (("logits", file.logits), ("embedding", file.embedding)):
            if tensor is not None and (tensor < 0 or kind != "tflite"):
                refuse(f"{key}.{name}", "expected the number of a tensor in a TFLite file")
        if file.input == "logmel" and yaml.front_end is None:
            refuse(f"{key}.input", "is logmel, so the model needs a `front_end`")
        if kind in RUNTIMES and (file.input == "embedding") != (yaml.head is not None):
            refuse(f"{key}.input", "must be embedding for a model with a `head`, and for no other")
        if file.derived_from is not None:
            origin = files.get(file.derived_from)
            if origin is None or origin.derived_from is not None:
                refuse(f"{key}.derived_from", f"there is no {file.derived_from} file to build it from")
            if file.size or file.sha256 or file.sources:
                refuse(key, "a derived file has no size, sha256 or sources of its own")
            continue
        if not 1 <= file.size <= MAX_FILE_BYTES:
            most = f", at most {MAX_FILE_BYTES}" if file.size > 0 else ""
            refuse(f"{key}.size", f"expected the file's size in bytes{most}, got {file.size}")
        if not _SHA256.fullmatch(file.sha256):
            refuse(f"{key}.sha256", f"expected 64 hexadecimal digits, got {show(file.sha256)}")
        for number, source in enumerate(file.sources):
            source_key = f"{key}.sources[{number}]"
            is_url = source.url is not None and (source.pip, source.member, source.sha256) == (None,) * 3
            is_pip = source.url is None and source.pip is not None and source.member is not None
            if not (is_url or is_pip):
                refuse(source_key, "expected either `url`, or `pip` and `member`")
            if source.url is not None and not source.url.startswith(("https://", "http://")):
                refuse(source_key, f"expected an https:// or http:// address, got {show(source.url)}")
            if source.pip is not None and not _WHEEL.fullmatch(source.pip):
                refuse(source_key, f"expected `project==version` and nothing more, got {show(source.pip)}")
            if source.sha256 is not None and not _SHA256.fullmatch(source.sha256):
                refuse(
                    source_key,
                    f"expected the wheel's sha256, 64 hexadecimal digits, got {show(source.sha256)}",
                )


def _check_members(yaml: ModelYaml, refuse: Refuse) -> None:
    if yaml.members and yaml.files.given:
        refuse("members", "a model with `members` has no files of its own")
    if yaml.members and yaml.prior:
        refuse("prior", "a model with `members` uses the priors of its members: delete it")
    if len(yaml.members) == 1:
        refuse("members", "expected at least two models")
    if yaml.bias and not yaml.members:
        refuse("bias", "only a model with `members` has a bias")
    for number, member in enumerate(yaml.members):
        _check_name(_PLAIN_NAME, member.model, f"members[{number}].model", refuse)
        if not member.weight > 0:
            refuse(f"members[{number}].weight", f"expected above 0, got {member.weight}")


def _check_front_end(yaml: ModelYaml, refuse: Refuse) -> None:
    given = yaml.front_end
    if given is None:
        return
    for key, most in (("frame", MAX_FFT), ("hop", yaml.window), ("fft", MAX_FFT), ("bands", MAX_BANDS)):
        if not 1 <= getattr(given, key) <= most:
            refuse(f"front_end.{key}", f"expected at least 1 and at most {most}, got {getattr(given, key)}")
    if yaml.window // given.hop > MAX_FRAMES:
        refuse("front_end.hop", f"expected at most {MAX_FRAMES} frames in a window: take a larger hop")
    if given.frame > min(given.fft, yaml.window):
        refuse("front_end.frame", f"expected at most fft and the model's window, got {given.frame}")
    if not 0 <= given.low_hz < given.high_hz <= yaml.sample_rate / 2:
        refuse(
            "front_end.high_hz",
            f"expected above low_hz, at most {yaml.sample_rate / 2:g}, got {given.high_hz}",
        )
    if given.log_offset <= 0:
        refuse("front_end.log_offset", f"expected above 0, got {given.log_offset}")
    if not 0 <= given.preemphasis < 1:
        refuse("front_end.preemphasis", f"expected at least 0 and below 1, got {given.preemphasis}")


def _check_head(yaml: ModelYaml, refuse: Refuse) -> None:
    given = yaml.head
    if given is None:
        return
    _check_name(_PLAIN_NAME, given.base, "head.base", refuse)
    if given.base == yaml.name:
        refuse("head.base", "expected another model: a head takes the embedding of its base")
    if not 0 < given.context_seconds <= MAX_CONTEXT_SECONDS:
        refuse(
            "head.context_seconds",
            f"expected above 0, at most {MAX_CONTEXT_SECONDS:g}, got {given.context_seconds}",
        )
    for key, value in (("members", yaml.members), ("front_end", yaml.front_end), ("prior", yaml.prior)):
        if value:
            refuse(key, "a model with a `head` takes this from its base: delete it")
