"""What a subscriber asks of the daemon: paused, listening, reloaded; and the answer says what is so."""

import numpy as np
import pytest

from detector.assemble.stages import make_pipeline
from detector.config.settings import GateSettings, Settings
from detector.delivery.dispatcher import Dispatcher
from detector.errors import ConfigError, SinkError
from detector.records import Block
from detector.service.controls import Controls
from detector.service.daemon import Daemon
from detector.service.source_channel import SourceChannel
from detector.wire.request import ControlLine
from tests.support.fakes import FakeClassifier, FakeSource, HandClock, MemorySink, make_spec, wait_until

HOP = 3840
NOISE = np.random.default_rng(0).normal(0, 300, HOP).astype(np.int16)


class House:
    """A daemon that is not run yet, with its controls; sources are live where their names say so."""

    def __init__(self, *names, script=(), reload=None):
        self.answers, self.waiting = [], []
        sources = [FakeSource(script, live="live" in name) for name in names]
        for source, name in zip(sources, names, strict=True):
            source.name = name
        self.daemon = Daemon(
            channels=[
                SourceChannel(
                    source=source,
                    pipeline=make_pipeline(
                        Settings(gate=GateSettings(mode="off")),
                        FakeClassifier(make_spec("Siren"), lambda _: [0.0]),
                    ),
                    sample_rate=16000,
                    event_ids="run",
                    queue_blocks=100,
                    clock=HandClock(),
                )
                for source in sources
            ],
            dispatcher=Dispatcher([MemorySink()]),
            reload=reload,
            clock=HandClock(),
        )
        self.controls = Controls(self.daemon, needs_restart=lambda: self.waiting, utc=HandClock())

    def ask(self, line):
        self.controls(line, self.answers.append)
        return self.answers[-1]


def test_all_live_sources_are_paused_and_listen_again():
    house = House("live porch", "live yard", "recording")
    answer = house.ask(ControlLine(pause=True))
    assert (answer.done, answer.paused) == (True, ("live porch", "live yard"))
    answer = house.ask(ControlLine(pause=False))
    assert (answer.done, answer.paused) == (True, ())


def test_one_source_is_paused_by_its_name():
    house = House("live porch", "live yard")
    assert house.ask(ControlLine(pause=True, source="live yard")).paused == ("live yard",)
    assert not house.daemon.channels[0].is_paused


def test_what_cannot_be_paused_is_told():
    house = House("recording")
    answer = house.ask(ControlLine(pause=True))
    assert (answer.done, answer.paused, answer.message) == (
        False,
        (),
        "a recording or a pipe cannot be paused",
    )
    with pytest.raises(SinkError, match="'recording', got 'cellar'"):
        house.ask(ControlLine(pause=True, source="cellar"))


def reloaded(reload, waiting=()):
    """The answer to a reload that is asked for while the daemon runs, by two at once."""

    def ask():
        house.controls(ControlLine(), house.answers.append)
        house.controls(ControlLine(), house.answers.append)
        wait_until(lambda: len(house.answers) == 2)

    house = House("live porch", script=[Block(0, NOISE), ask], reload=reload)
    house.waiting = waiting
    house.daemon.run()
    first, second = house.answers
    assert first == second
    return first


def test_a_reload_is_answered_when_it_is_done_with_what_waits_for_a_restart():
    answer = reloaded(lambda: [[]])
    assert (answer.done, answer.message, answer.needs_restart) == (True, "the settings are in force", ())
    answer = reloaded(lambda: [[]], waiting=["model.threads"])
    assert answer.done
    assert answer.needs_restart == ("model.threads",)
    assert answer.message == "the settings are in force, but for model.threads: restart the program"


def test_refused_settings_are_told_line_by_line():
    def refuse():
        raise ConfigError("unknown key\nand another fault", key="gate.mod")

    answer = reloaded(refuse)
    assert not answer.done
    assert answer.message == "the old settings stay"
    assert len(answer.faults) == 2
    assert "unknown key" in answer.faults[0]
