"""How messages list words and suggest names."""

from detector.config.wording import either, nearest_file


def test_alternatives_are_listed_as_in_a_sentence():
    assert [either(words) for words in ([], ["a"], ["a", "b"], ["a", "b", 3])] == [
        "",
        "a",
        "a or b",
        "a, b or 3",
    ]


def test_a_file_that_is_not_there_gets_the_nearest_one_beside_it(tmp_path):
    (tmp_path / "kitchen.wav").touch()
    assert nearest_file(tmp_path / "kitchn.wav") == f"did you mean `{tmp_path}/kitchen.wav`?"
    assert nearest_file(tmp_path / "Kitchen.WAV") == f"did you mean `{tmp_path}/kitchen.wav`?"
    for path in (tmp_path / "zzz", tmp_path / "absent" / "x", "a\0b", ""):
        assert nearest_file(path) == ""


def test_a_link_to_nowhere_is_not_told_its_own_name(tmp_path):
    (tmp_path / "kitchen.wav").symlink_to(tmp_path / "unplugged.wav")
    assert nearest_file(tmp_path / "kitchen.wav") == ""
