"""Settings: where they come from, what is refused and in which words."""

import re
from dataclasses import fields, is_dataclass
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from detector.assemble.endpoints import SINK_KINDS
from detector.config import yamltext
from detector.config.checks import check
from detector.config.constraints import choices_of, hints_of, leaves, limit_of, options_of
from detector.config.loading import Loaded, load_settings
from detector.config.named_source import NamedSource
from detector.config.notify_settings import NotifyRuleSettings
from detector.config.rendering import render
from detector.config.settings import (
    EventSettings,
    GateSettings,
    LabelSettings,
    LevelSettings,
    ModelSettings,
    Settings,
    SourceSettings,
    WindowSettings,
)
from detector.errors import ConfigError
from detector.sinks.logfile import LogSettings
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.sinks.socket.socket_settings import SocketSettings
from detector.sinks.stdout import StdoutSettings
from tests.support import ROOT

CONFIG_YAML = ROOT / "config.yaml"

HINTS = {
    key: hint
    for key, hint, _ in leaves(
        Settings(
            events=EventSettings(labels={"x": LabelSettings()}, groups={"x": ("y",)}),
            sinks=(StdoutSettings(), LogSettings(), SocketSettings()),
        )
    )
}
"""Dotted key -> annotation, of every single value that there may be."""


@pytest.fixture
def load(tmp_path):
    """Load a text as config.yaml, with flags; nothing of this machine is looked at."""

    def load(text="", **options):
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        options.setdefault("config_path", str(path))
        return load_settings(environ=options.pop("environ", {}), sink_kinds=SINK_KINDS, **options)

    return load


@pytest.fixture
def faults(load, tmp_path):
    """The lines of the ConfigError that a text gives, the folder left out."""

    def faults(text="", **options):
        with pytest.raises(ConfigError) as caught:
            load(text, **options)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return faults


# The file that documents every knob


def dotted(cls, key=""):
    for name, hint in get_type_hints(cls).items():
        yield f"{key}{name}"
        if is_dataclass(hint):
            yield from dotted(hint, f"{key}{name}.")


def test_the_shipped_file_holds_the_defaults(load):
    assert load(config_path=str(CONFIG_YAML)).settings == Settings()


def test_the_shipped_file_has_every_field_in_order_and_no_other():
    document, _ = yamltext.read(CONFIG_YAML)
    assert list(document.lines) == list(dotted(Settings))


def test_the_shipped_file_explains_every_field_of_labels_and_sinks():
    text = CONFIG_YAML.read_text(encoding="utf-8")
    for item in fields(LabelSettings):
        assert re.search(rf"^  #    {item.name}:", text, re.MULTILINE)
    for name in ("kind", *SINK_KINDS.owners):
        assert re.search(rf"^#   {name} ", text, re.MULTILINE)
    for item in fields(NotifyRuleSettings):
        assert re.search(rf"^  #   {item.name} ", text, re.MULTILINE)
    sources = text[text.index("# Several sources") : text.index("#sources:")]
    for item in fields(NamedSource):
        assert re.search(rf"\b{item.name}\b", sources)


def test_the_shipped_file_names_every_range_and_choice():
    lines = CONFIG_YAML.read_text(encoding="utf-8").splitlines()
    document, _ = yamltext.read(CONFIG_YAML)
    for key, line in document.lines.items():
        comment = " ".join(lines[line - 5 : line - 1])
        hint = HINTS.get(key, object)
        limit = limit_of(hint)
        if limit and key not in ("source.device", "events.threshold_on"):
            assert f"{limit.low}..{limit.high}" in comment, key
        for choice in choices_of(hint):
            assert choice in comment, key


