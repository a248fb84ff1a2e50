"""apprise, run as a program: its own one against a server on loopback, and stand-ins that fail or hang."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from detector.config.notify_settings import AppriseSettings
from detector.errors import AccessError
from detector.sinks.notify.apprise_target import AppriseTarget, apprise_program
from detector.sinks.notify.notices import trial_notice
from tests.support.web_server import status, web_server

NOTICE = trial_notice(("family",), "test-1", datetime(2026, 11, 28, 12, 0))

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")


def target(tmp_path, addresses="", seconds=60.0, program=None):
    file = tmp_path / "apprise.conf"
    file.write_text(addresses)
    file.chmod(0o600)
    return AppriseTarget(AppriseSettings("family", config_file=str(file), program=program), seconds)


def stand_in(tmp_path, script):
    path = tmp_path / "apprise"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.slow
@pytest.mark.skipif(
    apprise_program(AppriseSettings("family")) is None, reason="apprise: pip install 'sound-detector[notify]'"
)
def test_the_real_program_delivers_to_the_addresses_in_its_file(tmp_path):
    with web_server(status(200)) as server:
        family = target(tmp_path, f"json://127.0.0.1:{server.port}/hook\n")
        family.open()
        assert family.deliver(NOTICE, lambda: False).delivered
    _, _, body = server.requests[0]
    told = json.loads(body)
    assert (told["title"], told["message"]) == (NOTICE.title, NOTICE.text)
    with web_server(status(500)) as server:
        failing = target(tmp_path, f"json://127.0.0.1:{server.port}/hook\n")
        assert not failing.deliver(NOTICE, lambda: False).delivered


def test_addresses_are_in_the_file_and_the_text_on_standard_input(tmp_path):
    script = 'echo "$@" > "${0%/*}/arguments"; cat > "${0%/*}/text"; env > "${0%/*}/environment"'
    family = target(tmp_path, "mailto://user:secret@example", program=stand_in(tmp_path, script))
    assert family.deliver(NOTICE, lambda: False).delivered
    arguments = (tmp_path / "arguments").read_text()
    assert f"--config {tmp_path}/apprise.conf" in arguments
    assert (tmp_path / "text").read_text() == NOTICE.text
    assert "secret" not in arguments + (tmp_path / "environment").read_text()


def test_what_it_says_is_not_passed_on(tmp_path):
    program = stand_in(tmp_path, "echo failed: mailto://user:secret@example >&2; exit 1")
    attempt = target(tmp_path, program=program).deliver(NOTICE, lambda: False)
    assert attempt.detail.startswith("exit status 1; try: apprise") and "secret" not in attempt.detail


def test_one_that_hangs_is_ended(tmp_path):
    program = stand_in(tmp_path, "sleep 60")
    attempt = target(tmp_path, program=program, seconds=0.2).deliver(NOTICE, lambda: False)
    assert attempt.detail == "it was ended after 0.2 s"


def test_a_file_that_others_can_read_is_refused(tmp_path):
    family = target(tmp_path)
    Path(family.settings.config_file).chmod(0o644)
    with pytest.raises(AccessError, match=r"apprise file .* everybody on this machine"):
        family.open()
