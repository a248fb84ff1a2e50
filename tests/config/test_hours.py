"""Hours of the day: over midnight too, and what is none is refused."""

import pytest

from detector.config.hours import Hours, parse_hours


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("22:00-07:00", (22 * 60, 0, 419), (420, 21 * 60 + 59)),
        ("7:30 - 8:00", (450, 479), (449, 480)),
        ("12:00-24:00", (720, 1439), (719, 0)),
        ("00:00-24:00", (0, 1439), ()),
    ],
)
def test_hours_hold_from_the_first_minute_up_to_the_last(text, inside, outside):
    hours = parse_hours(text)
    assert isinstance(hours, Hours)
    assert all(map(hours.hold, inside)) and not any(map(hours.hold, outside))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "22-7",
        "22:00",
        "25:00-07:00",
        "24:00-07:00",
        "22:60-07:00",
        "07:00-24:01",
        "7:00-7:00",
        "٧:00-8:00",
    ],
)
def test_what_is_no_range_is_refused(text):
    assert "expected hours of the day such as 22:00-07:00" in parse_hours(text)
