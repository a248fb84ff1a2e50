"""Whatever a stranger sends is taken, or refused in printable lines: the targets of `make fuzz`, in short."""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import clocks, datasets, history, models, sockets, text
from benchmarks.fuzz.mutations import mutate
from benchmarks.fuzz.target import Judge

# Damaged sound goes to native decoders, which may crash: test_decoders gives it a process of its own.
MODULES = (text, models, datasets, history, clocks, sockets)
TARGETS = {target.name: target for module in MODULES for target in module.TARGETS}

FOUND = [
    ("socket URI", b"tcp://127.0.0.1:" + b"9" * 5000),
    ("notify environment", b"/run/notify\0" + b"9" * 400),
    ("notify environment", b"/run/notify\x001\x00\xff"),
    ("model side-car", b"[" * 5000),
    ("model's folder", b"fuzz.tflite huge\n"),
    ("model's folder", b"model.yaml link " + b"x" * 300),
    ("truth in .csv", b"onset,offset,label\n0,1," + b"x" * 200_000),
    ("truth in .tsv", b"onset\toffset\x1b[2J\n"),
    ("table of clips", b""),
    ("table of clips", b"filename,fold,category\n" + b"9" * 300 + b",1,dog\n"),
    ("analysis folder", b"[" * 5000 + b"\0" + b"[" * 5000),
    ("model.yaml", b"name: a\nlabels: /dev/zero\n"),
    (
        "ontology.csv",
        b"mid,parents\n" + b"".join(b"c%d,c%d\n" % (i, i + 1) for i in range(2000)) + b"c2000,\n",
    ),
    (
        "labels.csv",
        b"index,mid,display_name,background\n" + b"".join(b"%d,m%d,n%d,0\n" % (i, i, i) for i in range(4000)),
    ),
    ("config file", b"".join(b"k%d: 1\n" % i for i in range(1000))),
    ("--set expressions", b'events.labels={"D\\x01g": {threshold_on: 0.5}}'),
    ("labels.csv", b"index,mid,display_name,background\n0,/m/0bt9lr,Dog\x1b[2J,0\n"),
    ("subscriber's server", b'{"type": "hello", "heartbeat_seconds": 1e308}\n'),
    ("subscriber's server", b'{"type": "hello", "heartbeat_seconds": ' + b"9" * 400 + b"}\n"),
    ("subscriber's server", b'{"type": "hello"}\n' + b"[" * 5000 + b"\n"),
    ("subscriber's server", b'{"type": "start", "score": ' + b"9" * 400 + b"}\n  "),
]
"""Inputs that were once answered with a traceback, or only after seconds."""


@contextlib.contextmanager
def judging(name):
    with tempfile.TemporaryDirectory(prefix="sd-") as folder, Judge(TARGETS[name], Path(folder)) as judge:
        yield judge


@pytest.mark.parametrize("name", TARGETS)
def test_well_formed_and_once_harmful_inputs_are_answered(name):
    with judging(name) as judge:
        for data in (*TARGETS[name].seeds(), *(data for target, data in FOUND if target == name)):
            judge(data)


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - {"client without a token"}))
def test_a_well_formed_input_is_accepted(name):
    with judging(name) as judge:
        assert judge(TARGETS[name].seeds()[0])


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_inputs_are_answered(name):
    target = TARGETS[name]
    seeds = [bytes(seed) for seed in target.seeds() if len(seed) < 10_000]
    with judging(name) as judge:

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.sampled_from(seeds), st.randoms(use_true_random=False))
        def answered(seed, random):
            judge(mutate(seed, random, seeds, target.words))

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            st.lists(st.one_of(st.sampled_from([*target.words, b" "]), st.binary(max_size=20)), max_size=30)
        )
        def answered_too(pieces):
            judge(b"".join(pieces))

        answered()
        answered_too()
