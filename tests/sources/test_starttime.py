"""When a recording began: from its name, its metadata, or as the user says."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError
from detector.sources.starttime import parse_start, start_in_name, start_in_tag, start_in_wav, start_of

LOCAL = datetime(2026, 11, 20, 14, 30).timestamp()
AT_UTC = datetime(2026, 11, 20, 14, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "name",
    [
        *(
            "20261120_143000.WAV",
            "2026-11-20T14-30-00.flac",
            "2026-11-20 14.30.00.mp3",
            "REC_20261120_1430.wav",
        ),
        *("garden-2026_11_20-14_30_00-left.ogg", "20261120143000.wav", "2026-11-20-birdnet-14:30:00.wav"),
        *("Voice 2026.11.20 14h30m00.m4a", "20261120-143000-007.wav", "room 12 20261120_143000.wav"),
    ],
)
def test_common_names_tell_local_time(name):
    assert start_in_name(name) == LOCAL


@pytest.mark.parametrize(
    "name",
    [
        *("Screen Recording 2026-11-20 at 2.30.00 PM.wav", "2026-11-20 02.30.00\u202fpm.mov"),
        *("Recording 2026-11-20 at 02.30.00 p.m..wav", "2026-11-20-birdnet-RTSP_1-14:30:00.wav"),
        *("Common_Blackbird-84-2026-11-20-birdnet-RTSP_1-14:30:00.wav", "20261120_143000-01.wav"),
        *("2026-11-20_14-30-00-0007.wav", "2026-11-20_14-30-00-0100.wav", "20261120-143000-0007.wav"),
        *("20261120_143000.250.wav", "WhatsApp Audio 2026-11-20 at 14.30.00.ogg", "20261120_143000_0042.wav"),
    ],
)
def test_names_of_phones_and_recorders_tell_local_time(name):
    assert start_in_name(name) == LOCAL


def test_midnight_and_noon_have_twelve_hours():
    assert start_in_name("2026-11-20 at 12.15.00 AM.wav") == datetime(2026, 11, 20, 0, 15).timestamp()
    assert start_in_name("2026-11-20 at 12.15.00 PM.wav") == datetime(2026, 11, 20, 12, 15).timestamp()
    assert start_in_name("2026-11-20 at 14.30.00 PM.wav") is None


@pytest.mark.parametrize(
    "name",
    [
        *("20261120T143000Z.wav", "2026-11-20T15:30:00+01:00.wav", "20261120_153000+0100.wav"),
        *("20261120T100000.000-0430.wav", "20261120_053000-09_456.wav", "20261120_143000_UTC.wav"),
        *("20261120_143000UTC.wav", "20261120 143000 GMT.wav", "20261120_163000+02.wav"),
        "2026-11-20_14-30-00Z.wav",
    ],
)
def test_names_with_a_zone_tell_that(name):
    assert start_in_name(name) == AT_UTC


@pytest.mark.parametrize(
    "name",
    [
        *("match.wav", "2026-11-20.wav", "20261320_143000.wav", "20261120_253000.wav", "19981120.wav"),
        *("1-100032-A-0.wav", "5551234567890123.wav", "20260230_120000.wav", ""),
        *("PTT-20261120-WA0042.wav", "2026-11-20_1500Hz.wav", "20261120_clip0123.wav"),
        *("2026-11-20 track 1245.wav", "2026-11-20-birdnet-1.wav", "20261120-take2-1530.wav"),
    ],
)
def test_other_names_tell_nothing(name):
    assert start_in_name(name) is None


@given(st.text(max_size=60))
def test_no_name_is_an_error(name):
    assert start_in_name(name) is None or start_in_name(name) < 4.2e9


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-20T14:30:00", LOCAL),
        ("2026-11-20 14:30", LOCAL),
        ("2026-11-20T14:30:00Z", AT_UTC),
        ("2026-11-20T15:30:00+01:00", AT_UTC),
        ("1764945600", 1764945600.0),
        ("1764945600.5", 1764945600.5),
    ],
)
def test_users_write_iso_or_seconds(text, seconds):
    assert parse_start(text) == seconds


@pytest.mark.parametrize("text", ["", "noon", "nan", "1e300", "2026-13-01", "yesterday"])
def test_anything_else_is_refused_in_one_line(text):
    with pytest.raises(ConfigError, match=r"expected a time such as 2026-11-20T14:30:00 .*, got") as error:
        parse_start(text)
    assert "\n" not in str(error.value)


def test_tags_tell_with_a_time_only():
    assert start_in_tag("2026-11-20T14:30:00.000000Z") == AT_UTC
    assert start_in_tag("Recorded at 15:30:00 20/11/2026 (UTC+1) by AudioMoth 243B1F075C7B0F42") == AT_UTC
    assert start_in_tag("Recorded at 14:30:00 20/11/2026 (UTC) by AudioMoth 243B1F075C7B0F42") == AT_UTC
    assert start_in_tag("Recorded at 14:30:00 20/11/2026 by AudioMoth 0FE00000000000AA at gain 2") == AT_UTC
    assert start_in_tag("2026-11-20") is None
    assert start_in_tag("2026") is None


def wav(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WAVE" + b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


BEXT = b"\0" * 320 + b"2026-11-20" + b"14:30:00" + b"\0" * 300


def test_broadcast_wave_tells_its_origination():
    assert start_in_wav(io.BytesIO(wav((b"fmt ", b"\0" * 16), (b"bext", BEXT), (b"data", b"")))) == LOCAL


def test_milliseconds_and_a_zone_behind_them_are_read():
    milliseconds = ("2026-11-20T14-30-00-123Z.wav", "2026-11-20T14-30-00.123Z.wav")
    assert [start_in_name(name) for name in milliseconds] == [AT_UTC, AT_UTC]


def test_guano_tells_its_time_stamp():
    text = b"GUANO|Version: 1.0\nTimestamp: 2026-11-20T15:30:00+01:00\nMake: somebody\n"
    assert start_in_wav(io.BytesIO(wav((b"data", b"\0\0"), (b"guan", text)))) == AT_UTC


def test_info_texts_are_read():
    text = b"Recorded at 14:30:00 20/11/2026 (UTC) by AudioMoth 243B1F075C7B0F42\0"
    info = (
        b"INFO" + b"IART" + struct.pack("<I", 3) + b"me\0\0" + b"ICMT" + struct.pack("<I", len(text)) + text
    )
    assert (
        start_in_wav(io.BytesIO(wav((b"fmt ", b"\0" * 16), (b"data", b"\0" * 9), (b"LIST", info)))) == AT_UTC
    )


@given(st.binary(max_size=200))
def test_no_bytes_are_an_error(data):
    start_in_wav(io.BytesIO(data))
    start_in_wav(io.BytesIO(wav((b"LIST", b"INFO" + data), (b"bext", data))))


def test_metadata_with_a_zone_goes_before_a_name_without_one(tmp_path):
    text = b"Recorded at 14:30:00 20/11/2026 (UTC) by AudioMoth 243B1F075C7B0F42\0"
    info = b"INFOICMT" + struct.pack("<I", len(text)) + text
    path = tmp_path / "20261120_160000.WAV"
    path.write_bytes(wav((b"bext", BEXT), (b"LIST", info)))
    assert start_of(path) == AT_UTC
    assert start_of(path.rename(tmp_path / "20261120_120000Z.WAV")) == AT_UTC - 2.5 * 3600


def test_the_user_goes_before_the_name_and_the_name_before_the_metadata(tmp_path):
    named = tmp_path / "20251120_143000.wav"
    named.write_bytes(wav((b"bext", BEXT)))
    plain = named.with_name("plain.wav")
    plain.write_bytes(named.read_bytes())
    assert start_of(named, 5.0) == 5.0
    assert start_of(named) == datetime(2025, 11, 20, 14, 30).timestamp()
    assert start_of(plain) == LOCAL
    assert start_of(Path("nowhere.wav")) is None