def test_the_examples_of_the_shipped_file_are_good_settings(load):
    text = CONFIG_YAML.read_text(encoding="utf-8")
    text = re.sub(r"^( *)#((?:\w+:|  \S|    \w+:).*)$", r"\1\2", text, flags=re.MULTILINE)
    text = re.sub(
        r"^ *(?:device|input|name|heads|min_level_dbfs|sinks|folder|quiet_hours): null\n"
        r"| *(?:include|exclude|labels|webhooks|commands|apprise|rules|health|proxy|hosts): \[\]\n"
        r"| *\w+: \{\}\n",
        "",
        text,
        flags=re.M,
    )
    single = re.sub(r"^sources:\n(?:  .*\n)+", "", text, flags=re.M)
    several = re.sub(r"^source:\n(?:  .*\n)+", "", text, flags=re.M)
    settings = load(single).settings
    assert settings.source == SourceSettings("USB PnP Sound", input="recording.flac", name="kitchen")
    assert load(several).settings.sources == {
        "kitchen": NamedSource("USB PnP Sound", include=("alarms", "Dog")),
        "porch": NamedSource(
            url_file="/etc/sound-detector/porch.url",
            threshold_on=0.6,
            quiet_hours="22:00-07:00",
            quiet_keep=("alarms",),
        ),
        "radio": NamedSource(url="http://radio.local:8000/stream"),
    }
    assert settings.model.heads == ("doorbell",)
    assert settings.gate.min_level_dbfs == -55.0
    assert settings.events.include == ("alarms", "Dog", "Baby cry, infant cry")
    assert settings.events.labels["Dog"] == LabelSettings(0.4, 0.2, 0.5, 30.0)
    assert settings.events.groups["Smoke"][0] == "Smoke detector, smoke alarm"
    assert settings.clips.folder == "/var/lib/sound-detector/clips"
    assert settings.clips.labels == ("Dog", "Glass", "alarms")
    assert settings.notify.target_names == ("phone", "server", "speak", "family")
    assert [rule.name for rule in settings.notify.rules] == ["alarms", "doorbell"]
    assert (settings.notify.health, settings.notify.quiet_hours) == (("phone",), "22:00-07:00")
    assert settings.sinks == (
        StdoutSettings(),
        LogSettings("/var/log/sound-detector.jsonl"),
        SocketSettings("unix:///run/sound-detector/events.sock", group="audio"),
        SocketSettings(
            "tcp://0.0.0.0:8765",
            token_file="/etc/sound-detector/token",  # noqa: S106
            certificate="/etc/sound-detector/certificate.pem",
            key="/etc/sound-detector/key.pem",
        ),
        MqttSettings(
            "mqtt://homeassistant.local",
            user="sound-detector",
            password_file="/etc/sound-detector/mqtt-password",  # noqa: S106
            classes=("Smoke detector, smoke alarm", "Doorbell", "baby"),
        ),
    )


# Which place wins


def test_without_any_file_the_defaults_hold(load, tmp_path):
    loaded = load(config_path=None, system_file=str(tmp_path / "none"))
    assert loaded == Loaded(Settings(), None, {})


