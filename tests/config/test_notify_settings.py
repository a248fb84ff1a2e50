"""Notifications in the settings: each fault is one line that names its key."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.assemble.endpoints import SINK_KINDS
from detector.config.loading import load_settings
from detector.config.notify_settings import crosses_unencrypted, header_of, url_fault
from detector.errors import ConfigError

GOOD = """\
notify:
  webhooks:
    - {name: phone, url: "https://ntfy.example/sound", format: text, headers: ["Title: Sound"]}
  commands:
    - {name: speak, argv: [/usr/bin/espeak-ng, hello]}
  apprise:
    - {name: family, config_file: /etc/sound-detector/apprise.conf}
  rules:
    - {name: alarms, labels: [alarms], to: [phone, speak], min_score: 0.5, urgent: true}
    - {name: dogs, labels: [Dog], hours: "22:00-07:00", first_of_day: true}
  health: [family]
  quiet_hours: "23:00-06:30"
"""


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return load_settings(config_path=str(path), environ=os.environ, sink_kinds=SINK_KINDS)

    return load


def test_good_settings_are_read(load):
    notify = load(GOOD).settings.notify
    assert notify.target_names == ("phone", "speak", "family")
    assert notify.is_used and notify.rules[0].urgent and notify.rules[1].to == ()
    assert hash(notify) == hash(load(GOOD).settings.notify)


@pytest.mark.parametrize(
    ("was", "becomes", "line"),
    [
        (
            "https://ntfy.example/sound",
            "ntfy.example",
            "notify.webhooks[0].url: expected an address that begins",
        ),
        ("https://ntfy.example/sound", "https:///sound", "got no host"),
        ("https://ntfy.example/sound", "https://ntfy.example:99999/", "a port of 1..65535"),
        ("https://ntfy.example/sound", "https://ntfy..example/", "with a name or address"),
        ("https://ntfy.example/sound", "https://me:pw@ntfy.example", "expected no user and password"),
        ("https://ntfy.example/sound", "https://ntfy.example/a b", "without spaces"),
        ('url: "https://ntfy.example/sound", ', "", "expected either url or url_file"),
        ("Title: Sound", "Sound", "notify.webhooks[0].headers[0]: expected `Name: value`"),
        ("Title: Sound", "Authorization: Bearer x", "holds a secret"),
        ("/usr/bin/espeak-ng", "espeak-ng", "notify.commands[0].argv: expected the absolute path"),
        ("[/usr/bin/espeak-ng, hello]", "[]", "expected a program and its arguments, got nothing"),
        (
            ", config_file: /etc/sound-detector/apprise.conf",
            "",
            "notify.apprise[0].config_file: expected the file",
        ),
        ("name: speak,", "name: phone,", "another target is called 'phone'"),
        ("name: dogs", "name: alarms", "another rule is called 'alarms'"),
        ("to: [phone, speak]", "to: [fone]", "no target is called 'fone'; did you mean `phone`?"),
        ("health: [family]", "health: [nobody]", "notify.health[0]: no target is called 'nobody'"),
        ('hours: "22:00-07:00"', "hours: 22-7", "notify.rules[1].hours: expected hours of the day"),
        ('"23:00-06:30"', '"23:00-26:00"', "notify.quiet_hours: expected hours of the day"),
        ("min_score: 0.5", "min_score: 5", "notify.rules[0].min_score: expected 0..1, got 5"),
        ("min_score: 0.5", "min_scor: 5", "did you mean `min_score`?"),
        ("{name: dogs, ", "{", "notify.rules[1].name: missing: expected text"),
    ],
)
def test_a_fault_is_one_line_that_names_its_key(load, was, becomes, line):
    assert was in GOOD
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace(was, becomes))
    faults = str(caught.value).splitlines()
    assert any(line in fault for fault in faults), faults
    assert len([fault for fault in faults if "no target is called" not in fault]) <= 1


def test_a_rule_names_one_of_the_sources(load):
    sources = "sources: {porch: {}, yard: {pipe: /run/yard}}\n"
    assert load(sources + GOOD.replace("first_of_day: true", "source: porch")).settings.notify.rules
    with pytest.raises(
        ConfigError, match=r"notify\.rules\[1\]\.source: no source is called 'prch'; did you mean"
    ):
        load(sources + GOOD.replace("first_of_day: true", "source: prch"))


def test_rules_need_a_target(load):
    with pytest.raises(ConfigError, match=r"notify\.rules: there is no target"):
        load("notify: {rules: [{name: all}]}")


@pytest.mark.parametrize(
    ("url", "crosses"),
    [
        ("http://ntfy.sh/x", True),
        ("https://ntfy.sh/x", False),
        ("http://8.8.8.8/", True),
        ("http://192.168.1.7:8123/", False),
        ("http://[::1]/", False),
        ("http://[2001:4860:4860::8888]/", True),
        ("http://localhost/", False),
        ("http://pi.local/", False),
        ("http://nas/", False),
    ],
)
def test_http_to_a_host_that_is_not_in_a_home_crosses_the_internet_unencrypted(url, crosses):
    assert crosses_unencrypted(url) is crosses


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,20}(:\\d+)?(/.*)?", fullmatch=True))
def test_any_address_is_a_fault_or_one_that_can_be_asked(url):
    """It has a host, and nothing that could end a line of the request."""
    if not url_fault(url):
        parts = urlsplit(url)
        assert parts.hostname and parts.scheme in ("http", "https")
        assert parts.port is None or 0 < parts.port < 65536
        assert url.isprintable() and " " not in url
        assert crosses_unencrypted(url) in (True, False)


@given(st.text(max_size=60))
def test_any_line_is_a_fault_or_a_header_that_can_be_sent(line):
    header = header_of(line)
    if not isinstance(header, str):
        name, value = header
        assert name.isascii() and not set(name) & set(" :\r\n")
        assert value.isascii() and not set(value) & set("\r\n\0")
