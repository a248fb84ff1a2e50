"""The page changes a threshold of the real daemon: the same sound is told, then not, then told again."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.support.program import ALARM, alarm, events, quiet, speech

pytestmark = pytest.mark.slow
if any(find_spec(package) is None for package in ("starlette", "uvicorn", "websockets", "httpx")):
    pytest.skip("needs the extras [web,test]", allow_module_level=True)


@pytest.mark.usefixtures("model")
def test_a_threshold_from_the_page_decides_what_the_daemon_tells(start, environment, tmp_path):
    from detector.web.desk.child_commands import Commands
    from tests.support.page_desks import ask, parts_with_desk
    from tests.support.web_pages import open_page

    address = f"unix://{environment['XDG_RUNTIME_DIR']}/events.sock"
    (tmp_path / "config.yaml").write_text(
        f"# mine\nmodel: {{name: yamnet}}\nalarms: {{patterns: false}}\nsource: {{input: '-', rate: 16000}}\n"
        f"sinks: [{{kind: stdout, format: json}}, {{kind: socket, target: '{address}'}}]\n"
        "events:\n  include: ['Smoke detector, smoke alarm', Speech]  # no more\n"
    )
    before = (tmp_path / "config.yaml").read_text()
    daemon = start("--config", str(tmp_path / "config.yaml"))

    def told_of(*sounds):
        """The labels of the events that begin while these are heard, and then speech."""
        seen = len(daemon.out.seen)
        for sound in (*sounds, quiet(3), speech(), quiet(3)):
            daemon.feed(sound)
        daemon.out.wait(lambda line: line in daemon.out.seen[seen:] and '"end"' in line and "Speech" in line)
        return {event["label"] for event in events(daemon.out.seen[seen:])}

    with open_page(parts_with_desk(tmp_path, [address], commands=Commands(environ=environment))) as page:
        assert ALARM in told_of(alarm())
        changes = {f"events.labels.{ALARM}.threshold_on": 1.0}
        status, answer = ask(page, "PUT", "/api/v1/settings", {"changes": changes})
        assert (status, answer["reloaded"]) == (200, True), answer
        assert ALARM not in told_of(alarm())
        status, answer = ask(page, "POST", "/api/v1/settings/undo")
        assert (status, answer["reloaded"]) == (200, True), answer
        assert (tmp_path / "config.yaml").read_text() == before
        assert ALARM in told_of(alarm())
        status, answer = ask(page, "POST", "/api/v1/pause", {"paused": True})
        assert (status, answer) == (502, {"error": "a recording or a pipe cannot be paused"})
