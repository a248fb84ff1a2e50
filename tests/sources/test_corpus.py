"""Recordings as people have them, made on the spot: every codec, container, damage and name gives its sounds.

Each file holds a tone from 0.5 to 1.1 s in 2 s, unless its entry says otherwise. What is heard are the
stretches that are loud: their times are compared, which stands for the events that a model would report.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.sources.recording import Recording

RATE = 16000
TONE = ((0.5, 1.1),)
TWICE = ((0.5, 1.1), (2.5, 3.1))
SLACK_SECONDS = 0.08
"""Encoders pad, and their frames smear a beginning."""


def sound(channels: int = 1, rate: int = RATE) -> np.ndarray:
    times = np.arange(2 * rate) / rate
    tone = np.where((times >= 0.5) & (times < 1.1), 0.4 * np.sin(2 * np.pi * 1000 * times), 0)
    return np.stack([tone] * channels, axis=1)


@dataclass(frozen=True)
class Entry:
    """One file of the corpus."""

    name: str
    make: Callable[[Path, Path], None]
    """Takes a WAV with the sound, and the path to make."""
    heard: Sequence[tuple[float, float]] = TONE
    tool: str = ""
    damaged: bool = False


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def ffmpeg(name: str, *options: object, heard: Sequence[tuple[float, float]] = TONE) -> Entry:
    def make(wav: Path, path: Path) -> None:
        run("ffmpeg", "-y", "-v", "error", "-i", wav, *options, path)

    return Entry(name, make, heard, "ffmpeg")


def sox(name: str, *options: object) -> Entry:
    return Entry(name, lambda wav, path: run("sox", "-D", wav, *options, path), tool="sox")


def python(
    name: str, subtype: str | None = None, *, channels: int = 1, rate: int = RATE, **form: str
) -> Entry:
    def make(wav: Path, path: Path) -> None:
        soundfile.write(path, sound(channels, rate), rate, subtype=subtype, **form)

    return Entry(name, make)


def changed(name: str, change: Callable[[bytes], bytes], *, damaged: bool = False, **more: object) -> Entry:
    """A file that libsndfile writes by the name's ending, with its bytes changed."""

    def make(wav: Path, path: Path) -> None:
        soundfile.write(path, sound(), RATE)
        path.write_bytes(change(path.read_bytes()))

    return Entry(name, make, damaged=damaged, **more)


def renamed(name: str, ending: str, *options: object) -> Entry:
    """What ffmpeg makes of this ending, called otherwise."""

    def make(wav: Path, path: Path) -> None:
        made = path.with_name(f"made{ending}")
        run("ffmpeg", "-y", "-v", "error", "-i", wav, *options, made)
        made.rename(path)

    return Entry(name, make, tool="ffmpeg")


def flac_pipe(wav: Path, path: Path) -> None:
    with wav.open("rb") as file, path.open("wb") as out:
        subprocess.run(["flac", "--silent", "-", "-c"], stdin=file, stdout=out, check=True)


def flac_segment(wav: Path, path: Path) -> None:
    """The second file of a recorder that begins a new one every 2 s."""
    twice = path.with_name("twice.wav")
    soundfile.write(twice, np.concatenate([sound(), sound()]), RATE)
    run(
        "ffmpeg",
        "-v",
        "error",
        "-i",
        twice,
        "-f",
        "segment",
        "-segment_time",
        "2",
        path.with_name("s%d.flac"),
    )
    path.with_name("s1.flac").rename(path)


def opus_segment(wav: Path, path: Path) -> None:
    """One file of a recorder that begins a new one after a while: libsndfile dislikes its end."""
    options = ("-af", "apad=pad_dur=1.1", "-f", "segment", "-segment_time", "20")
    run("ffmpeg", "-v", "error", "-i", wav, *options, "-c:a", "libopus", path.with_name("o%d.opus"))
    path.with_name("o0.opus").rename(path)


def late_film(wav: Path, path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "color=size=16x16:rate=10:duration=5")
    run("ffmpeg", "-v", "error", *picture, "-itsoffset", "2", "-i", wav, "-map", "0:v", "-map", "1:a", path)


def at(offset: int, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:offset] + new + data[offset + len(new) :]


def antiphase(wav: Path, path: Path) -> None:
    soundfile.write(path, sound(2) * [1, -1], RATE)


def one_of(channels: int, live: int) -> Callable[[Path, Path], None]:
    return lambda wav, path: soundfile.write(path, sound(channels) * (np.arange(channels) == live), RATE)


def dull_au(wav: Path, path: Path) -> None:
    data = (sound()[:, 0] * 32767).astype(">i2").tobytes()
    path.write_bytes(struct.pack(">4s5I", b".snd", 24, 0, 3, RATE, 1) + data)


