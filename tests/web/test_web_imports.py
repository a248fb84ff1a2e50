"""The page's process stays small: it loads no numpy, no library of sound, no model."""

import subprocess
import sys

PROGRAM = """
import sys
from detector.assemble.endpoints import SINK_KINDS
from detector.assemble.web_making import make_web_parts
from detector.cli.main import main
from detector.config.loading import load_settings
from detector.subscriber.client import NOTHING
from detector.web.app import make_app
from detector.web.command import web_command

settings = load_settings(environ={"HOME": "/nowhere"}, sink_kinds=SINK_KINDS, system_file="").settings
make_app(make_web_parts(settings, uri=None, credentials=NOTHING))
rooms = {name.split(".")[1] for name in sys.modules if name.startswith("detector.")}
print(sorted(rooms & {"alarms", "backends", "graphs", "modelstore", "pipeline", "sources", "training"}))
heavy = {"ai_edge_litert", "click", "httpx", "multiprocessing", "numpy", "soundfile", "soxr"}
print(sorted(heavy & sys.modules.keys()))
"""


def test_the_page_loads_no_numpy_and_no_room_of_the_daemon():
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (result.stderr, result.stdout) == ("", "[]\n[]\n")
