"""The whole way to the sofa: a sound at the microphone is seen, named, and played on the page."""

from __future__ import annotations

import re
import signal
from importlib.util import find_spec

import pytest
import soundfile

from tests.support.browser import open_browser, watched_faults
from tests.support.fakes import LONG
from tests.support.program import ALARM, RATE, demo_samples
from tests.support.virtualmic import Unavailable, VirtualMicrophone

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("model")]
if any(find_spec(package) is None for package in ("starlette", "uvicorn", "websockets")):
    pytest.skip("needs the extra [web]", allow_module_level=True)
pytest.importorskip("pyaudio", reason="PyAudio is not installed (apt install portaudio19-dev)")

CONFIG = """
model: {name: yamnet}
source: {device: 1, name: kitchen}
history: {path: history.db}
clips: {folder: clips, format: wav, speech: keep, postroll_seconds: 1}
sinks: [{kind: stdout, format: json}, {kind: socket, target: "unix://SOCKET", sound: true}]
web: {port: 0}
"""


@pytest.fixture
def microphone():
    try:
        with VirtualMicrophone() as running:
            yield running
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_a_sound_at_the_microphone_is_seen_named_and_played(microphone, start, environment, tmp_path):
    socket = f"{environment['XDG_RUNTIME_DIR']}/events.sock"
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.replace("SOCKET", socket))
    soundfile.write(tmp_path / "alarm.wav", demo_samples(6.7, 10.5), RATE)

    def listen():
        daemon = start("run", "--config", str(config), variables=microphone.variables)
        daemon.says("daemon.listening source='kitchen'")
        return daemon

    page = start("web", f"unix://{socket}", "--config", str(config))
    address = re.search(r"http://\S+", page.says("the page: http"))[0]
    daemon = listen()
    page.says("web.daemon_found")
    with open_browser() as browser:
        tab = browser.new_page(locale="en-GB")
        tab.set_default_timeout(LONG * 1000)
        faults = watched_faults(tab)
        tab.goto(f"{address}#/live")
        tab.locator(".waterfall-words").wait_for(state="hidden")
        microphone.play(tmp_path / "alarm.wav")
        tab.locator(".mark-label", has_text="Smoke").wait_for()
        assert tab.locator(".recent-sound", has_text=ALARM).count() == 1
        tab.get_by_role("navigation").get_by_role("link", name="Feed").click()
        card = tab.get_by_role("article", name=ALARM)
        card.locator(".picture").wait_for()
        card.get_by_role("button", name=f"Play {ALARM}").click()
        card.get_by_role("button", name="Pause").wait_for()
        card.get_by_role("button", name="Right").click()
        card.get_by_text("You said: right").wait_for()

        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0
        tab.get_by_text("The daemon has not answered since").wait_for()
        listen()
        tab.get_by_text("Back again").wait_for()
        tab.reload()
        tab.get_by_role("article", name=ALARM).get_by_text("You said: right").wait_for()
        assert faults == []