def test_files_are_looked_for_in_order_and_only_one_is_read(tmp_path):
    def file(name, device):
        path = tmp_path / name / "sound-detector" / "config.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(f"source: {{device: {device}}}")
        return str(path)

    system, user, xdg = file("etc", 1), file("home/.config", 2), file("xdg", 3)
    variable, flag = file("variable", 4), file("flag", 5)
    environ = {"SOUND_DETECTOR_CONFIG": variable, "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    environ["HOME"] = str(tmp_path / "home")

    def device(**options):
        loaded = load_settings(system_file=system, sink_kinds=SINK_KINDS, **options)
        return loaded.settings.source.device, loaded.path

    assert device(config_path=flag, environ=environ) == (5, flag)
    assert device(environ=environ) == (4, variable)
    environ["SOUND_DETECTOR_CONFIG"] = ""
    assert device(environ=environ) == (3, xdg)
    environ["XDG_CONFIG_HOME"] = "relative, which XDG says to ignore"
    assert device(environ=environ) == (2, user)
    assert device(environ={}) == (1, system)


@pytest.mark.parametrize(
    ("options", "named_by"),
    [
        ({"config_path": "/no/file"}, "--config"),
        ({"environ": {"SOUND_DETECTOR_CONFIG": "/no/file"}}, "$SOUND_D"),
    ],
)
def test_a_file_that_was_named_must_exist(faults, options, named_by):
    (line,) = faults(**{"config_path": None, **options})
    assert line.startswith(f"/no/file: cannot be read: No such file or directory (named by {named_by}")


def test_flags_win_over_the_file_and_set_over_flags(load):
    loaded = load(
        "gate: {mode: level, vad_mode: 1}\nwindows: {hop_seconds: 1}\n",
        overrides={"gate.vad_mode": 0, "windows.hop_seconds": 2, "sinks": ["stdout:json", "log:/x"]},
        set_expressions=["windows.hop_seconds=3", "events.include=[Dog, No]"],
    )
    assert loaded.settings == Settings(
        gate=GateSettings(mode="level", vad_mode=0),
        windows=WindowSettings(3.0),
        events=EventSettings(include=("Dog", "No")),
        sinks=(StdoutSettings(format="json"), LogSettings("/x")),
    )


def test_set_reaches_into_labels_and_replaces_what_it_names(load):
    text = "events:\n  labels:\n    Dog: {threshold_on: 0.5}\n    Cat: {threshold_on: 0.6}\n"
    one = load(text, set_expressions=["events.labels.Dog.refractory_seconds=3"]).settings.events.labels
    assert one == {"Dog": LabelSettings(0.5, refractory_seconds=3.0), "Cat": LabelSettings(0.6)}
    assert load(text, set_expressions=["events.labels={}"]).settings.events.labels == {}


def test_a_flag_may_take_a_setting_back(load):
    assert load("source: {input: a.wav}", overrides={"source.input": None}).settings.source.input is None


def test_a_fault_that_a_flag_hides_is_told_all_the_same(faults):
    assert faults("gate: loud\n", set_expressions=["gate.mode=level"]) == [
        "config.yaml:1: gate: expected a mapping (`key: value` lines), got 'loud'"
    ]


def test_every_setting_knows_where_it_was_given(load):
    text = "events:\n  include:\n    - Dog\n    - Cat\n  labels:\n    Dog: {threshold_on: 0.5}\n"
    text += "sinks:\n  - stdout\n"
    loaded = load(text, overrides={"model.name": "x"}, set_expressions=["events.groups={A: [b]}"])
    assert loaded.line_of("events.labels.Dog") == 6
    assert loaded.line_of("events.include[1]") == 4
    assert loaded.line_of("sinks[0].format") == 8
    assert loaded.line_of("model.name") is None
    assert loaded.where("events.labels.Dog").endswith("config.yaml:6")
    assert loaded.where("model.name") == "command line"
    assert loaded.where("events.groups.A[0]") == "--set"
    assert loaded.where("gate.mode") == "default"
    assert loaded.located("events.include[0]", "no such label").endswith(
        "config.yaml:3: events.include[0]: no such label"
    )


def test_what_a_flag_replaces_is_no_longer_in_the_file(load):
    loaded = load("events:\n  include:\n    - Dog\n", overrides={"events.include": ["Cat"]})
    assert loaded.where("events.include[0]") == "command line"


def test_a_number_is_a_device_index_and_a_text_is_a_name(load):
    assert load("source: {device: 2}").settings.source.device == 2
    assert load("source: {device: '2'}").settings.source.device == "2"


def test_off_is_a_word_here(load):
    assert load("gate: {mode: off}").settings.gate.mode == "off"


@pytest.mark.parametrize("text", ["", "source:\ngate:\n", "events:\n  include:\n  groups:\n", "# nothing"])
def test_an_empty_section_takes_its_defaults(load, text):
    assert load(text).settings == Settings()


# What is refused, and how


REFUSED = """
gate: {moed: level}
    gate.moed: unknown key: did you mean `mode`?
threshold_on: 0.3
    threshold_on: unknown key: did you mean `events.threshold_on`?
windows: {zzz: 1}
    windows.zzz: unknown key: the known keys are hop_seconds
events: {labels: {Dog: {on: 1}}}
    events.labels.Dog.on: unknown key: the known keys are threshold_on, threshold_off, min_duration_s
gate: {vad_mode: high}
    gate.vad_mode: expected a whole number, got 'high'
gate: {vad_mode: 2.0}
    gate.vad_mode: expected a whole number, got 2.0
gate: {vad_mode: true}
    gate.vad_mode: expected a whole number, got true
gate: {vad_mode: 4}
    gate.vad_mode: expected 0..3, got 4
level: {enabled: yes}
    level.enabled: expected true or false, got 'yes'
model: {name: 7}
    model.name: expected text, got 7: put it in quotes
model: {name: }
    model.name: expected text, got nothing
model: {name: ''}
    model.name: expected text, got nothing: write it, or delete the key
source: [a]
    source: expected a mapping (`key: value` lines), got ['a']
source: {device: 1.5}
    source.device: expected a whole number, text or nothing, got 1.5: put it in quotes
source: {device: -1}
    source.device: expected 0..9999, got -1
events: {include: Dog}
    events.include: expected a list, got 'Dog': put it in [ ]
events: {include: [Dog, 3]}
    events.include[1]: expected text, got 3: put it in quotes
events: {groups: {A: []}}
    events.groups.A: expected a list of labels, got an empty one: add one, or delete the group
events: {include: [Dog], exclude: [Dog]}
    events.exclude: 'Dog' is in `include` too: delete one
events: {preset: sur}
    events.preset: expected alert, home, quiet, responsive, balanced or sure, got 'sur'; did you mean `sure`?
events: {threshold_on: 0}
    events.threshold_on: expected more than 0, at most 1, got 0.0
events: {threshold_on: 40}
    events.threshold_on: expected more than 0, at most 1, got 40.0
events: {min_duration_seconds: -1}
    events.min_duration_seconds: expected 0..86400 s, got -1.0
events: {labels: {Dog: {refractory_seconds: -1}}}
    events.labels.Dog.refractory_seconds: expected 0..86400 s, got -1.0
windows: {hop_seconds: -0.24}
    windows.hop_seconds: expected 0.03..10 s, got -0.24
windows: {hop_seconds: .nan}
    windows.hop_seconds: expected a finite number, got nan
windows: {hop_seconds: 1e999}
    windows.hop_seconds: expected a finite number, got inf
history: {keep_days: 0}
    history.keep_days: expected 1..36500 days, got 0
history: {enabled: 1}
    history.enabled: expected true or false, got 1
sinks: []
    sinks: expected at least one sink: leave it out for the defaults
sinks: [stdot]
    sinks[0]: expected stdout, stdout:json, log:PATH, socket:unix://PATH, socket:tcp://HOST:PORT, mqtt://HOST
sinks: ['mqtt://']
    sinks[0].target: expected mqtt://HOST, or mqtt://HOST:PORT for another port than 1883, got 'mqtt://'
sinks: ['mqtt']
    sinks[0].target: expected mqtt://HOST or mqtts://HOST, got 'mqtt'
sinks: ['mqtt://ada:secret@broker']
    sinks[0].target: a password in the address could be read by everybody who lists the processes
sinks: ['mqtt://broker/kitchen']
    sinks[0].target: expected nothing behind the host, got 'mqtt://broker/kitchen'; `prefix` begins the topics
sinks: ['mqtt://broker:0']
    sinks[0].target: expected a port from 1 to 65535 and a user before the @, got 'mqtt://broker:0'
sinks: [{kind: mqtt, target: 'mqtt://h', prefix: 'home/+/sound'}]
    sinks[0].prefix: expected a topic without the wildcards + and #, got one with +: leave it out
sinks: [{kind: mqtt, target: 'mqtt://h', prefix: /sound}]
    sinks[0].prefix: expected words with / between them, such as home/sounds, got an empty word
sinks: [{kind: mqtt, target: 'mqtt://h', prefix: $SYS}]
    sinks[0].prefix: expected a topic that does not begin with $: such topics are the broker's own
sinks: [{kind: mqtt, target: 'mqtt://h', node: kitchen/pi}]
    sinks[0].node: expected 1 to 64 letters a-z, digits, _ and -, such as kitchen-pi, got 'kitchen/pi'
sinks: [{kind: mqtt, target: 'mqtt://h', classes: ['???']}]
    sinks[0].classes: expected a name with letters a-z or digits, since it becomes a topic, got '???'
sinks: [{kind: mqtt, target: 'mqtt://h', classes: [Dog bark, dog-bark]}]
    sinks[0].classes: 'Dog bark' and 'dog-bark' would both be the topic dog_bark: delete one
sinks: [{kind: mqtt, target: 'mqtt://h', password_file: /p}]
    sinks[0].password_file: a password needs a user: give `user` too
sinks: [{kind: mqtt, target: 'mqtts://h', client_key: /k}]
    sinks[0].client_certificate: expected client_certificate and client_key, got one of them
sinks: [{kind: mqtt, target: 'mqtt://h', ca_file: /ca}]
    sinks[0].ca_file: a certificate is for mqtts://, got mqtt:// as target
sinks: [{kind: mqtt, target: 'mqtt://h', mqtt_version: mqtt4}]
    sinks[0].mqtt_version: expected auto, mqtt5 or mqtt311, got 'mqtt4'; did you mean `mqtt5`?
sinks: [{kind: log, target: /l, password_file: /p}]
    sinks[0].password_file: is for a sink of kind mqtt: delete it
sinks: [stdout, {target: x}]
    sinks[1].kind: missing: expected text
sinks: [stdout:jsn]
    sinks[0].format: expected auto, text or json, got 'jsn'; did you mean `json`?
sinks: [log]
    sinks[0].target: expected the path of the log file, got nothing: write `log:PATH`
sinks: [{kind: stdout, target: x}]
    sinks[0].target: stdout takes no target, got 'x': delete it
sinks: ['log:/a', 'log:/a']
    sinks[1].target: the same sink as sinks[0]: delete one
"""


@pytest.mark.parametrize(("text", "fault"), re.findall(r"^(\S.*)\n    (.*)$", REFUSED, re.MULTILINE))
def test_a_fault_says_where_it_is_and_what_to_do(faults, text, fault):
    (line,) = faults(f"# a comment\n{text}\n")
    assert line.startswith(f"config.yaml:2: {fault}")


@pytest.mark.parametrize(
    "target",
    [
        "/run/x",
        "unix://",
        "tcp://",
        "tcp://host",
        "tcp://host:70000",
        "tcp://:1",
        "tcp://a b:1",
        "udp://a:1",
    ],
)
def test_a_socket_needs_a_path_or_a_host_and_port(faults, target):
    (line,) = faults(f"sinks: ['socket:{target}']")
    assert "expected unix://PATH or tcp://HOST:PORT" in line


def test_a_socket_path_that_the_system_cannot_bind_is_refused(faults):
    (line,) = faults(f"sinks: ['socket:unix:///{'ä' * 54}']")
    assert "at most 107 bytes, got 109" in line


@pytest.mark.parametrize(
    "target", ["", "unix:///run/x", "unix://x", "tcp://127.0.0.1:0", "tcp://[::1]:7070", "tcp://localhost:1"]
)
def test_good_socket_targets(target):
    assert check(Settings(sinks=(SocketSettings(target),))) == []


OFF_ABOVE_ON = "expected threshold_off below threshold_on"


@pytest.mark.parametrize(
    ("events", "key"),
    [
        ("threshold_on: 0.3, threshold_off: 0.3", "events.threshold_off"),
        ("labels: {Dog: {threshold_on: 0.3, threshold_off: 0.4}}", "events.labels.Dog.threshold_off"),
        ("threshold_on: 0.3, labels: {Dog: {threshold_off: 0.4}}", "events.labels.Dog.threshold_off"),
        ("threshold_off: 0.3, labels: {Dog: {threshold_on: 0.2}}", "events.labels.Dog.threshold_on"),
    ],
)
def test_off_must_be_below_on_wherever_each_is_from(faults, events, key):
    (line,) = faults(f"events: {{{events}}}")
    assert line.startswith(f"config.yaml:1: {key}: {OFF_ABOVE_ON}")


def test_off_alone_can_only_be_compared_with_the_models_own_on(load):
    assert load(
        "events: {threshold_off: 0.3, labels: {Dog: {threshold_off: 0.9}}}"
    ).settings.events.threshold_off


def test_every_fault_is_told_each_on_its_line(faults):
    text = "gate:\n  mode: loud\nwindows:\n  hop: 1\n  hop_seconds: x\nevents: {threshold_on: 2}\n"
    told = faults(
        text, overrides={"source.rate": 1}, set_expressions=["model.thread=2", "mode", "a=[", "level.x=*b"]
    )
    assert [line.split(": expected")[0].split(": unknown")[0] for line in told] == [
        "config.yaml:4: windows.hop",
        "config.yaml:5: windows.hop_seconds",
        "--set model.thread",
        "--set mode",
        "--set a: not YAML: while parsing a flow node did not find expected node content",
        "--set level.x: aliases (*b) are not read here: write the value out",
        "command line: source.rate",
        "config.yaml:2: gate.mode",
        "config.yaml:6: events.threshold_on",
    ]


def test_a_broken_file_is_one_line(faults):
    (line,) = faults("gate:\n\tmode: off")
    assert line.startswith("config.yaml:2: not YAML: ")
    assert line.endswith(": indent with spaces, not tabs")


def test_every_number_has_a_range():
    numbers = [key for key, hint in HINTS.items() if {int, float} & {*options_of(hint)}]
    assert numbers
    assert [key for key in numbers if limit_of(HINTS[key]) is None] == []


def test_defaults_are_good_settings():
    assert check(Settings()) == []


@pytest.mark.parametrize(
    ("text", "sink"),
    [
        ("stdout", StdoutSettings()),
        ("stdout:json", StdoutSettings(format="json")),
        ("log:/var/log/a:b.jsonl", LogSettings("/var/log/a:b.jsonl")),
        ("socket:unix:///run/x", SocketSettings("unix:///run/x")),
        ("socket:tcp://[::1]:70", SocketSettings("tcp://[::1]:70")),
    ],
)
def test_a_sink_as_one_writes_it_on_the_command_line(text, sink):
    assert SINK_KINDS.parse(text) == sink


# How they are shown


def test_effective_settings_say_where_each_is_from_and_what_it_may_be(load, tmp_path):
    text = "gate:\n  mode: level\nevents: {labels: {'No, 1': {threshold_on: 0.5}}}\n"
    lines = (
        render(load(text, overrides={"source.device": 1}), SINK_KINDS)
        .replace(f"{tmp_path}/", "")
        .splitlines()
    )
    assert lines[0] == "# The effective settings of sound-detector (config.yaml; then flags)."
    assert "  device: 1  # command line; 0..9999" in lines
    assert "  mode: level  # config.yaml:2; both, webrtcvad, level or off" in lines
    assert "  vad_mode: 2  # default; 0..3" in lines
    assert '    "No, 1":' in lines


# Properties

names = st.text(min_size=1, max_size=12).filter(lambda text: text.strip() and "\0" not in text)
texts = names | st.sampled_from(
    ["off", "no", "null", "1", "1e3", "~", "- a", "a: b", "#x", "Smoke detector, smoke alarm"]
)


def number(key):
    limit = limit_of(HINTS[key])
    return st.floats(limit.low, limit.high, exclude_min=limit.above, allow_subnormal=False)


def labels(on, off, key="events.labels.x"):
    return st.builds(
        LabelSettings,
        st.none() | on,
        st.none() | off,
        st.none() | number(f"{key}.min_duration_seconds"),
        st.none() | number(f"{key}.refractory_seconds"),
    )


ons, offs = st.floats(0.5, 1), st.floats(0, 0.49)
sinks = st.one_of(
    st.builds(StdoutSettings, format=st.sampled_from(choices_of(hints_of(StdoutSettings)["format"]))),
    st.builds(LogSettings, texts, max_bytes=st.integers(0, 10**9), backups=st.integers(0, 9)),
    st.builds(SocketSettings, names.map(lambda name: f"unix:///{name}")),
    st.builds(
        MqttSettings,
        st.sampled_from(["mqtt://broker", "mqtts://[::1]:8884", "mqtt://ada@10.0.0.1:1884"]),
        mqtt_version=st.sampled_from(choices_of(hints_of(MqttSettings)["mqtt_version"])),
        classes=st.none() | st.sampled_from([("Dog",), ("Dog", "alarms")]),
        discovery=st.booleans(),
    ),
)
good_settings = st.builds(
    Settings,
    source=st.builds(
        SourceSettings,
        device=st.none() | st.integers(0, 99) | texts,
        input=st.none() | texts,
        rate=st.integers(4000, 384000),
        realtime=st.booleans(),
        name=st.none() | texts,
    ),
    model=st.builds(
        ModelSettings,
        texts,
        st.none() | st.lists(texts, max_size=3).map(tuple),
        st.sampled_from(choices_of(HINTS["model.runtime"])),
        st.integers(1, 64),
    ),
    gate=st.builds(GateSettings, st.sampled_from(choices_of(HINTS["gate.mode"])), st.integers(0, 3)),
    windows=st.builds(WindowSettings, number("windows.hop_seconds")),
    level=st.builds(LevelSettings, st.booleans(), number("level.target_dbfs"), number("level.max_gain_db")),
    events=st.builds(
        EventSettings,
        st.sampled_from(choices_of(HINTS["events.preset"])),
        st.none() | ons,
        st.none() | offs,
        include=st.lists(texts, max_size=3).map(tuple),
        background=st.booleans(),
        groups=st.dictionaries(texts, st.lists(texts, min_size=1, max_size=3).map(tuple), max_size=3),
        labels=st.dictionaries(texts, labels(ons, offs), max_size=3),
    ),
    sinks=st.none() | st.lists(sinks, min_size=1, max_size=3, unique=True).map(tuple),
)


@hypothesis_settings(deadline=None)
@given(good_settings)
def test_what_check_config_prints_reads_back_as_the_same(tmp_path_factory, settings):
    assert check(settings) == []
    path = tmp_path_factory.getbasetemp() / "round-trip.yaml"
    path.write_bytes(render(Loaded(settings), SINK_KINDS).encode())
    assert load_settings(config_path=str(path), environ={}, sink_kinds=SINK_KINDS).settings == settings


keys = st.sampled_from([name for item in dotted(Settings) for name in item.split(".")]) | st.text(max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)
junk = st.text(max_size=80) | values.map(repr)
junk |= st.dictionaries(keys, values, max_size=6).map(
    lambda data: "".join(f"{k}: {v!r}\n" for k, v in data.items())
)


@hypothesis_settings(deadline=None)
@given(junk, st.lists(st.builds("{}={}".format, keys, junk) | junk, max_size=2))
def test_any_text_gives_settings_or_faults(tmp_path_factory, text, expressions):
    path = tmp_path_factory.getbasetemp() / "junk.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        loaded = load_settings(
            config_path=str(path), environ={}, sink_kinds=SINK_KINDS, set_expressions=expressions
        )
    except ConfigError as error:
        assert all(line.isprintable() and ": " in line for line in str(error).split("\n"))
    else:
        assert check(loaded.settings) == []


