"""Many subscribers at a high rate: the good ones lose nothing, the slow ones are told."""

import shutil
import sys

import pytest

from benchmarks.endurance.subscriber_crowd import Reader
from benchmarks.endurance.subscribers import measure, table
from tests.support.keys import make_keys

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is asked of /proc")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unix", "tls"])
def test_good_subscribers_lose_nothing_beside_stalled_slow_and_vanishing_ones(tmp_path_factory, kind):
    folder = tmp_path_factory.mktemp("s")  # short: a socket's path has 107 bytes
    if kind == "tls":
        if shutil.which("openssl") is None:
            pytest.skip("the program openssl is not installed")
        make_keys(folder)
    outcome = measure(kind, folder, subscribers=40, rate=1000, seconds=3)
    assert (outcome.lost, outcome.disorder) == (0, 0)
    assert outcome.received_min == outcome.received_max == outcome.published == 3000
    assert outcome.stalled_told == outcome.stalled_lost
    assert outcome.vanished > 0
    if kind == "unix":  # loopback TCP keeps more than three seconds for one that does not read
        assert outcome.stalled_lost > 0
    assert "| 3000 / 3000 |" in table([outcome])


def line(seq):
    return b'{"type":"start","top_score":0.9,"source":"%d","schema":1,"seq":%d}\n' % (seq, seq)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_is_missing_or_out_of_order_is_seen(size):
    reader = Reader(connection=None, timed=True)
    said = line(5) + line(6) + b'{"type":"dropped","count":2,"schema":1}\n' + line(9) + line(10) + line(8)
    for start in range(0, len(said), size):
        reader.take(said[start : start + size])
    assert (reader.first, reader.last, reader.events, reader.told) == (5, 8, 5, 2)
    assert reader.disorder > 0
    assert len(reader.latencies) == 5
