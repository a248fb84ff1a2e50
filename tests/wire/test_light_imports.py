"""Programs that only read messages, events of the past and clips, as the web page does, load no numpy."""

import subprocess
import sys

READERS = """
import detector.clips.clip_folder
import detector.history.archive
import detector.subscriber.client
import detector.subscriber.verdict_request
import detector.wire.encoding
"""


def test_reading_messages_history_and_clips_needs_no_numpy():
    program = f"import sys\n{READERS}\nprint(sorted(sys.modules.keys() & {{'numpy', 'soundfile', 'soxr'}}))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
