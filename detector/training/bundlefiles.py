"""A trained model as a bundle: model.yaml, labels.csv, the network in both formats, the report."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.errors import ConfigError, DetectorError
from detector.modelstore.folders import shipped_folder
from detector.training.recipe import LearningTask, Recipe

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""No `+`: that joins models."""


@dataclass(frozen=True, slots=True)
class BundleDescription:
    """The entries of model.yaml that neither the task nor the recipe gives."""

    name: str
    description: str
    licence: str
    attribution: str
    thresholds: Mapping[str, float]
    metrics: Mapping[str, float]


def check_output_folder(out: Path, *, overwrite: bool) -> None:
    """DetectorError where no model could be written there; called before training starts."""
    if not PLAIN_NAME.fullmatch(out.name):
        raise ConfigError(f"--out {out}: expected a name of letters, digits, dots, dashes and underscores")
    shipped = shipped_folder() / out.name
    if (shipped / "model.yaml").is_file() and out.resolve() != shipped.resolve():
        raise ConfigError(
            f"--out {out}: a model called {out.name} comes with the program; choose another name"
        )
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: is a file; expected a folder, or a name that is free")
    if out.is_dir() and any(out.iterdir()):
        if not overwrite:
            raise ConfigError(f"--out {out}: the folder is not empty; choose another or add --overwrite")
        if not (out / "model.yaml").is_file():
            raise ConfigError(f"--out {out}: holds something other than a model; choose another folder")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent).cleanup()
    except OSError as error:
        raise DetectorError(f"cannot write {out}: {error.strerror or error}") from error


def bundle_texts(
    about: BundleDescription, task: LearningTask, recipe: Recipe, files: Mapping[str, bytes]
) -> dict[str, bytes]:
    """File name -> content; `files`: `onnx` and `tflite`."""
    return {
        "model.yaml": _model_yaml(about, recipe, files).encode(),
        "labels.csv": _labels_csv(about.name, task).encode(),
        **{f"model.{kind}": content for kind, content in files.items()},
    }


def write_bundle(out: Path, contents: Mapping[str, bytes]) -> None:
    """Put all files in place at once: a reader sees the old bundle or the new one, never a mixture."""
    temporary = old = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        temporary.chmod(0o755)
        for name, content in contents.items():
            (temporary / name).write_bytes(content)
        if out.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
            out.replace(old)
        temporary.replace(out)
    except OSError as error:
        raise DetectorError(f"cannot write {out}: {error.strerror or error}") from error
    finally:
        for rest in (temporary, old):
            if rest is not None:
                shutil.rmtree(rest, ignore_errors=True)


def _model_yaml(about: BundleDescription, recipe: Recipe, files: Mapping[str, bytes]) -> str:
    lines = [
        "# What `sound-detector train` made. The keys are explained in docs/models.md, how in report.html.",
        f"name: {_quoted(about.name)}",
        f"description: {_quoted(about.description)}",
        f"licence: {_quoted(about.licence)}",
        f"attribution: {_quoted(about.attribution)}",
        f"sample_rate: {recipe.sample_rate} # Hz",
        f"window: {recipe.window} # samples",
        "labels: labels.csv",
        *_input_keys(recipe),
        "threshold_on: 0.5 # score, for labels without one below",
        "thresholds: # label: score; chosen on clips that were held out",
        *(f"  {_quoted(name)}: {value:.3f}" for name, value in about.thresholds.items()),
        "metrics: # per cent, on clips that were held out",
        *(f"  {_quoted(name)}: {value:g}" for name, value in about.metrics.items()),
        "files:",
    ]
    given = "embedding" if recipe.head is not None else "logmel"
    for kind, content in files.items():
        lines += [
            f"  {kind}:",
            f"    name: model.{kind}",
            f"    input: {given}",
            f"    size: {len(content)} # bytes",
            f"    sha256: {hashlib.sha256(content).hexdigest()}",
        ]
    return "\n".join(lines) + "\n"


def _input_keys(recipe: Recipe) -> Sequence[str]:
    """The keys `head` or `front_end`: the embeddings a head reads, or how a network's patches are made."""
    if recipe.head is not None:
        return [
            "head:",
            f"  base: {_quoted(recipe.head.base)}",
            f"  context_seconds: {recipe.head.context_seconds:g}",
        ]
    made = recipe.front_end
    if made is None:
        raise ValueError("a recipe has either a head or a front end")
    return [
        "front_end:",
        *(f"  {key}: {getattr(made, key)}" for key in ("frame", "hop", "fft", "bands", "low_hz", "high_hz")),
        f"  log_offset: {made.log_offset:.12f}",
        f"  power: {made.power}",
        f"  preemphasis: {made.preemphasis}",
        f"  centred: {str(made.centred).lower()}",
    ]


def _labels_csv(name: str, task: LearningTask) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("index", "mid", "display_name", "background"))
    for index, label in enumerate(task.classes):
        writer.writerow((index, f"{name}/{label}", label, int(label == task.background)))
    return text.getvalue()


def _quoted(text: str) -> str:
    """As a double-quoted YAML scalar, which a JSON string is."""
    return json.dumps(text, ensure_ascii=False)
