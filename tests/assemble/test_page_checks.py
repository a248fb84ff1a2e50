"""What keeps the page from starting, as `check-config` says it."""

from __future__ import annotations

import pytest

from detector.assemble.page_access import access_policy, page_faults, password_file
from detector.config.web_settings import WebSettings

EVERYWHERE = "0.0.0.0"  # noqa: S104


@pytest.fixture
def environ(tmp_path):
    return {"HOME": str(tmp_path)}


def test_a_page_that_nobody_set_up_is_no_matter(environ):
    assert [*page_faults(WebSettings(), environ)] == []


def test_a_page_for_other_machines_needs_its_password_and_its_files(environ, tmp_path):
    web = WebSettings(bind=EVERYWHERE, certificate=f"{tmp_path}/c.pem", key=f"{tmp_path}/k.pem")
    (fault,) = page_faults(web, environ)
    assert "without a password" in fault
    password_file(web, environ).write("correct horse")
    (fault,) = page_faults(web, environ)
    assert "cannot be used" in fault
    assert [*page_faults(WebSettings(bind=EVERYWHERE, insecure=True), environ)] == []


def test_a_password_file_that_is_none_is_said(environ, tmp_path):
    (tmp_path / "password").write_text("hunter2")
    (tmp_path / "password").chmod(0o600)
    (fault,) = page_faults(WebSettings(password_file=str(tmp_path / "password")), environ)
    assert "expected the hash" in fault


def test_beyond_this_machine_the_page_knows_the_machines_name():
    assert access_policy(WebSettings(hosts=("Sounds.Example",))).hosts == {"sounds.example"}
    assert len(access_policy(WebSettings(bind=EVERYWHERE)).hosts) >= 1
