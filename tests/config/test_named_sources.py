"""Several sources in the settings: how they are written, and each fault as one clear line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from detector.assemble.endpoints import SINK_KINDS
from detector.config.loading import Loaded, load_settings
from detector.config.named_source import NamedSource
from detector.config.rendering import render
from detector.errors import ConfigError

Load = Callable[[str], Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str) -> Loaded:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return load_settings(config_path=str(path), environ={}, sink_kinds=SINK_KINDS)

    return load


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("mic", NamedSource()),
        ("mic:USB Audio", NamedSource(device="USB Audio")),
        ("mic:1", NamedSource(device=1)),
        ("file:night: part 2.flac", NamedSource(file="night: part 2.flac")),
        ("pipe:-", NamedSource(pipe="-")),
        ("rtsp://camera.local/1", NamedSource(url="rtsp://camera.local/1")),
        ("url-file:/etc/porch.url", NamedSource(url_file="/etc/porch.url")),
    ],
)
def test_a_text_says_where_the_sound_comes_from(load: Load, text: str, source: NamedSource) -> None:
    assert NamedSource.from_text(text) == source
    assert load(f"sources: {{porch: '{text}'}}").settings.sources == {"porch": source}


FAULTS = {
    "{front door: mic}": "sources.front door: expected a name of 1 to 64 letters",
    "{porch/1: mic}": "sources.porch/1: expected a name of 1 to 64 letters",
    "{porch: usb}": "sources.porch: expected mic, mic:DEVICE, file:PATH, ",
    "{porch: flie:a.wav}": "did you mean `file`?",
    "{porch: ftp://host/a}": "sources.porch.url: expected an address that begins with rtsp://, rtsps://",
    "{porch: 'rtsp:///stream'}": "sources.porch.url: expected a host, as in rtsp://camera.local/stream",
    "{porch: 'http://radio:port/'}": "sources.porch.url: expected an address such as",
    "{porch: 'http://radio/a b'}": "sources.porch.url: expected an address without spaces",
    "{porch: {device: 1, file: a.wav}}": "sources.porch.file: device is given too: one source has one of",
    "{a: mic, b: mic}": "sources.b: the default microphone is the source a already: delete one of them",
    "{a: mic:USB, b: mic:usb}": "sources.b: the microphone usb is the source a already",
    "{a: pipe:-, b: pipe:-}": "sources.b: the pipe - is the source a already",
    "{porch: {file: a.wav, rate: 8000}}": "sources.porch.rate: is for a pipe: delete it",
    "{porch: {quiet_hours: at night}}": "sources.porch.quiet_hours: expected hours of the day such as",
    "{porch: {quiet_hours: '22:00-22:00'}}": "expected hours of the day such as 22:00-07:00",
    "{porch: {quiet_keep: [Dog]}}": "sources.porch.quiet_keep: is for quiet_hours",
    "{porch: {threshold_off: 0.5, threshold_on: 0.4}}": "sources.porch.threshold_off: expected threshold_off",
    "{porch: {threshold_on: 2}}": "sources.porch.threshold_on: expected more than 0, at most 1, got 2",
    "{porch: {urls: a}}": "sources.porch.urls: unknown key: did you mean `url`?",
    "{porch: mic, porch: mic:1}": "porch",
}  # fmt: skip


@pytest.mark.parametrize("sources", FAULTS)
def test_what_is_wrong_is_one_line_with_its_place(load: Load, sources: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"# several\nsources: {sources}\n")
    (line,) = str(caught.value).splitlines()
    assert "config.yaml:2" in line
    assert FAULTS[sources] in line


@pytest.mark.parametrize("kind", ["url: ", ""])
def test_a_password_is_refused_and_not_quoted(load: Load, kind: str) -> None:
    value = "rtsp://admin:zaunkoenig@camera.local/1"
    source = f"{{url: '{value}'}}" if kind else f"'{value}'"
    with pytest.raises(ConfigError, match=r"it holds a password.*chmod 600.*url_file") as caught:
        load(f"sources: {{porch: {source}}}")
    assert "zaunkoenig" not in str(caught.value)


def test_one_source_and_several_contradict_each_other(load: Load) -> None:
    with pytest.raises(ConfigError, match="sources: `source` names a source too"):
        load("source: {device: 1}\nsources: {porch: mic}")


def test_a_key_of_a_source_that_is_a_text_may_be_set_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("sources: {porch: 'rtsp://camera/1', yard: mic}")
    loaded = load_settings(
        config_path=str(path),
        environ={},
        sink_kinds=SINK_KINDS,
        set_expressions=["sources.porch.threshold_on=0.6", "sources.yard.include=[Dog]"],
    )
    assert loaded.settings.sources == {
        "porch": NamedSource(url="rtsp://camera/1", threshold_on=0.6),
        "yard": NamedSource(include=("Dog",)),
    }


def test_what_check_config_prints_reads_back_as_the_same(load: Load) -> None:
    text = (
        "sources: {a: rtsp://camera.local/1, b: {device: USB, labels: {Dog: {threshold_on: 0.5}}}, "
        "c: {file: a.wav, realtime: true, include: [Dog], quiet_hours: 1:00-2:30}}"
    )
    loaded = load(text)
    assert load(render(loaded, SINK_KINDS)).settings == loaded.settings