# Who gets in at a socket


OPEN = "{kind: socket, target: tcp://0.0.0.0:8765"
LOCAL = "{kind: socket, target: tcp://127.0.0.1:8765"


@pytest.mark.parametrize(
    ("sink", "fault"),
    [
        (
            OPEN + "}",
            "sinks[0].target: socket tcp://0.0.0.0:8765: other machines could connect without a token",
        ),
        (OPEN + ", insecure: true}", "without a token"),
        (OPEN + ", certificate: c, key: k}", "without a token"),
        (
            OPEN + ", token_file: t}",
            "sinks[0].target: socket tcp://0.0.0.0:8765: token and events would cross",
        ),
        (
            LOCAL + ", certificate: c}",
            "sinks[0].target: socket tcp://127.0.0.1:8765: expected certificate and key",
        ),
        (LOCAL + ", group: audio}", "sinks[0].group: is for a Unix socket"),
        ("{kind: socket, target: tls://127.0.0.1:1}", "TLS needs a certificate and a key"),
        ("{kind: socket, token_file: t}", "sinks[0].token_file: is for a socket with a tcp://HOST:PORT"),
        (
            "{kind: socket, target: unix:///x, insecure: true}",
            "sinks[0].insecure: is for a socket with a tcp://",
        ),
        ("{kind: log, target: x, group: audio}", "sinks[0].group: is for a Unix socket"),
        ("{kind: log, target: x, key: k}", "sinks[0].key: is for a socket with a tcp://"),
    ],
)
def test_a_socket_that_is_too_open_is_refused_with_its_line(faults, sink, fault):
    (line,) = faults(f"sinks:\n  - {sink}\n")
    assert line.startswith("config.yaml:2: ")
    assert fault in line


