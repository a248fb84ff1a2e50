"""What `sources` says of one source alone reaches its pipeline, its address and its quiet hours."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.assemble.channels import channels_of
from detector.assemble.endpoints import effective_sinks, make_named_source, read_address
from detector.assemble.machine_checks import what_is_missing
from detector.assemble.stages import check_labels
from detector.config.label_settings import LabelSettings
from detector.config.named_source import NamedSource
from detector.config.settings import EventSettings, GateSettings, Settings, SourceSettings
from detector.errors import AccessError, ConfigError, SourceError, UnsupportedFormat
from detector.sinks.stdout import StdoutSettings
from detector.sources.device_list import Device

EVENTS = EventSettings(threshold_on=0.3, exclude=("Speech", "Dog"), labels={"Cat": LabelSettings(0.4)})


def test_one_source_has_the_settings_as_they_are() -> None:
    settings = Settings(source=SourceSettings(device=1), events=EVENTS)
    (channel,) = channels_of(settings)
    assert (channel.name, channel.settings) == ("", settings)


def test_each_source_has_its_own_keys_and_else_those_of_all() -> None:
    porch = NamedSource(
        url="rtsp://camera/",
        threshold_on=0.6,
        include=("Dog",),
        labels={"Dog": LabelSettings(0.8)},
        min_level_dbfs=-50,
    )
    settings = Settings(sources={"porch": porch, "kitchen": NamedSource()}, events=EVENTS)
    own, plain = channels_of(settings)
    assert plain.settings.events == EVENTS
    assert plain.settings.gate == GateSettings()
    events = own.settings.events
    assert (events.threshold_on, events.include, events.exclude) == (0.6, ("Dog",), ("Speech",))
    assert events.labels == {"Cat": LabelSettings(0.4), "Dog": LabelSettings(0.8)}
    assert own.settings.gate.min_level_dbfs == -50


@pytest.mark.parametrize(
    ("source", "key"),
    [
        (NamedSource(include=("Dgo",)), "sources.porch.include"),
        (NamedSource(labels={"Dgo": LabelSettings(0.4)}), "sources.porch.labels.Dgo"),
        (NamedSource(quiet_hours="1:00-2:00", quiet_keep=("Dgo",)), "sources.porch.quiet_keep"),
    ],
)
def test_an_unknown_label_is_told_with_the_key_of_its_source(source: NamedSource, key: str) -> None:
    settings = Settings(sources={"porch": source})
    with pytest.raises(ConfigError, match="did you mean 'Dog'") as caught:
        check_labels(settings)
    assert caught.value.key == key


def test_files_at_full_speed_have_no_socket_and_anything_else_has_one() -> None:
    files = {"a": NamedSource(file="a.wav"), "b": NamedSource(file="b.wav")}
    assert list(effective_sinks(Settings(sources=files))) == [StdoutSettings()]
    assert len(effective_sinks(Settings(sources=files | {"c": NamedSource()}))) == 2


def address_file(tmp_path: Path, text: str, mode: int = 0o600) -> NamedSource:
    path = tmp_path / "porch.url"
    path.write_text(text)
    path.chmod(mode)
    return NamedSource(url_file=str(path))


def test_an_address_is_read_anew_each_time(tmp_path: Path) -> None:
    source = address_file(tmp_path, "rtsp://admin:old@camera/1\n")
    assert read_address(source) == "rtsp://admin:old@camera/1"
    address_file(tmp_path, "rtsp://admin:new@camera/1")
    assert read_address(source) == "rtsp://admin:new@camera/1"


@pytest.mark.parametrize(
    ("text", "mode", "error"),
    [
        ("rtsp://admin:zaunkoenig@camera/1", 0o644, "everybody on this machine may read"),
        ("ftp://admin:zaunkoenig@camera/1", 0o600, "expected an address that begins with rtsp://"),
        ("rtsp://admin:zaunkönig@camera/1", 0o600, "expected one address in ASCII"),
        ("rtsp://a/1\nrtsp://admin:zaunkoenig@b/1", 0o600, "expected an address without spaces"),
        ("rtsp://admin:zaunkoenig@/1", 0o600, "expected a host"),
        ("", 0o600, "expected an address that begins with"),
    ],
)
def test_a_bad_address_file_is_one_line_that_quotes_nothing_of_it(
    tmp_path: Path, text: str, mode: int, error: str
) -> None:
    source = address_file(tmp_path, text, mode)
    with pytest.raises((AccessError, ConfigError), match=error) as caught:
        make_named_source("porch", source, sample_rate=16000, block_length=1920)
    assert caught.value.exit_code == 2
    assert "zaunk" not in str(caught.value)


def test_a_pipe_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, error in (("missing", "make it with: mkfifo"), ("file", "is not a named pipe")):
        with pytest.raises(UnsupportedFormat, match=error):
            make_named_source(
                "a", NamedSource(pipe=str(tmp_path / name)), sample_rate=16000, block_length=1920
            )


def test_of_many_streams_a_copied_address_is_named_and_a_missing_ffmpeg_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sources = {f"room{i}": NamedSource(url=f"rtsp://camera/{i % 15}") for i in range(16)}
    lines = what_is_missing(Settings(sources=sources), {"HOME": str(tmp_path)}, tuple)
    told = [line for line in lines if line.startswith("sources.")]
    assert len(told) == 2
    assert told[0].startswith("sources.room0, room1, ")
    assert ", room15: a stream needs ffmpeg, which is not installed" in told[0]
    assert told[1] == ("sources.room15: its address is that of the source room0 already: choose another one")


def test_what_this_machine_lacks_is_told_for_each_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    usb = Device(1, "USB Audio", 16000, (), 1, is_default=True, host_api="ALSA")
    sources = {
        "a": NamedSource(),
        "b": NamedSource(device="usb"),
        "c": NamedSource(url="rtsp://camera/"),
        "d": NamedSource(file=str(tmp_path / "nope.wav")),
    }
    lines = what_is_missing(Settings(sources=sources), {"HOME": str(tmp_path)}, lambda: (usb,))
    told = [line for line in lines if line.startswith("sources.")]
    assert told[0] == "sources.b.device: 'USB Audio' is the source a already: choose another one"
    assert told[1].startswith("sources.c: a stream needs ffmpeg, which is not installed")
    assert told[2].startswith(f"sources.d: {tmp_path}/nope.wav is not there")
    with pytest.raises(SourceError, match="needs ffmpeg"):
        make_named_source("c", sources["c"], sample_rate=16000, block_length=1920)
