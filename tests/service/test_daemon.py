"""The running detector between a scripted source and sinks in memory: nothing is lost unseen, and it ends."""

import itertools
import signal
import socket
import sys
import threading
from datetime import datetime

import numpy as np
import pytest

from detector.assemble.stages import make_pipeline
from detector.audio.health import HealthMeter
from detector.config.settings import EventSettings, GateSettings, LevelSettings, Settings
from detector.delivery.dispatcher import Dispatcher
from detector.errors import (
    ConfigError,
    DeviceAmbiguous,
    DeviceLost,
    DeviceNotFound,
    SinkError,
    UnsupportedFormat,
)
from detector.records import Block
from detector.service.daemon import Daemon
from detector.service.hangups import Hangups
from detector.service.signals import run_with_signals
from detector.service.source_channel import SourceChannel
from detector.service.systemd import Notifier
from tests.support.fakes import LONG, FakeClassifier, FakeSource, HandClock, MemorySink, cut, make_spec

RATE = 16000
HOP = 3840
NOON = 1_785_585_600.0

ROOM = np.random.default_rng(0).normal(0, 30, 6 * RATE).astype(np.int16)
SOUND = np.random.default_rng(1).normal(0, 3000, RATE).astype(np.int16)


def hop_blocks(*pieces):
    """Blocks that end where windows do."""
    return cut(np.concatenate(pieces), HOP)


def loudness(window):
    return [float(np.abs(window.samples).max() > 0.05)]


