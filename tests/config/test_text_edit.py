"""Laws of changes in a config file's text: the value is there, all else and every comment stay."""

from collections import Counter
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from detector.config import yamltext
from detector.config.text_edit import value_at, with_value, without_key
from detector.config.yaml_spans import comments
from detector.errors import ConfigError

NAMES = st.sampled_from(
    ["Dog", "Baby cry, infant cry", "a#b", "x: y", "Dr. Who", "été", 'say "no"', "- dash", "#hash", "yes"]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 99),
    st.floats(0, 1, allow_nan=False).map(lambda number: round(number, 3)),
    NAMES,
)
VALUES = st.one_of(SCALARS, st.lists(NAMES, max_size=4, unique=True))
COMMENTS = st.sampled_from(["", "", "# why", "#Dog: 1", "#", '# it\'s "quoted" {not: this}'])


def words(text):
    return Counter(text[start:stop].strip() for start, stop in comments(text))


def data_of(text):
    document, faults = yamltext.parse(text)
    assert not faults, (faults, text)
    return document.data


def flow(draw, value):
    if isinstance(value, dict):
        inner = ", ".join(f"{yamltext.scalar(name)}: {flow(draw, item)}" for name, item in value.items())
        return f"{{ {inner}}}" if inner and draw(st.booleans()) else f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(yamltext.scalar, value))}]"
    if isinstance(value, str) and "'" not in value and draw(st.booleans()):
        return f"'{value}'"
    return yamltext.scalar(value)


def lines(draw, data, pad):
    for name, value in data.items():
        if above := draw(COMMENTS):
            yield f"{' ' * draw(st.integers(0, 4))}{above}"
        behind = draw(COMMENTS)
        behind = f"  {behind}" if behind else ""
        head = f"{' ' * pad}{yamltext.scalar(name)}:"
        step = draw(st.sampled_from([1, 2, 4]))
        if isinstance(value, dict) and value and draw(st.integers(0, 3)):
            yield head + behind
            yield from lines(draw, value, pad + step)
        elif isinstance(value, list) and value and draw(st.booleans()):
            yield head + behind
            inner = " " * (pad + draw(st.sampled_from([0, 2])))
            for item in value:
                if above := draw(COMMENTS):
                    yield inner + above
                yield f"{inner}- {flow(draw, item)}{'  ' + after if (after := draw(COMMENTS)) else ''}"
        elif value in (None, {}) and draw(st.booleans()):
            yield head + behind
        else:
            yield f"{head} {flow(draw, value)}{behind}"
        if draw(st.integers(0, 4)) == 0:
            yield ""


@st.composite
def texts(draw):
    label = st.dictionaries(st.sampled_from(["threshold_on", "threshold_off"]), SCALARS, max_size=2)
    events = st.fixed_dictionaries(
        {},
        optional={
            "preset": NAMES,
            "include": st.lists(NAMES, max_size=4, unique=True),
            "labels": st.dictionaries(NAMES, label, max_size=3),
        },
    )
    data = draw(st.fixed_dictionaries({}, optional={"events": events, "gate": label, "model": SCALARS}))
    text = "\n".join(lines(draw, data, 0))
    text += draw(st.sampled_from(["", "\n", "\n# the end\n", "\n\n"])) if text else ""
    return text.replace("\n", "\r\n") if draw(st.integers(0, 5)) == 0 else text


KEYS = st.one_of(
    st.sampled_from(
        [("events", "preset"), ("events", "include"), ("gate", "threshold_on"), ("model",), ("x", "y")]
    ),
    st.tuples(
        st.just("events"), st.just("labels"), NAMES, st.sampled_from(["threshold_on", "threshold_off"])
    ),
)


def put(data, key, value):
    wanted = deepcopy(data)
    section = wanted
    for name in key[:-1]:
        if not isinstance(section.get(name), dict):
            section[name] = {}
        section = section[name]
    section[key[-1]] = value
    return wanted


@hypothesis_settings(max_examples=50, deadline=None)
@given(texts(), st.lists(st.tuples(KEYS, VALUES, st.booleans()), min_size=1, max_size=5))
def test_any_sequence_of_changes_keeps_every_comment_and_all_other_values(text, changes):
    for key, value, removing in changes:
        before, old_words = data_of(text), words(text)
        text = without_key(text, key) if removing else with_value(text, key, value)
        after = data_of(text)
        assert not old_words - words(text)
        if removing:
            assert value_at(after, key) is None
        else:
            assert after == put(before, key, value)
            assert [name for name in after if name in before] == list(before)


RULES = """\
notify:
  rules:
    # by day
    - {name: doorbell, labels: [Doorbell]}  # ours
    - name: dogs
      labels: [Dog]  # all
  quiet_hours: null
"""


@pytest.mark.parametrize("name", ["doorbell", "dogs"])
def test_an_item_of_a_list_is_found_by_its_name(name):
    key = ("notify", "rules", name, "enabled")
    off = with_value(RULES, key, False)
    at = ["doorbell", "dogs"].index(name)
    assert [rule.get("enabled") for rule in data_of(off)["notify"]["rules"]] == [
        False if i == at else None for i in range(2)
    ]
    assert words(off) == words(RULES)
    on = with_value(off, key, True)
    assert data_of(on)["notify"]["rules"][at]["enabled"] is True
    assert data_of(without_key(on, key)) == data_of(RULES)
    assert words(without_key(on, key)) == words(RULES)


def test_an_item_that_is_not_there_is_not_made():
    for change in (with_value, lambda text, key, _: without_key(text, key)):
        with pytest.raises(ConfigError, match="cannot be changed here"):
            change(RULES, ("notify", "rules", "cats", "enabled"), False)