@pytest.mark.parametrize(
    "sink",
    [
        LOCAL + "}",
        LOCAL + ", token_file: t}",
        LOCAL + ", certificate: c, key: k}",
        OPEN + ", token_file: t, insecure: true}",
        OPEN + ", token_file: t, certificate: c, key: k}",
        "{kind: socket, group: audio}",
    ],
)
def test_a_socket_that_is_closed_enough_is_taken(load, sink):
    assert load(f"sinks: [{sink}]").settings.sinks


def test_a_token_in_the_settings_themselves_is_refused_and_not_repeated(faults):
    (line,) = faults("sinks:\n  - {kind: socket, target: tcp://127.0.0.1:1, token: s3cret-s3cret-s3cret}\n")
    assert "did you mean `token_file`?" in line
    assert "s3cret" not in line


def test_what_is_shown_names_the_files_of_secrets_and_not_what_is_in_them(load, tmp_path):
    (tmp_path / "token").write_text("s3cret-s3cret-s3cret")
    (tmp_path / "token").chmod(0o600)
    shown = render(load(f"sinks: [{LOCAL}, token_file: {tmp_path}/token}}]"), SINK_KINDS)
    assert f"token_file: {tmp_path}/token" in shown.replace('"', "")
    assert "s3cret" not in shown