class Setting:
    """A daemon and everything around it."""

    def __init__(
        self, script, *, live=False, score=loudness, queue_blocks=4, sinks=None, health=None, **daemon
    ):
        self.source = FakeSource(script, live=live)
        self.classifier = FakeClassifier(make_spec("Siren"), score)
        self.sink = MemorySink()
        self.clock = HandClock(NOON)
        pipeline = make_pipeline(
            Settings(
                gate=GateSettings(mode="off"),
                level=LevelSettings(enabled=False),
                events=EventSettings(preset="responsive"),
            ),
            self.classifier,
        )
        channel = SourceChannel(
            source=self.source,
            pipeline=pipeline,
            sample_rate=RATE,
            event_ids="run",
            queue_blocks=queue_blocks,
            health=health,
            clock=self.clock,
        )
        self.daemon = Daemon(
            channels=[channel],
            dispatcher=Dispatcher([self.sink] if sinks is None else sinks),
            clock=self.clock,
            **daemon,
        )

    def run(self):
        self.daemon.run()
        return self

    @property
    def told(self):
        """`start`, `end`, and of a status its state."""
        return [state or kind for kind, state in self.sink.told("kind", "state")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_a_recording_is_told_from_listening_to_stopped():
    setting = Setting(hop_blocks(ROOM, SOUND, ROOM)).run()
    assert setting.told == ["listening", "start", "end", "stopped"]
    assert setting.sink.calls == ["open", "close"]
    assert setting.source.closed_by == ["capture"]


def test_the_end_of_a_recording_ends_what_is_open():
    setting = Setting(hop_blocks(ROOM, SOUND)).run()
    assert setting.told == ["listening", "start", "end", "stopped"]


def test_every_event_names_source_run_and_number():
    messages = Setting(hop_blocks(ROOM, SOUND, ROOM)).run().sink.messages
    events = [message for message in messages if message.kind != "status"]
    assert [message.seq for message in events] == [1, 2]
    assert {message.body.id for message in events} == {"run-1"}
    assert {message.body.source for message in events} == {"fake"}


def test_an_empty_recording_stops_at_once():
    assert Setting([]).run().told == ["stopped"]


def test_a_recording_never_loses_a_block_however_short_the_queue():
    setting = Setting(hop_blocks(*[ROOM] * 5), queue_blocks=1).run()
    assert setting.daemon.counts.blocks_dropped == 0
    assert setting.daemon.counts.samples_lost == 0
    assert setting.classifier.stops == list(range(HOP, 30 * RATE + 1, HOP))


def test_a_microphone_loses_what_a_busy_worker_has_no_room_for():
    """While the first window is classified, four of nine blocks find room; the loss is a gap."""
    busy, free, caught_up = threading.Event(), threading.Event(), threading.Event()

    def score(window):
        if window.span.stop == HOP:
            busy.set()
            assert free.wait(LONG)
        if window.span.stop == 5 * HOP:
            caught_up.set()
        return [0.0]

    blocks = hop_blocks(ROOM)
    script = [
        blocks[0],
        lambda: busy.wait(LONG),
        *blocks[1:10],
        free.set,
        lambda: caught_up.wait(LONG),
        blocks[10],
    ]
    setting = Setting(script, live=True, score=score, queue_blocks=4).run()
    assert setting.daemon.counts.blocks_dropped == 5
    assert setting.daemon.counts.samples_lost == 5 * HOP
    assert setting.classifier.stops == [n * HOP for n in (1, 2, 3, 4, 5, 11)]


def test_stop_ends_open_events_and_drops_what_waits():
    blocks = hop_blocks(ROOM, SOUND, ROOM)

    def score(window):
        heard = loudness(window)
        if heard == [1.0]:
            setting.daemon.stop()
        return heard

    setting = Setting(blocks, score=score)
    setting.run()
    assert setting.told == ["listening", "start", "end", "stopped"]
    assert len(setting.classifier.windows) == 26
    assert setting.source.delivered < len(blocks)


def test_stop_may_come_from_any_thread():
    endless = (Block(n * HOP, ROOM[:HOP]) for n in itertools.count(1))
    setting = Setting(
        itertools.chain(hop_blocks(ROOM)[:1], [lambda: setting.daemon.stop()], endless), live=True
    )
    assert setting.run().told[-1] == "stopped"


def test_an_error_of_the_source_surfaces_after_all_is_delivered():
    script = [*hop_blocks(ROOM, SOUND), UnsupportedFormat("clip.ogg: damaged behind second 7")]
    setting = Setting(script)
    with pytest.raises(UnsupportedFormat, match="damaged behind second 7"):
        setting.run()
    assert setting.told == ["listening", "start", "end", "stopped"]
    assert "damaged behind second 7" in setting.sink.told("detail")[-1]
    assert setting.sink.calls == ["open", "close"]
    assert setting.source.closed_by == ["capture"]


def test_a_device_that_is_not_there_yet_is_waited_for(caplog):
    """It is said once, and the service is up meanwhile."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0sound-detector-test-waiting")
        script = [
            DeviceNotFound("no microphone is called 'x'"),
            DeviceNotFound("no microphone is called 'x'"),
            *hop_blocks(ROOM, SOUND, ROOM),
        ]
        notifier = Notifier({"NOTIFY_SOCKET": "@sound-detector-test-waiting"})
        setting = Setting(script, live=True, queue_blocks=1000, notifier=notifier)
        setting.run()
        manager.setblocking(False)
        sent = [manager.recv(4096).decode() for _ in range(3)]
    assert setting.told == ["waiting", "listening", "start", "end", "stopped"]
    assert sent[0].startswith("STATUS=waiting: no microphone is called 'x'; waiting for a microphone")
    assert sent[1] == "READY=1"
    assert sent[2].startswith("STATUS=listening")
    assert len([line for line in caplog.messages if line.startswith("daemon.waiting")]) == 1


def test_a_name_that_several_devices_have_is_an_error_at_once():
    """Waiting would not help."""
    setting = Setting([DeviceAmbiguous("several microphones have 'x' in its name")], live=True)
    with pytest.raises(DeviceAmbiguous) as caught:
        setting.run()
    assert caught.value.exit_code == 2
    assert setting.told == ["stopped"]


def test_a_program_that_stood_still_itself_does_not_blame_the_device():
    """As by SIGSTOP for 4 s: the look at the capture took that long, and then a block comes."""
    now, look = [0.0], []

    def monotonic():
        look.append(now[0])
        if len(look) == 7:
            now[0] += 4.0
        return now[0]

    blocks = hop_blocks(ROOM)
    go_on = threading.Event()
    script = [*blocks[:1], lambda: go_on.wait(LONG), *blocks[1:]]
    setting = Setting(script, live=True, queue_blocks=100, monotonic=monotonic)
    threading.Timer(1.0, go_on.set).start()
    setting.run()
    assert len(look) > 8
    assert setting.told == ["listening", "stopped"]


def test_a_lost_device_ends_its_events_and_is_heard_again_when_it_is_back():
    before, after = hop_blocks(ROOM, SOUND), hop_blocks(ROOM, SOUND, ROOM)
    later = [Block(block.start + 60 * RATE, block.samples) for block in after]
    script = [*before, DeviceLost("unplugged"), DeviceNotFound("still unplugged"), *later]
    setting = Setting(script, live=True, queue_blocks=1000).run()
    assert setting.told == [
        *("listening", "start", "end", "device_lost"),
        *("listening", "start", "end", "stopped"),
    ]
    assert "unplugged" in setting.sink.told("detail")[3]
    assert setting.daemon.counts.samples_lost == pytest.approx(53 * RATE, abs=480)


MUTED = np.zeros(4 * RATE, np.int16)


def test_a_muted_microphone_is_told_within_5_seconds_once_and_again_when_it_is_muted_again(caplog):
    """With what to do, also in the log."""
    setting = Setting(
        hop_blocks(MUTED, MUTED, ROOM, MUTED),
        live=True,
        queue_blocks=1000,
        health=HealthMeter(sample_rate=RATE),
    ).run()
    assert setting.told == ["listening", "silent", "listening", "silent", "stopped"]
    detail = setting.sink.told("detail")[1]
    assert "is the microphone muted?" in detail
    assert "`sound-detector devices`" in detail
    warned = [record for record in caplog.records if record.getMessage().startswith("daemon.silent")]
    assert [record.levelname for record in warned] == ["WARNING", "WARNING"]
    assert all("source='fake'" in record.getMessage() for record in warned)
    assert all(detail in record.getMessage() for record in warned)


def test_people_see_what_the_source_is_doing():
    seen = []
    script = [lambda: seen.append(setting.daemon.input_state), *hop_blocks(ROOM, SOUND)]
    setting = Setting(script, live=True, queue_blocks=1000)
    setting.run()
    assert (seen[0].state, seen[0].detail) == ("opening", "opening the source")
    after = setting.daemon.input_state
    assert after.gate_is_open
    assert after.level_dbfs == pytest.approx(-20.8, abs=1.0)


def test_a_device_that_hangs_is_an_error_and_its_thread_is_left_behind():
    hung, minutes = threading.Event(), itertools.count(step=60.0)
    setting = Setting([lambda: hung.wait(LONG)], live=True, monotonic=lambda: next(minutes))
    with pytest.raises(DeviceLost, match="delivered nothing"):
        setting.run()
    assert setting.told == ["hung", "stopped"]
    hung.set()
    for thread in threading.enumerate():
        if thread.name == "capture":
            thread.join(LONG)


def test_a_bug_in_the_pipeline_surfaces_and_all_threads_end():
    def score(window):
        raise ZeroDivisionError("a bug")

    setting = Setting(hop_blocks(ROOM), score=score)
    with pytest.raises(ZeroDivisionError):
        setting.run()
    assert setting.sink.calls == ["open", "close"]


def test_a_sink_that_cannot_be_opened_is_an_error_before_the_source_is_touched():
    broken = MemorySink(open_error=SinkError("no such folder"))
    setting = Setting(hop_blocks(ROOM), sinks=[broken])
    with pytest.raises(SinkError, match="no such folder"):
        setting.run()
    assert setting.source.delivered == 0


# --- times of day


def test_times_of_day_follow_the_sources_clock():
    stamped = [
        Block(block.start, block.samples, time=NOON + 100 + block.stop / RATE)
        for block in hop_blocks(ROOM, SOUND, ROOM)
    ]
    setting = Setting(stamped).run()
    times = dict(zip(setting.sink.told("kind"), setting.sink.told("start_time"), strict=True))
    assert times["end"].startswith("2026-08-01T12:01:45.9") or times["end"].startswith(
        "2026-08-01T12:01:46.0"
    )


@pytest.mark.parametrize("step", [-3600.0, 56 * 365 * 86400.0])
def test_a_clock_that_is_set_during_a_sound_does_not_move_its_beginning(step):
    """The clock is set half a second into the sound; the next sound has the new time."""
    stamped = [
        Block(
            block.start,
            block.samples,
            time=NOON + (step if block.stop > 6.5 * RATE else 0.0) + block.stop / RATE,
        )
        for block in hop_blocks(ROOM, SOUND, ROOM, SOUND, ROOM)
    ]
    sink = Setting(stamped).run().sink
    events = [message.body for message in sink.messages if message.kind in ("start", "end")]
    first, second = events[:2], events[2:]
    assert len({event.start_time for event in first}) == len({event.start_time for event in second}) == 1
    began, ended = (datetime.fromisoformat(str(text)) for text in (first[1].start_time, first[1].end_time))
    assert (ended - began).total_seconds() == pytest.approx(first[1].duration, abs=0.002)
    assert datetime.fromisoformat(str(first[1].time)) >= ended
    later = datetime.fromisoformat(str(second[0].start_time)).timestamp()
    assert later == pytest.approx(NOON + step + 13, abs=0.5)


def test_without_a_clock_the_first_block_has_just_been_heard():
    setting = Setting(hop_blocks(ROOM, SOUND, ROOM)).run()
    start = setting.sink.told("start_time")[1]
    assert "2026-08-01T12:00:05.6" <= start <= "2026-08-01T12:00:05.8"


# --- reload and signals


def test_a_reload_reaches_settings_and_sinks():
    reloads = []
    script = [
        *hop_blocks(ROOM),
        lambda: setting.daemon.request_reload(),
        lambda: setting.sink.reopened.wait(LONG),
    ]
    setting = Setting(script, live=True, queue_blocks=100, reload=lambda: reloads.append(1) or [[]])
    setting.run()
    assert setting.sink.calls == ["open", "reopen", "close"]
    assert reloads == [1]


@pytest.mark.parametrize(("asks", "inside"), [("request_reload", "_apply_reload"), ("stop", "stop")])
def test_a_signal_may_come_at_any_moment(asks, inside):
    """Between any two lines of what it interrupts, those of the standard library among them."""
    setting = Setting(
        [*hop_blocks(ROOM), lambda: setting.daemon.request_reload()],
        live=True,
        queue_blocks=100,
        reload=lambda: [[]],
    )
    came = itertools.count(1)

    def trace(frame, event, argument):
        if event == "call":
            return trace if frame.f_code.co_name == inside or frame.f_back.f_trace is trace else None
        if next(came) < 200:
            getattr(setting.daemon, asks)()
        return trace

    def run():
        sys.settrace(trace)
        setting.run()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LONG)
    assert not thread.is_alive()
    assert next(came) > 1


@pytest.mark.parametrize("error", [ConfigError("unknown key", key="gate.mod"), OSError("unknown key")])
def test_refused_settings_do_not_stop_it(caplog, error):
    def refuse():
        raise error

    script = [
        *hop_blocks(ROOM),
        lambda: setting.daemon.request_reload(),
        lambda: setting.sink.reopened.wait(LONG),
        *cut(SOUND, HOP, start=len(ROOM)),
    ]
    setting = Setting(script, live=True, queue_blocks=100, reload=refuse)
    setting.run()
    assert setting.told == ["listening", "start", "end", "stopped"]
    assert "unknown key" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_the_handlers_are_put_back(number):
    before = signal.getsignal(number)
    endless = (Block(n * HOP, ROOM[:HOP]) for n in itertools.count(1))
    script = itertools.chain(hop_blocks(ROOM)[:1], [lambda: signal.raise_signal(number)], endless)
    setting = Setting(script)
    run_with_signals(setting.daemon)
    assert setting.told[-1] == "stopped"
    assert signal.getsignal(number) is before


def test_a_hang_up_reloads():
    script = [
        *hop_blocks(ROOM),
        lambda: signal.raise_signal(signal.SIGHUP),
        lambda: setting.sink.reopened.wait(LONG),
    ]
    setting = Setting(script, live=True, queue_blocks=100)
    run_with_signals(setting.daemon)
    assert "reopen" in setting.sink.calls


class FullSink(MemorySink):
    """Standard output on a full disk."""

    def takes(self, message):
        return message.kind != "status"

    def write(self, message):
        raise SinkError("no space left")


def test_a_recording_whose_events_could_not_be_written_is_a_failure(caplog):
    setting = Setting(hop_blocks(ROOM, SOUND, ROOM), sinks=[FullSink("stdout")])
    with pytest.raises(SinkError, match="2 messages could not be written to stdout"):
        setting.run()
    assert "recovered" not in caplog.text


class Terminal(Hangups):
    """A program that was started in a terminal, which is then closed."""

    @property
    def terminal_closed(self):
        return True


def test_a_hang_up_of_a_closed_terminal_ends_it():
    endless = (Block(n * HOP, ROOM[:HOP]) for n in itertools.count(1))
    hang_up = [lambda: signal.raise_signal(signal.SIGHUP)]
    setting = Setting(itertools.chain(hop_blocks(ROOM)[:1], hang_up, endless))
    run_with_signals(setting.daemon, Terminal())
    assert setting.told[-1] == "stopped"


def test_a_hang_up_before_there_is_a_daemon_reloads_it():
    hangups = Hangups()
    before = signal.getsignal(signal.SIGHUP)
    try:
        hangups.hold()
        signal.raise_signal(signal.SIGHUP)
        setting = Setting([lambda: setting.sink.reopened.wait(LONG)], live=True)
        run_with_signals(setting.daemon, hangups)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert "reopen" in setting.sink.calls
