"""A file in a folder that may not be entered, or with a name that no file can have, is one line everywhere.

Root may enter every folder, so a name of 300 letters stands for both: the system refuses to look for it.
"""

from __future__ import annotations

import pytest

from detector.cli.main import main

NAME = "x" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ("--input", NAME),
        ("analyze", NAME),
        ("evaluate", NAME),
        ("evaluate", ".", "--annotations", NAME),
        ("evaluate", NAME, "--annotations", "."),
        ("soundscape", NAME, "--out", "out"),
        ("train", NAME, "--out", "out"),
        ("train", ".", "--out", NAME),
        ("calibrate", "--out", NAME),
        ("record", "dog", "--input", NAME),
        ("history", "--file", NAME),
        ("status", f"unix://{NAME}"),
    ],
    ids=lambda arguments: "-".join(word for word in arguments if word != NAME),
)
def test_is_one_line(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.wav").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    hearing = ("--model", "esc10") if arguments[0] in ("--input", "analyze", "calibrate") else ()
    assert main([*arguments, *hearing]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if NAME in line]
    assert len(lines) == 1
    assert "too long" in lines[0]


def test_given_as_a_command_is_told_like_another_unknown_word(capsys):
    with pytest.raises(SystemExit) as end:
        main([NAME])
    assert end.value.code == 2
    assert f"there is no '{NAME}'" in capsys.readouterr().err
