"""What is shown while clips are collected."""

from __future__ import annotations

import io

from detector.collecting.record_display import Display


def test_no_name_of_a_file_or_device_can_move_the_cursor() -> None:
    lines, meter = io.StringIO(), io.StringIO()
    display = Display(lines, meter, sample_rate=16000, live=True)
    display.say("2 clips of Dog in clips/\x9b2J")
    display.note("Mic\x1b]0;x\x07 delivers only digital silence")
    assert lines.getvalue() == "2 clips of Dog in clips/\\x9b2J\n"
    assert meter.getvalue() == "Mic\\x1b]0;x\\x07 delivers only digital silence\n"
