"""Laws of listening: as long as asked for, over troubles, and never to a muted microphone."""

from __future__ import annotations

import io
import os
import signal
from contextlib import closing

import numpy as np
import pytest

from detector.assemble.calibration import Trial
from detector.calibration.room_display import clock
from detector.calibration.room_listener import RoomListener, stopping_on_signals
from detector.calibration.sound_log import Break, Frame, SoundLog
from detector.config.settings import GateSettings, Settings
from detector.errors import DeviceLost, DeviceNotFound, SourceError
from detector.records import Block
from detector.wire.plain_text import level_bar
from tests.calibration.test_log_replay import RATE, SPEC, ear
from tests.support.fakes import FakeSource

SETTINGS = Settings(gate=GateSettings(mode="level"))
BLOCK = 4800


def block(number, value=None):
    """The n-th 0.3 s: noise, or one value."""
    samples = np.random.default_rng(number).normal(0, 50, BLOCK).astype(np.int16)
    return Block(number * BLOCK, samples if value is None else np.full(BLOCK, value, np.int16))


def listen(script, *, live=False, most=None, stopped=lambda: False):
    """Hear a scripted source: the listener, what it logged, and what it said."""
    out = io.StringIO()
    with closing(SoundLog(2)) as log:
        listener = RoomListener(
            log,
            Trial(SETTINGS, SPEC, {}, {}).replay(),
            sample_rate=RATE,
            most_seconds=most,
            stopped=stopped,
            out=out,
        )
        listener.listen([FakeSource(script, live=live)], lambda: ear(SETTINGS))
        return listener, list(log), out.getvalue()


def test_it_hears_to_the_end():
    listener, items, _ = listen([block(n) for n in range(10)])
    assert listener.seconds == pytest.approx(3.0)
    assert isinstance(items[-1], Break)


def test_it_hears_no_longer_than_asked_for():
    listener, _, _ = listen([block(n) for n in range(100)], most=3.0)
    assert listener.seconds == pytest.approx(3.0)


def test_it_stops_when_the_user_says_so():
    asked = []
    script = [block(n) for n in range(50)]
    listener, items, _ = listen(script, stopped=lambda: asked.append(1) or len(asked) > 20)
    assert 0 < listener.seconds < 15
    assert isinstance(items[-1], Break)


def test_a_device_that_comes_back_goes_on():
    listener, items, said = listen(
        [block(0), block(1), DeviceLost("unplugged"), block(4), block(5)], live=True
    )
    assert "unplugged; trying again" in said
    starts = [item.span.start for item in items if isinstance(item, Frame)]
    assert starts[-1] > 5 * BLOCK
    assert listener.seconds == pytest.approx(1.2)


def test_a_device_that_was_never_there_is_an_error():
    with pytest.raises(DeviceNotFound):
        listen([DeviceNotFound("no such microphone")], live=True)


def test_a_muted_microphone_is_told_at_once():
    with pytest.raises(SourceError, match="muted"):
        listen([block(n, 0) for n in range(60)], live=True)


def test_the_first_signal_stops_and_the_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with stopping_on_signals() as stopped:
        assert not stopped()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopped()
        assert signal.getsignal(signal.SIGTERM) == before
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_times_and_levels_for_people():
    assert [clock(seconds) for seconds in (5, 125.9, 3725)] == ["0:05", "2:05", "1:02:05"]
    assert level_bar(-40.0) == "[========        ]  -40 dBFS"
    assert level_bar(-120.0).startswith("[      ")
