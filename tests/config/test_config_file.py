"""Laws of the config file that is changed from a page: whole, never over another's change, with undo."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from detector.config.config_file import MOST_UNDONE, ChangedMeanwhile, ConfigFile, NotWritable
from detector.config.text_edit import with_value
from detector.errors import ConfigError
from tests.support import ROOT

SHIPPED = (ROOT / "config.yaml").read_text(encoding="utf-8")


@pytest.fixture
def file(tmp_path):
    return ConfigFile(tmp_path / "home" / "config.yaml", tmp_path / "state" / "undo.json", clock=lambda: 5.0)


def write(file, text, what="a change"):
    return file.write(text, file.read().version, what)


def test_a_file_is_made_where_there_is_none_and_goes_with_undo(file):
    assert file.read().version == "" and file.offer() is None
    write(file, "model: {}\n")
    assert file.path.read_text() == "model: {}\n"
    assert file.undo() == "a change"
    assert not file.path.exists() and file.offer() is None


def test_mode_and_a_link_are_kept_and_nothing_is_left_beside(file, tmp_path):
    real = tmp_path / "dotfiles" / "config.yaml"
    real.parent.mkdir()
    real.write_text("a: 1\n")
    real.chmod(0o604)
    file.path.parent.mkdir()
    file.path.symlink_to(real)
    linked = ConfigFile(file.path, tmp_path / "undo.json")
    write(linked, "a: 2\n")
    assert file.path.is_symlink() and real.read_text() == "a: 2\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o604
    assert [path.name for path in real.parent.iterdir()] == ["config.yaml"]


def test_a_link_that_points_somewhere_else_by_now_is_followed_there(file, tmp_path):
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text("a: 1\n")
    new.write_text("b: 1\n")
    file.path.parent.mkdir()
    file.path.symlink_to(old)
    write(file, "a: 2\n")
    file.path.unlink()
    file.path.symlink_to(new)
    assert file.read().text == "b: 1\n"
    assert file.offer() is None  # the change was one of the other file
    write(file, "b: 2\n")
    assert (old.read_text(), new.read_text()) == ("a: 2\n", "b: 2\n")


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(file):
    seen = write(file, "a: 1\n")
    file.path.write_text("a: 3\n")
    with pytest.raises(ChangedMeanwhile, match="changed meanwhile"):
        file.write("a: 2\n", seen, "late")
    with pytest.raises(ChangedMeanwhile, match="by hand"):
        file.undo()
    assert file.path.read_text() == "a: 3\n"
    assert "by hand" in file.offer().why_not


def test_undo_outlives_the_process_and_is_bounded(file, tmp_path):
    texts = [f"a: {n}\n" for n in range(MOST_UNDONE + 3)]
    for text in texts:
        write(file, text, text)
    again = ConfigFile(file.path, tmp_path / "state" / "undo.json")
    for text in reversed(texts[3:]):
        assert again.offer().what == text and again.offer().time == 5.0
        assert again.undo() == text
    assert again.offer() is None
    assert file.path.read_text() == texts[2]


def test_a_mark_at_the_beginning_and_line_breaks_of_windows_stay(file):
    file.path.parent.mkdir()
    file.path.write_bytes("\ufeffa: 1\r\n# é\r\n".encode())
    write(file, with_value(file.read().text, ("a",), 2))
    assert file.path.read_bytes() == "\ufeffa: 2\r\n# é\r\n".encode()
    file.undo()
    assert file.path.read_bytes() == "\ufeffa: 1\r\n# é\r\n".encode()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_said_to_be_so(file):
    write(file, "a: 1\n")
    file.path.chmod(0o444)
    assert "read-only" in file.why_not_writable()
    with pytest.raises(NotWritable):
        write(file, "a: 2\n")
    file.path.chmod(0o644)
    file.path.parent.chmod(0o500)
    assert "may not write to" in file.why_not_writable()
    file.path.parent.chmod(0o700)


def test_a_disk_that_is_full_leaves_the_file_and_its_undo(file, monkeypatch):
    write(file, "a: 1\n", "first")
    real = os.fsync
    calls = []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:  # the first is that of the undo
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(file, "a: 2\n")
    assert file.path.read_text() == "a: 1\n"
    assert (file.offer().what, file.offer().why_not) == ("first", "")


def test_a_damaged_undo_file_offers_nothing(file, tmp_path):
    write(file, "a: 1\n")
    (tmp_path / "state" / "undo.json").write_text('[{"path": 1}, "x"]')
    assert file.offer() is None
    write(file, "a: 2\n")
    assert file.offer().why_not == ""


def test_a_folder_and_another_encoding_are_named_in_one_line(file, tmp_path):
    assert "is a folder" in ConfigFile(tmp_path, tmp_path / "undo").why_not_writable()
    file.path.parent.mkdir()
    file.path.write_bytes(b"a: \xff\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        file.read()


KEYS = st.sampled_from(
    [
        ("events", "threshold_on"),
        ("events", "exclude"),
        ("events", "labels", "Dog", "threshold_on"),
        ("clips", "speech"),
    ]
)


@hypothesis_settings(max_examples=6, deadline=None)
@given(st.lists(st.one_of(st.none(), st.tuples(KEYS, st.integers(0, 9))), max_size=6))
def test_any_sequence_of_edits_and_undos_goes_back_through_the_same_texts(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("laws")
    file = ConfigFile(folder / "config.yaml", folder / "undo.json")
    file.path.write_text(SHIPPED)
    texts = [SHIPPED]
    for step in steps:
        if step is None:
            if len(texts) > 1:
                file.undo()
                texts.pop()
            else:
                with pytest.raises(ChangedMeanwhile, match="nothing to undo"):
                    file.undo()
        else:
            texts.append(with_value(texts[-1], *step))
            write(file, texts[-1])
        assert file.read().text == texts[-1]
