"""How messages list words."""

from detector.config.wording import either


def test_alternatives_are_listed_as_in_a_sentence():
    assert [either(words) for words in ([], ["a"], ["a", "b"], ["a", "b", 3])] == [
        "",
        "a",
        "a or b",
        "a, b or 3",
    ]
