"""Several sources in one daemon: each has the events of a daemon of its own, and none disturbs another."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.assemble.stages import make_pipeline
from detector.config.hours import Hours
from detector.config.settings import EventSettings, GateSettings, LevelSettings, Settings
from detector.delivery.dispatcher import Dispatcher
from detector.errors import DeviceLost, UnsupportedFormat
from detector.events.quiet import QuietHours
from detector.records import Block, Window
from detector.service.daemon import Daemon
from detector.service.device_state import ENDED_BESIDE_OTHERS, DeviceState, overall_state
from detector.service.source_channel import SourceChannel
from detector.service.source_load import DETAIL
from detector.service.systemd import Notifier
from detector.sinks.context import InputState
from detector.sources.stream import AHEAD_SECONDS
from detector.wire.encoding import encode
from detector.wire.message import EventBody, StatusBody
from tests.support.fakes import (
    LONG,
    FakeClassifier,
    FakeSource,
    HandClock,
    MemorySink,
    cut,
    make_spec,
    wait_until,
)

RATE = 16000
HOP = 3840
NOON = 1_785_585_600.0

ROOM = np.random.default_rng(0).normal(0, 30, 3 * RATE).astype(np.int16)
SOUND = np.random.default_rng(1).normal(0, 3000, RATE).astype(np.int16)
SETTINGS = Settings(
    gate=GateSettings(mode="level"),
    level=LevelSettings(enabled=False),
    events=EventSettings(preset="responsive"),
)

Script = Iterable[Block | Exception | Callable[[], object]]


def loudness(window: Window) -> list[float]:
    return [float(np.abs(window.samples).max() > 0.05)]


def blocks(*pieces: NDArray[np.int16]) -> list[Block]:
    return cut(np.concatenate(pieces), HOP)


class NamedFake(FakeSource):
    """A scripted source with a name."""

    def __init__(self, name: str, script: Script, *, live: bool = False) -> None:
        super().__init__(script, live=live)
        self.name = name


class Several:
    """A daemon of several scripted sources, all with one classifier."""

    def __init__(
        self,
        scripts: dict[str, Script],
        *,
        live: Sequence[str] = (),
        quiet: QuietHours | None = None,
        named: bool = True,
        monotonic: Callable[[], float] | None = None,
        arrival: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sink, clock = MemorySink(), HandClock(NOON)
        classifier = FakeClassifier(make_spec("Siren"), loudness)
        channels = [
            SourceChannel(
                source=NamedFake(name, script, live=name in live),
                pipeline=make_pipeline(SETTINGS, classifier, stream=stream),
                sample_rate=RATE,
                event_ids=f"run-{name}",
                queue_blocks=1000,
                quiet=quiet,
                is_alone=len(scripts) == 1,
                clock=clock,
                monotonic=arrival,
            )
            for stream, (name, script) in enumerate(scripts.items())
        ]
        options = {} if monotonic is None else {"monotonic": monotonic}
        self.daemon = Daemon(
            channels=channels,
            are_named=named,
            dispatcher=Dispatcher([self.sink]),
            clock=clock,
            **options,
        )

    def run(self) -> Several:
        self.daemon.run()
        return self

    def has_stopped(self, name: str) -> bool:
        """Whether it has no more sound."""
        return any(each.name == name and each.state.value == "stopped" for each in self.daemon.channels)

    def details(self, name: str) -> list[str]:
        """What the statuses of a source say."""
        bodies = [message.body for message in self.sink.messages]
        return [body.detail for body in bodies if isinstance(body, StatusBody) and body.source == name]

    def told(self, name: str) -> list[str]:
        """`start` and `end` of a source, and of a status its state."""
        bodies = [message.body for message in self.sink.messages]
        return [
            body.state if isinstance(body, StatusBody) else body.kind
            for body in bodies
            if isinstance(body, EventBody | StatusBody) and body.source == name
        ]

    def events(self, name: str) -> list[EventBody]:
        bodies = [message.body for message in self.sink.messages]
        return [body for body in bodies if isinstance(body, EventBody) and body.source == name]


SOUNDS: dict[str, list[Block]] = {
    "attic": blocks(ROOM, SOUND, ROOM),
    "cellar": blocks(ROOM[:RATE], SOUND, SOUND, ROOM, SOUND),
    "porch": blocks(ROOM),
    "yard": blocks(SOUND, ROOM, SOUND, ROOM),
}


def test_each_source_has_the_events_of_a_daemon_of_its_own() -> None:
    together = Several(SOUNDS).run()
    for name, sound in SOUNDS.items():
        alone = Several({name: sound}).run()
        assert together.events(name) == alone.events(name)
        assert (name == "porch") == (together.events(name) == [])


def test_every_event_has_an_id_and_a_number_of_its_own() -> None:
    messages = [message for message in Several(SOUNDS).run().sink.messages if message.seq is not None]
    bodies = [message.body for message in messages]
    starts = [body.id for body in bodies if isinstance(body, EventBody) and body.kind == "start"]
    assert len(set(starts)) == len(starts) >= 5
    assert "run-attic-1" in starts
    assert [message.seq for message in messages] == list(range(1, len(messages) + 1))


def test_a_source_that_ends_leaves_the_others() -> None:
    after = cut(np.concatenate((SOUND, ROOM)), HOP, start=3 * RATE)
    long = [*blocks(ROOM), lambda: wait_until(lambda: several.has_stopped("short")), *after]
    several = Several({"short": blocks(ROOM), "long": long})
    several.run()
    assert several.told("short") == ["listening", "stopped"]
    assert several.details("short") == ["", ENDED_BESIDE_OTHERS]
    assert several.details("long") == ["", ""]
    assert several.told("long") == ["listening", "start", "end", "stopped"]


def test_a_source_that_fails_is_told_at_once_and_raised_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    several = Several({"broken": [UnsupportedFormat("no such file")], "good": blocks(ROOM, SOUND, ROOM)})
    with pytest.raises(UnsupportedFormat, match="no such file"):
        several.run()
    assert several.told("broken") == ["stopped"]
    assert several.details("broken") == ["no such file"]
    assert several.told("good") == ["listening", "start", "end", "stopped"]
    assert "daemon.source_failed source='broken': no such file" in caplog.text


def test_a_source_that_breaks_off_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    good = [*blocks(ROOM), lambda: wait_until(lambda: several.has_stopped("broken"))]
    several = Several({"broken": [*blocks(ROOM), UnsupportedFormat("damaged")], "good": good})
    with pytest.raises(UnsupportedFormat, match="damaged"):
        several.run()
    assert several.details("broken") == ["", "damaged"]
    assert [line for line in caplog.messages if "damaged" in line] == [
        "daemon.source_failed source='broken': damaged"
    ]


def test_a_lost_source_comes_back_while_the_others_go_on() -> None:
    lost, back = threading.Event(), threading.Event()
    later = cut(np.concatenate((SOUND, ROOM)), HOP, start=60 * RATE)
    weak = [*blocks(ROOM), DeviceLost("unplugged"), lost.set, lambda: back.wait(LONG), *later]
    after = cut(np.concatenate((SOUND, ROOM)), HOP, start=3 * RATE)
    strong = [*blocks(ROOM), lambda: lost.wait(LONG), *after, back.set]
    several = Several({"weak": weak, "strong": strong}, live=["weak", "strong"]).run()
    assert several.told("weak") == ["listening", "device_lost", "listening", "start", "end", "stopped"]
    assert several.told("strong") == ["listening", "start", "end", "stopped"]


def test_a_device_that_hangs_leaves_the_others_and_is_an_error_at_the_end() -> None:
    hung, minutes = threading.Event(), itertools.count(step=60.0)
    go_on = threading.Event()
    good = [*blocks(ROOM), lambda: go_on.wait(LONG), *cut(ROOM, HOP, start=3 * RATE)]
    several = Several(
        {"hanging": [lambda: hung.wait(LONG)], "good": good},
        live=["hanging"],
        monotonic=lambda: next(minutes),
    )
    threading.Timer(0.8, go_on.set).start()
    with pytest.raises(DeviceLost, match="hanging has delivered nothing"):
        several.run()
    hung.set()
    assert several.told("hanging") == ["hung", "stopped"]
    assert several.told("good") == ["listening", "stopped"]
    details = [m.body.detail for m in several.sink.messages if isinstance(m.body, StatusBody)]
    assert any("the other sources go on" in detail for detail in details)


def test_a_status_of_named_sources_tells_the_worst_state_of_all() -> None:
    several = Several({"broken": [UnsupportedFormat("no such file")], "good": blocks(ROOM)})
    with pytest.raises(UnsupportedFormat):
        several.run()
    statuses = [m.body for m in several.sink.messages if isinstance(m.body, StatusBody)]
    assert {status.overall for status in statuses} <= {"opening", "listening", "stopped"}
    assert statuses[-1].overall == "stopped"
    one = Several({"good": blocks(ROOM)}, named=False).run()
    assert all(b"overall" not in encode(message.body).line for message in one.sink.messages)


def test_of_several_states_the_worst_counts_and_stopped_is_none() -> None:
    states = DeviceState
    assert overall_state([states.STOPPED, states.LISTENING]) is states.LISTENING
    assert overall_state([states.LISTENING, states.SILENT, states.LOST]) is states.LOST


def test_people_see_the_loudest_source_and_who_does_not_listen() -> None:
    seen, hold = [], threading.Event()

    def look() -> None:
        wait_until(lambda: several.daemon.channels[1].level_dbfs > -30)
        seen.append(several.daemon.input_state)
        hold.set()

    several = Several({"porch": [lambda: hold.wait(LONG)], "yard": [*blocks(ROOM, SOUND), look]})
    several.run()
    (shown,) = seen
    assert (shown.state, shown.detail) == ("listening", "porch: opening")
    assert shown.gate_is_open
    assert shown.level_dbfs > -30


# --- quiet hours


def minute_of(moment: float) -> int:
    """Minutes of the day, at Greenwich."""
    return int(moment // 60 % 1440)


@pytest.mark.parametrize(
    ("first", "stop", "is_quiet"), [(0, 60, False), (11 * 60, 13 * 60, True), (22 * 60, 13 * 60, True)]
)
def test_in_quiet_hours_nothing_is_reported_but_what_is_kept(first: int, stop: int, is_quiet: bool) -> None:
    """It is noon; 22:00-13:00 goes over midnight."""
    sounds = {"porch": SOUNDS["attic"]}
    loud = Several(sounds).run().events("porch")
    hours = QuietHours(Hours(first, stop), kept=(), minute_of=minute_of)
    assert Several(sounds, quiet=hours).run().events("porch") == ([] if is_quiet else loud)
    kept = QuietHours(Hours(first, stop), kept=("/Siren",), minute_of=minute_of)
    assert Several(sounds, quiet=kept).run().events("porch") == loud


def test_a_sound_is_left_out_or_told_as_a_whole() -> None:
    pipeline = make_pipeline(SETTINGS, FakeClassifier(make_spec("Siren"), loudness))
    events = [e for block in blocks(ROOM, SOUND, ROOM) for e in pipeline.push(block)] + pipeline.flush()
    start, end = events[0], events[-1]
    hours = QuietHours(Hours(720, 780), kept=(), minute_of=minute_of)
    assert not hours.reports(start, NOON)
    assert not hours.reports(replace(end, phase="update"), NOON + 7200)
    assert not hours.reports(end, NOON + 7200)
    assert hours.reports(start, NOON - 60)
    assert hours.reports(end, NOON)


def test_a_stream_that_is_waited_for_is_no_hanging_program() -> None:
    """The service manager is told of progress although no block comes."""
    waiting = threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0sound-detector-test-stream")
        notifier = Notifier({"NOTIFY_SOCKET": "@sound-detector-test-stream", "WATCHDOG_USEC": "1000"})
        channel = SourceChannel(
            source=NamedFake("porch", [lambda: waiting.wait(LONG)], live=True),
            pipeline=make_pipeline(SETTINGS, FakeClassifier(make_spec("Siren"), loudness)),
            sample_rate=RATE,
            event_ids="run",
            queue_blocks=9,
            is_stream=True,
        )
        daemon = Daemon(channels=[channel], dispatcher=Dispatcher([]), notifier=notifier)
        thread = threading.Thread(target=daemon.run)
        thread.start()
        manager.settimeout(LONG)
        assert manager.recv(4096) == b"WATCHDOG=1"
        daemon.stop()
        waiting.set()
        thread.join(LONG)


def test_a_recording_of_a_web_server_that_is_held_back_is_no_hanging_program() -> None:
    """It came at once, and for a minute at most nothing follows."""
    channel = SourceChannel(
        source=NamedFake("porch", [ROOM], live=True),
        pipeline=make_pipeline(SETTINGS, FakeClassifier(make_spec("Siren"), loudness)),
        sample_rate=RATE,
        event_ids="run",
        queue_blocks=9,
        is_stream=True,
    )
    channel.take(next(iter(blocks(ROOM))), 100.0)
    channel.device.state = DeviceState.LISTENING
    assert channel.is_expected_later(100.0 + AHEAD_SECONDS - 1)
    assert not channel.is_expected_later(100.0 + AHEAD_SECONDS + 1)


# --- a machine that is too slow


def test_a_source_that_is_late_is_told_and_that_it_is_on_time_again(caplog: pytest.LogCaptureFixture) -> None:
    """For the worker it is later than for the source: by 2 s after a while, then by nothing."""
    caplog.set_level("INFO")
    clock, late = HandClock(0.0), [0.0]
    shown: list[InputState] = []

    def come(block: Block, wanted: float) -> None:
        """The worker has taken what came before; time goes on."""
        wait_until(lambda: several.daemon.channels[0].pipeline.stop >= block.start)
        clock.now = block.start / RATE
        late[0] += max(-0.5, min(0.5, wanted - late[0]))

    def arriving(sound: NDArray[np.int16]) -> Iterable[Block | Callable[[], object]]:
        for block in cut(sound, 4 * HOP):
            wanted = 2.0 if block.start < 20 * RATE else 0.0
            if block.start == 80 * HOP:
                yield lambda: shown.append(several.daemon.input_state)
            yield lambda block=block, wanted=wanted: come(block, wanted)
            yield block

    several = Several(
        {"porch": arriving(np.resize(ROOM, 200 * RATE))},
        live=["porch"],
        arrival=clock,
        monotonic=lambda: clock.now + late[0],
    )
    several.run()
    details = [m.body.detail for m in several.sink.messages if isinstance(m.body, StatusBody)]
    assert details == ["", DETAIL, "", ""]
    assert [line.split()[0] for line in caplog.messages if "keep" in line] == [
        "daemon.overloaded",
        "daemon.keeps_up",
    ]
    assert [(each.state, each.detail) for each in shown] == [("listening", "this machine cannot keep up")]
    assert not several.daemon.input_state.is_overloaded
    assert several.daemon.input_state.detail == ""
    assert several.daemon.counts.blocks_dropped == 0
