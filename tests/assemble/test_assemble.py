"""Settings become objects: lengths that fit together, sinks where none are named, labels the model has."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.assemble.endpoints import SINK_KINDS, effective_sinks, with_stdout
from detector.assemble.service import advice
from detector.assemble.source_channels import block_length
from detector.assemble.stages import check_labels, make_gate, make_label_map, make_label_rules, make_pipeline
from detector.config.loading import load_settings
from detector.config.settings import (
    EventSettings,
    GateSettings,
    LabelSettings,
    Settings,
    SourceSettings,
    WindowSettings,
)
from detector.errors import ConfigError
from detector.records import Block
from detector.sinks.logfile import LogSettings
from detector.sinks.stdout import StdoutSettings
from tests.support import ROOT
from tests.support.fakes import FakeClassifier, make_spec

RATE = 16000
SPEC = make_spec("Dog", "Cat", "Siren", threshold_on=0.4, thresholds={"Cat": 0.2})

# --- blocks


@pytest.mark.parametrize(
    ("hop_seconds", "length"),
    [(0.24, 1920), (0.48, 1920), (0.12, 1920), (0.03, 480), (1.0, 2000), (3.0, 2000)],
)
def test_a_block_is_the_longest_whole_fraction_of_the_hop(hop_seconds, length):
    assert block_length(round(hop_seconds * RATE), RATE) == length


@given(st.integers(480, 160_000))
def test_a_block_divides_the_hop_where_any_fit_length_can(hop):
    length = block_length(hop, RATE)
    assert 480 <= length <= 2080
    fitting = [n for n in range(480, 2081) if hop % n == 0]
    assert length == (max(fitting) if fitting else 2080)


@given(st.integers(8000, 96_000), st.floats(0.03, 10))
def test_a_block_is_short_at_any_rate(rate, hop_seconds):
    assert (
        0.03 * rate - 1
        <= block_length(max(round(hop_seconds * rate), round(0.03 * rate)), rate)
        <= 0.13 * rate
    )


# --- sinks


def kinds(settings):
    return [sink.kind for sink in effective_sinks(settings)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (SourceSettings(), ["stdout", "socket"]),
        (SourceSettings(input="-"), ["stdout", "socket"]),
        (SourceSettings(input="clip.wav", realtime=True), ["stdout", "socket"]),
        (SourceSettings(input="clip.wav"), ["stdout"]),
    ],
    ids=["microphone", "pipe", "recording in real time", "recording at full speed"],
)
def test_what_is_live_has_a_socket_too(source, expected):
    assert kinds(Settings(source=source)) == expected


def test_sinks_that_are_named_are_all_there_are():
    log = LogSettings("events.jsonl")
    assert list(effective_sinks(Settings(sinks=(log,)))) == [log]
    assert kinds(Settings(sinks=())) == []


def test_the_format_is_that_of_standard_output_alone():
    log = LogSettings("events.jsonl")
    changed = with_stdout(Settings(sinks=(log, StdoutSettings())), format="json")
    assert changed.sinks == (log, StdoutSettings(format="json"))
    assert kinds(with_stdout(Settings(), format="text")) == ["stdout", "socket"]


def test_the_status_line_is_turned_off_for_standard_output_alone():
    log = LogSettings("events.jsonl")
    changed = with_stdout(Settings(sinks=(log, StdoutSettings())), status_line=False)
    assert changed.sinks == (log, StdoutSettings(status_line=False))
    assert with_stdout(Settings()) == Settings()


# --- the pipeline


def windows_of(settings, seconds=1):
    classifier = FakeClassifier(SPEC, lambda window: [0, 0, 0])
    make_pipeline(settings, classifier).push(Block(0, np.zeros(round(seconds * RATE), dtype=np.int16)))
    return classifier.stops


def test_windows_follow_at_the_hop_that_is_set():
    assert windows_of(Settings(windows=WindowSettings(hop_seconds=0.3))) == [4800, 9600, 14400]


def test_a_hop_is_at_least_a_frame():
    assert windows_of(Settings(windows=WindowSettings(hop_seconds=0.001)), 0.1) == [480, 960, 1440]


@pytest.mark.parametrize("mode", ["both", "webrtcvad", "level"])
def test_any_gate_closes_in_silence_but_not_within_the_first_window(mode):
    stops = windows_of(Settings(gate=GateSettings(mode=mode, hangover_seconds=0)), 5)
    assert SPEC.window <= stops[-1] + 3840
    assert stops[-1] < 3 * RATE


def test_no_gate_is_always_open():
    assert len(windows_of(Settings(gate=GateSettings(mode="off")), 5)) == 20
    assert make_gate(GateSettings(mode="off"), SPEC).openings == 0


def test_labels_have_their_own_values_the_common_ones_or_the_models():
    events = EventSettings(
        min_duration_seconds=0.5,
        groups={"Pets": ("Dog", "Cat")},
        labels={"pets": LabelSettings(threshold_on=0.9, refractory_seconds=2.0)},
    )
    labels = make_label_map(events, SPEC)
    rules = make_label_rules(events, labels, SPEC)
    assert [label.name for label in labels.reported] == ["Siren", "Pets"]
    assert rules.threshold_on.tolist() == pytest.approx([0.4, 0.9])
    assert rules.threshold_off.tolist() == pytest.approx([0.2, 0.45])
    assert rules.min_duration.tolist() == [8000, 8000]
    assert rules.refractory.tolist() == [0, 32000]


def test_what_a_label_has_of_its_own_comes_before_what_its_group_has():
    events = EventSettings(
        labels={
            "Siren": LabelSettings(threshold_on=0.9),
            "alarms": LabelSettings(threshold_on=0.1, refractory_seconds=2.0),
            "dog": LabelSettings(min_duration_seconds=0.5),
        },
    )
    labels = make_label_map(events, SPEC)
    rules = make_label_rules(events, labels, SPEC)
    siren, dog = (labels.find_all("", name)[0] for name in ("Siren", "Dog"))
    assert (rules.threshold_on[siren], rules.refractory[siren]) == (pytest.approx(0.9), 32000)
    assert rules.min_duration[dog] == 8000


def test_the_models_own_thresholds_are_its_labels():
    events = EventSettings()
    rules = make_label_rules(events, make_label_map(events, SPEC), SPEC)
    assert rules.threshold_on.tolist() == pytest.approx([0.4, 0.2, 0.4])


# --- labels that the model does not have


def check(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    loaded = load_settings(config_path=str(path), environ={}, sink_kinds=SINK_KINDS)
    with pytest.raises(ConfigError) as caught, loaded.locating_errors():
        check_labels(loaded.settings)
    return str(caught.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("text", "place", "nearest"),
    [
        ("events:\n  include: [Dog, Barq]\n", "config.yaml:2:", "'Bark'"),
        ("events:\n  preset: sure\n  exclude:\n    - Dgo\n", "config.yaml:3:", "'Dog'"),
        ("events:\n  groups:\n    Pets: [Dog, Catt]\n", "config.yaml:3:", "'Cat'"),
        ("events:\n  labels:\n    Siern:\n      threshold_on: 0.5\n", "config.yaml:3:", "'Siren'"),
    ],
)
def test_a_label_the_model_does_not_have_is_named_with_file_and_line(tmp_path, text, place, nearest):
    message = check(tmp_path, text)
    assert message.startswith(place)
    assert f"did you mean {nearest}" in message
    assert "\n" not in message


def test_settings_of_a_label_that_is_not_reported_are_refused(tmp_path):
    text = "events:\n  include: [Dog]\n  labels:\n    Siren: {threshold_on: 0.5}\n"
    assert "no reported label is called 'Siren'" in check(tmp_path, text)


# --- what the daemon does not import


def test_assembling_imports_nothing_heavy():
    """No librosa, numba, scipy, sklearn or torch, and no engine before it is asked for."""
    script = (
        "import sys, json, detector.assemble.service, detector.service.daemon; "
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    root = ROOT
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    heavy = {
        "librosa",
        "numba",
        "scipy",
        "sklearn",
        "torch",
        "onnxruntime",
        "ai_edge_litert",
        "pyaudio",
        "soundfile",
    }
    assert not heavy & set(json.loads(found.stdout))


@pytest.mark.parametrize(
    ("sources", "model", "expected"),
    [
        (1, "yamnet", "a larger windows.hop_seconds"),
        (1, "yamnet+mn04", "one network instead of two (--model yamnet) or a larger windows.hop_seconds"),
        (16, "yamnet", "fewer sources or a larger windows.hop_seconds"),
        (
            16,
            "yamnet+mn04+door",
            "fewer sources, one network instead of two (--model yamnet) or a larger windows.hop_seconds",
        ),
    ],
)
def test_what_would_help_a_machine_that_is_too_slow_is_what_there_is_to_change(sources, model, expected):
    assert advice(sources, model) == expected


def test_a_label_of_clips_that_no_event_has_is_a_fault(tmp_path):
    fault = check(tmp_path, "clips:\n  labels: [alarms, Glass, Smoke alarm (T3), Dgo]\n")
    assert "config.yaml:2: clips.labels[3]: no label of this daemon is called 'Dgo'" in fault
    fault = check(tmp_path, "clips:\n  labels: [Bark]\n")
    assert "'Bark' is reported as 'Dog'" in fault
