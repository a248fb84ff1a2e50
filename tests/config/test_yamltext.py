"""YAML text -> data with lines; whatever is wrong comes back as faults."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.config import yamltext
from detector.config.yamltext import Fault


def data(text, **options):
    document, faults = yamltext.parse(text, **options)
    assert faults == []
    return document.data


def faults(text):
    document, found = yamltext.parse(text)
    assert document.data == {}
    return found


def test_scalars_follow_yaml_1_2():
    text = "[off, no, Yes, 12:30, 2024-01-01, 010, 1e-3, .5, -2, true, False, null, ~, 'true', \"3\", 1_000]"
    expected = [
        "off",
        "no",
        "Yes",
        "12:30",
        "2024-01-01",
        10,
        1e-3,
        0.5,
        -2,
        True,
        False,
        None,
        None,
        "true",
        "3",
    ]
    assert data(text, mapping=False) == [*expected, "1_000"]


def test_keys_are_always_text():
    assert data("off: 1\n911: 2\nnull: 3\n") == {"off": 1, "911": 2, "null": 3}


def test_every_key_and_item_knows_its_line():
    document, _ = yamltext.parse("# comment\na:\n  b: 1\n\n  c:\n    - x\n    - d: 2\n")
    assert document.data == {"a": {"b": 1, "c": ["x", {"d": 2}]}}
    assert document.lines == {"a": 2, "a.b": 3, "a.c": 5, "a.c[0]": 6, "a.c[1]": 7, "a.c[1].d": 7}


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n", "null", "{}"])
def test_an_empty_document_is_an_empty_mapping(text):
    assert data(text) == {}


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a", "given twice, first on line 1"),
        ("x:\n  a: 1\n  a: 1\n", 3, "x.a", "given twice, first on line 2"),
        ("a: &n 1\nb: *n\n", 2, "b", "aliases (*n)"),
        ("a:\n  b: !!python/object/apply:os.system [x]\n", 2, "a.b", "tags"),
        ("a:\n\tb: 1\n", 2, "", "not tabs"),
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "", "not YAML"),
        ("a: b: c\n", 1, "", "not YAML"),
        ("a: 'x\n", 2, "", "not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "", "second `---`"),
        ("- a\n", 1, "", "`key: value`"),
        ("just text", 1, "", "`key: value`"),
        ("a: 1\n? [b]\n: 2\n", 2, "", "a name before the colon"),
        ("'': 1\n", 1, "", "a name before the colon"),
        ("a: 1\nb: \x07\n", 2, "", r"'\x07'"),
        ("a: 1\nb: \ud800\n", 2, "", r"'\ud800'"),
        ('a: "\\0"\n', 1, "a", "delete the escape"),
        ("a:" + " [" * 1000, 1, "", "levels of nesting"),
        ("".join(f"{' ' * i}a:\n" for i in range(30)), 22, "", "levels of nesting"),
    ],
)
def test_a_fault_is_one_line_with_its_number(text, line, key, words):
    found = faults(text)
    assert (found[0].line, found[0].key) == (line, key)
    assert words in found[0].message
    assert "\n" not in found[0].message


def test_all_faults_are_reported():
    assert [fault.line for fault in faults("a: 1\na: 2\nb: *x\nc: !t 3\n")] == [2, 3, 4]


def test_a_billion_laughs_costs_nothing():
    laughs = "a0: &a0 [ha]\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
    )
    assert len(faults(laughs)) == 81


def test_a_fault_reads_as_a_compiler_would_say_it():
    assert Fault(3, "a.b", "wrong").at("c.yaml") == "c.yaml:3: a.b: wrong"
    assert Fault(None, "", "wrong").at("c.yaml") == "c.yaml: wrong"


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa4\r\n")
    assert yamltext.read(path)[0].data == {"a": "ä"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\nb: \xff\n", Fault(2, "", "expected UTF-8 text: save the file in that encoding")),
        (b"#" * 101, Fault(None, "", "expected at most 100 bytes: is this the right file?")),
    ],
)
def test_a_file_that_is_no_text_or_too_long_is_refused(tmp_path, content, expected):
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    assert yamltext.read(path, max_bytes=100)[1] == [expected]


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path):
    assert "No such file" in yamltext.read(tmp_path / "none")[1][0].message
    assert "directory" in yamltext.read(tmp_path)[1][0].message
    assert yamltext.read("a\0b")[1]


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars |= st.text() | st.sampled_from(
    ["off", "No", "1e3", "0x1", "~", "", " a ", "a: b", "# x", "'", '"', "\\"]
)


@settings(deadline=None)
@given(scalars.filter(lambda value: not isinstance(value, str) or "\0" not in value))
def test_what_scalar_writes_is_read_back(value):
    assert data(f"[{yamltext.scalar(value)}]", mapping=False) == [value]


@settings(deadline=None)
@given(st.text(st.sampled_from("ab01:-?[]{},&*!|>'\"%@# \n\t\\.x~"), max_size=60) | st.text(max_size=60))
def test_any_text_gives_data_or_faults(text):
    document, found = yamltext.parse(text)
    assert isinstance(document.data, dict)
    assert all("\n" not in fault.message for fault in found)


def test_a_document_of_nothing_but_faults_is_cut_short():
    found = faults("a: &a x\nb: [" + "*a," * 100_000 + "x]\n")
    assert len(found) == yamltext.MAX_FAULTS + 1
    assert found[-1].message == "and more: mend those above first"


def test_a_pipe_and_a_device_are_no_documents(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    for name in ("pipe.yaml", "zero.yaml"):
        _, (fault,) = yamltext.read(tmp_path / name)
        assert fault.message == "cannot be read: is not a regular file"


def test_what_a_shell_hands_over_is_read(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, b"a: 1\n")
    os.close(writing)
    document, found = yamltext.read(f"/dev/fd/{reading}")
    os.close(reading)
    assert (document.data, found) == ({"a": 1}, [])
