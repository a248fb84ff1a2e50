"""Log lines: one line each, and nothing in them that a terminal or the journal would obey."""

from __future__ import annotations

import logging

import pytest

from detector.cli.logs import set_up_logging


@pytest.mark.parametrize("journal", [True, False])
def test_what_others_wrote_stays_within_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, journal: bool
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    if journal:
        monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    root, detector = logging.getLogger(), logging.getLogger("detector")
    before = root.handlers[:], root.level, detector.level
    root.handlers.clear()
    try:
        set_up_logging(0, quiet=False)
        detector.info("source.opened name=%s", "Mic\x1b[2J\x9b\n<0>forged")
    finally:
        root.handlers[:], root.level, detector.level = before
    line = capsys.readouterr().err
    assert line.endswith("source.opened name=Mic\\x1b[2J\\x9b\\n<0>forged\n")
    assert line.count("\n") == 1
