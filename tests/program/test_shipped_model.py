"""Real sounds through the model that ships with the program, which needs no download.

It learned from these very clips: that says that it runs, not how good it is; docs/training.md says that.
"""

from __future__ import annotations

import json

import pytest

from tests.support.program import DATA

pytestmark = pytest.mark.slow

FOLDER = DATA / "esc10"
WANTED = 9


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"ESC-10 is not at {FOLDER}: set SOUND_DETECTOR_DATA")
def test_it_names_the_clips_it_was_made_of(run):
    missed = {}
    folders = sorted(folder for folder in FOLDER.iterdir() if folder.is_dir())
    for folder in folders:
        program = run("-q", "--model", "esc10", "--input", str(min(folder.glob("*.ogg"))))
        assert program.status == 0, program.err.seen
        events = [json.loads(line) for line in program.out.seen]
        best = max(events, key=lambda event: event["top_score"], default={"class_id": "nothing"})
        if best["class_id"].removeprefix("esc10/") != folder.name.partition(" - ")[2]:
            missed[folder.name] = best["class_id"]
    assert len(missed) <= len(folders) - WANTED, f"heard as something else: {missed}"