def test_of_endless_faults_the_first_hundred_are_named(faults):
    found = faults("".join(f"k{i}: 1\n" for i in range(3000)))
    assert len(found) <= yamltext.MAX_FAULTS + 1
    assert found[-1].endswith("and more: mend those above first")
    found = faults("events: {labels: {" + ",".join(f"k{i}: {{threshold_on: 2}}" for i in range(3000)) + "}}")
    assert len(found) == yamltext.MAX_FAULTS + 1


def test_a_tilde_is_the_home_folder_in_every_path(load, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    text = "source: {input: ~/x.wav}\nhistory: {path: ~/h.db}\nsinks: ['log:~/e.jsonl', 'socket:unix://~/s']"
    settings = load(text).settings
    assert (settings.source.input, settings.history.path) == ("/home/ada/x.wav", "/home/ada/h.db")
    assert [sink.target for sink in settings.sinks] == ["/home/ada/e.jsonl", "unix:///home/ada/s"]
    given = load(overrides={"sinks": ["log:~/e.jsonl"]}, set_expressions=["source.input=~/y.wav"]).settings
    assert (given.sinks[0].target, given.source.input) == ("/home/ada/e.jsonl", "/home/ada/y.wav")
    text = "sinks: [{kind: socket, target: 'tcp://0.0.0.0:1', token_file: ~/t, certificate: ~/c, key: ~/k}]"
    (sink,) = load(text).settings.sinks
    assert [sink.token_file, sink.certificate, sink.key] == ["/home/ada/t", "/home/ada/c", "/home/ada/k"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("source: {input: ~nobody-of-that-name/x.wav}", "source.input"),
        ("history: {path: ~nobody-of-that-name/h.db}", "history.path"),
        ("sinks: ['log:~nobody-of-that-name/e.jsonl']", "sinks[0].target"),
        ("sinks: ['socket:unix://~nobody-of-that-name/s']", "sinks[0].target"),
    ],
)
def test_a_tilde_of_nobody_is_a_fault_and_makes_no_folder(faults, text, key):
    (line,) = faults(text)
    assert f"{key}: there is no home folder for `~` here: write the path out, or ./~nobody" in line
