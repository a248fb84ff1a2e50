"""The real program over recordings on a web server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.elsewhere import range_server
from tests.support.program import DEMO

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("model")]


@pytest.fixture
def server():
    with range_server() as running:
        running.files["/june/20261120_143000Z.flac"] = Path(DEMO).read_bytes()
        running.files["/bad.wav"] = b"this is no sound"
        yield running


def test_a_recording_on_a_web_server_gives_the_events_of_the_file(run, server, tmp_path):
    here = tmp_path / "20261120_143000Z.flac"
    here.write_bytes(Path(DEMO).read_bytes())
    login = server.url.replace("://", "://me:secret@") + "/june/20261120_143000Z.flac?sig=secret"
    output = ["--out", "there", "--report", "--format", "csv"]
    arguments = [*output, login, f"{server.url}/bad.wav", f"{server.url}/no.wav"]
    first = run("analyze", "-q", *arguments)
    assert first.status == 1
    assert sorted(line.split(": ", 2)[1] for line in first.err.seen) == [
        f"cannot decode {server.url}/bad.wav",
        f"cannot read {server.url}/no.wav",
    ]
    assert run("analyze", "-q", "--out", "here", "--format", "csv", str(here)).status == 0
    there = (tmp_path / "there/june/20261120_143000Z.csv").read_text().splitlines()
    local = (tmp_path / "here/20261120_143000Z.csv").read_text().splitlines()
    cells = [line.split(",")[:-3] for line in there]
    assert cells == [line.split(",")[:-3] for line in local]
    assert len(cells) > 1
    assert cells[1][2].startswith("2026-11-20T")
    told = "".join(
        [*first.out.seen, *first.err.seen, *(p.read_text() for p in tmp_path.glob("there/**/*.*"))]
    )
    assert "secret" not in told
    kept = json.loads((tmp_path / "there/june/20261120_143000Z.summary.json").read_text())
    assert kept["size"] == len(server.files["/june/20261120_143000Z.flac"])
    # One byte more for its version; nothing of it is read again.
    assert server.sent_bytes <= 1.05 * sum(map(len, server.files.values())) + 2
    server.asked.clear()
    assert run("analyze", *arguments).status == 1
    assert [ranges for path, ranges in server.asked if path.startswith("/june")] == ["bytes=0-0"]