CORPUS = (
    *(
        python(f"{form.lower()}.wav", form)
        for form in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
    ),
    *(python(f"{form.lower()}.wav", form) for form in ("ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610")),
    *(python(f"{rate}.wav", rate=rate) for rate in (8000, 44100, 96000, 192000)),
    *(python(f"{channels} channels.wav", channels=channels) for channels in (2, 6, 16)),
    python("a.aiff"),
    python("a.au"),
    python("a.caf", format="CAF"),
    python("a.w64", format="W64"),
    python("a.rf64", "PCM_16", format="RF64"),
    python("a.flac"),
    python("24.flac", "PCM_24"),
    python("a.ogg"),
    python("a.opus", "OPUS", format="OGG"),
    python("a.mp3"),
    *(
        ffmpeg(name)
        for name in ("a.m4a", "a.mp4", "a.mkv", "a.webm", "a.mka", "a.avi", "a.mov", "a.wma", "a.aac")
    ),
    *(ffmpeg(name) for name in ("a.ts", "a.mp2", "a.ac3", "a.wv", "a.flv")),
    ffmpeg("ogg flac.oga", "-c:a", "flac"),
    ffmpeg("alac.m4a", "-c:a", "alac"),
    ffmpeg("vbr.mp3", "-q:a", "4", "-write_xing", "0"),
    ffmpeg("16 kHz.mp3", "-ar", "16000"),
    sox("sox.wav"),
    sox("sox.flac"),
    sox("sox.voc"),
    sox("swapped.aifc"),
    Entry("flac pipe.flac", flac_pipe, tool="flac"),
    Entry("flac segment.flac", flac_segment, TONE, "ffmpeg"),
    Entry("opus segment.opus", opus_segment, TONE, "ffmpeg"),
    Entry("late.mkv", late_film, ((2.5, 3.1),), "ffmpeg"),
    Entry("killed.au", dull_au),
    changed("killed.wav", at(40, bytes(4))),
    changed("short size.wav", at(40, struct.pack("<I", 44))),
    changed("long size.wav", at(40, struct.pack("<I", 0xFFFFFFFF))),
    changed("joined.wav", lambda data: data + data, heard=TWICE),
    changed("joined.flac", lambda data: data + data, heard=TWICE),
    changed("joined.ogg", lambda data: data + data, heard=TWICE),
    changed("joined.mp3", lambda data: data + data, heard=TWICE),
    changed("cut.wav", lambda data: data[: len(data) * 3 // 4], damaged=True),
    changed("cut.flac", lambda data: data[: len(data) * 9 // 10], damaged=True),
    changed("cut.mp3", lambda data: data[: len(data) * 3 // 4], damaged=True),
    changed("padded.wav", lambda data: data + bytes(512)),
    changed("tagged.wav", lambda data: data + b"TAG" + bytes(125)),
    Entry("antiphase.wav", antiphase),
    Entry("dead right.wav", one_of(2, 0)),
    Entry("one of 16.wav", one_of(16, 7)),
    renamed("memo.mp3", ".m4a"),
    renamed("memo.wav", ".webm"),
    renamed("memo", ".m4a"),
    renamed("-i http:x.flac", ".mp3"),
    renamed("film.wav", ".mp4"),
)


def stretches(samples: np.ndarray) -> list[tuple[float, float]]:
    """Onset and offset [s] of what is loud; pauses under 0.2 s do not count."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 3000) / RATE
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > 0.2)
    return list(zip(loud[[0, *(breaks + 1)]], loud[[*breaks, len(loud) - 1]], strict=True))


def test_the_corpus_has_sixty_files_of_different_names():
    assert len({entry.name for entry in CORPUS}) == len(CORPUS) >= 60


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)
def test_every_file_gives_its_sounds(tmp_path, entry, capfd):
    if entry.tool and shutil.which(entry.tool) is None:
        pytest.skip(f"{entry.tool} is not installed")
    wav = tmp_path / "source.wav"
    soundfile.write(wav, sound(2, 44100), 44100)
    path = tmp_path / entry.name
    entry.make(wav, path)
    capfd.readouterr()
    recording = Recording(path=path, sample_rate=RATE, block_length=RATE)
    heard = stretches(np.concatenate([block.samples for block in recording.blocks()]))
    assert np.shape(heard) == np.shape(entry.heard)
    assert np.abs(np.subtract(heard, entry.heard)).max() < SLACK_SECONDS
    assert bool(recording.damage) is entry.damaged
    assert capfd.readouterr().err == ""
