"""YAML as people write it: every kind of bad input is one line with file, line, key and the mend."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from baselines import text
from baselines.model import Written
from baselines.text import MAX_BYTES, TextError, names_a_secret, parse, read

steady = settings(deadline=None, max_examples=200, derandomize=True)


@pytest.fixture(params=["as installed", "in Python"])
def _reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both readers of the YAML library: the fast one may be missing where Bartizan is installed."""
    if request.param == "in Python":
        monkeypatch.setattr(text, "_Loader", yaml.SafeLoader)


BAD = [
    (b"", "f:1: the file is empty"),
    (b" \n\t\n", "f:1: the file is empty"),
    (b"# only a comment\n", "f:1: a mapping of keys to values is expected at the top"),
    (b"- a\n- b\n", "f:1: a mapping"),
    (b"just words\n", "f:1: a mapping"),
    (b"a: 1\n\x7fELF\x02\x01\xff", "f:2: not UTF-8 text; save the file as UTF-8"),
    (b"\x7fELF\x02\x01", "f:1: the control character U+007F"),
    ("a: 1\n".encode("utf-16"), "f:1: not UTF-8"),
    ("a: 1\n".encode("utf-16-le"), "f:1: the control character U+0000 does not belong here"),
    (b"a: 1\nb: \x00\n", "f:2: the control character U+0000"),
    (b"a: 1\nb: \x1b[31mred\n", "f:2: the control character U+001B"),
    ("a: 1\nb: \u202egpj.exe\n".encode(), "f:2: the control character U+202E"),
    ("a: 1\u2028b: 2\n".encode(), "f:1: the control character U+2028"),
    (b'a: "\\0"\n', "f:1: a: the control character U+0000"),
    (b'a: "\\e[31m"\n', "f:1: a: the control character U+001B"),
    (b'"\\e[31m": 1\n', "f:1: \\u001b[31m: a key is a word without control characters"),
    (b"a: 1\n" * (2 * 1024 * 1024 // 5), "f:1: the file has 2,097,150 bytes; at most 1,048,576 are read"),
    (b"a: " + b"[" * 400_000, "f:1: nested deeper than 12 levels"),
    (b"- " * 400_000, "f:1: nested deeper than 12 levels"),
    (b"{a: " * 200_000, "f:1: nested deeper than 12 levels"),
    (b"".join(b" " * n + b"a:\n" for n in range(20)), "f:13: nested deeper than 12 levels"),
    (b"a: 1\nb: 2\na: 3\n", "f:3: a: given twice, first in line 1"),
    (b"a:\n  b: 1\n  b: 2\n", "f:3: a.b: given twice, first in line 2"),
    (b"a: 1\n'a': 2\n", "f:2: a: given twice"),
    (b"1: a\n'1': b\n", "f:2: 1: given twice"),
    (b"a: &x 1\n", "f:1: anchors and aliases"),
    (b"a: 1\nb: *x\n", "f:2: anchors and aliases"),
    (b"a: &x {b: 1}\nc: {<<: *x}\n", "f:1: anchors and aliases"),
    (b"a: [&x [1], &y [*x, *x]]\n", "f:1: anchors and aliases"),
    (
        b"a: !!python/object/apply:os.system [id]\n",
        "f:1: the tag tag:yaml.org,2002:python/object/apply:os.system",
    ),
    (b"a: 1\nb: !!int '5'\n", "f:2: the tag tag:yaml.org,2002:int is not allowed; write the plain value"),
    (b"a: !custom x\n", "f:1: the tag !custom"),
    (b"a: ! x\n", "f:1: the tag !"),
    (b"!!map {a: 1}\n", "f:1: the tag"),
    (b"--- a: 1\n", "f:1: not YAML"),
    (b"a: 1\n---\nb: 2\n", "f:2: not YAML: a second document begins here"),
    (b"a: 1\n\tb: 2\n", "f:2: not YAML"),
    (b"a: [1, 2\n", "f:2: not YAML"),
    (b"a: 'open\n", "not YAML"),
    (b"a: b: c\n", "f:1: not YAML: mapping values are not allowed"),
    (b"a: @b\n", "f:1: not YAML"),
    (b"a: %b\n", "f:1: not YAML"),
    (b"? [a, b]\n: 1\n", "f:1: a key is a word"),
    (b"? {a: b}\n: 1\n", "f:1: a key is a word"),
    (b"a: 22:22\n", "f:1: a: 22:22 can be read in two ways; put it in quotes"),
    (b"a:\n  - 1:30:00\n", "f:2: a.0: 1:30:00 can be read in two ways"),
    (b"a: 010\n", "f:1: a: 010 can be read in two ways"),
    (b"a: -007\n", "f:1: a: -007 can be read in two ways"),
    (b"a: " + b"9" * 5000, "f:1: a: a number of more than 18 digits"),
    (b"a: 1.0e999\n", "f:1: a: a number of that size"),
    (b"a: 0." + b"1" * 100_000, "f:1: a: a number of that size"),
    (b"%YAML 9.1\n---\na: 1\n", "not YAML"),
]


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize(("data", "says"), BAD, ids=range(len(BAD)))
def test_bad_input_is_one_located_line(data: bytes, says: str) -> None:
    started = time.monotonic()
    with pytest.raises(TextError) as caught:
        read(data, "f")
    message = str(caught.value)
    assert says in message
    assert message.startswith("f:")
    assert message.isprintable()
    assert time.monotonic() - started < 5


GOOD: list[tuple[bytes, Any]] = [
    (b"a: no\n", "no"),
    (b"a: Yes\n", "Yes"),
    (b"a: on\n", "on"),
    (b"a: true\n", True),
    (b"a: false\n", False),
    (b"a: True\n", "True"),
    (b"a: null\n", None),
    (b"a: ~\n", None),
    (b"a:\n", None),
    (b"a: ''\n", ""),
    (b"a: 'null'\n", "null"),
    (b"a: '5'\n", "5"),
    (b'a: "true"\n', "true"),
    (b"a: 5\n", 5),
    (b"a: -5\n", -5),
    (b"a: 0\n", 0),
    (b"a: 1.5\n", 1.5),
    (b"a: 1.0e3\n", 1000.0),
    (b"a: 1e3\n", "1e3"),
    (b"a: 0x1f\n", "0x1f"),
    (b"a: 0o17\n", "0o17"),
    (b"a: 1_000\n", "1_000"),
    (b"a: .inf\n", ".inf"),
    (b"a: .nan\n", ".nan"),
    (b"a: 2026-12-31\n", "2026-12-31"),
    (b"a: 10.0.0.0/24\n", "10.0.0.0/24"),
    (b"a: '22:22'\n", "22:22"),
    (b"a: 22:80\n", "22:80"),
    (b"a: |\n  5\n", "5\n"),
    (b"a: >-\n  5\n", "5"),
    (b"a: [1, [2]]\n", [1, [2]]),
    ("\ufeffa: é 漢 😀\n".encode(), "é 漢 😀"),
    (b"a: x\r\n", "x"),
    (b'a: "a\\tb\\nc"\n', "a\tb\nc"),
]


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize(("data", "value"), GOOD, ids=range(len(GOOD)))
def test_values_are_what_they_look_like(data: bytes, value: Any) -> None:
    found = read(data, "f").values["a"]
    assert found == value
    assert type(found) is type(value)


def test_the_merge_key_is_a_key_like_others() -> None:
    assert read(b"<<: {a: 1}\n", "f").values == {"<<": {"a": 1}}


def test_every_value_knows_its_line() -> None:
    document = read(b"a: 1\nb:\n  - c: 2\n\n    d:\n      e: 3\n  - 4\n", "f")
    places: dict[tuple[str | int, ...], int] = {
        ("a",): 1,
        ("b",): 2,
        ("b", 0, "c"): 3,
        ("b", 0, "d"): 5,
        ("b", 0, "d", "e"): 6,
        ("b", 1): 7,
        ("b", 1, "missing"): 7,
        ("nothing",): 1,
    }
    assert {place: document.line(place) for place in places} == places
    assert str(document.error(("b", 0, "d"), "bad")) == "f:5: b.0.d: bad"
    assert str(document.error((), "bad\x1b")) == "f:1: bad\\u001b"


def test_a_large_file_is_read_in_a_bounded_time() -> None:
    row = b"  - {key: 1, other: [1, 2, 3]}\n"
    data = b"a:\n" + row * ((MAX_BYTES - 10) // len(row))
    started = time.monotonic()
    assert len(read(data, "f").values["a"]) > 30_000
    assert time.monotonic() - started < 30


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@steady
def test_no_bytes_give_anything_but_a_document_or_a_line(data: bytes) -> None:
    try:
        document = read(data, "f")
    except TextError as error:
        told = str(error)
    else:
        told = str(document.error((), ""))
    assert told.startswith("f:")
    assert told.isprintable()


plain = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text("ab 1:é-", max_size=8)
values = st.recursive(
    plain, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text("abc", min_size=1), v, max_size=3)
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), values, max_size=4))
@steady
def test_what_a_program_writes_in_json_is_read_as_it_was_meant(document: dict[str, Any]) -> None:
    import json

    def deep(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return 1 + max(map(deep, inner), default=0) if isinstance(value, dict | list) else 0

    data = json.dumps(document).encode()
    if deep(document) <= 12:
        assert read(data, "f").values == document


# --- models ---


class Colour(StrEnum):
    """Colours."""

    RED = "red"
    GREEN = "green"


class Inner(Written):
    """Inside."""

    name: Annotated[str, Field(min_length=1, max_length=5)]
    size: Annotated[int, Field(ge=1, le=9)] = 1
    colour: Annotated[Colour, Field(strict=False)] = Colour.RED


class Outer(Written):
    """Outside."""

    version: Literal[1]
    inner: list[Inner] = Field(default_factory=list)
    share: float = 0.0
    on: bool = True
    words: dict[str, Inner] = Field(default_factory=dict)
    either: int | list[int] = 0
    maybe: Inner | None = None
    key: str = ""


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("version: 2", "f:1: version: one of 1 is expected, not 2"),
        ("version: '1'", "f:1: version: one of 1 is expected, not '1'"),
        ("on: true", "f:1: version: missing"),
        ("version: 1\nonn: true", "f:2: onn: unknown key; did you mean on?"),
        ("version: 1\nxyzzy: true", "f:2: xyzzy: unknown key; allowed here: either, inner"),
        ("verzion: 1", "f:1: verzion: unknown key; did you mean version? (and 1 more mistake)"),
        ("version: 1\npassword: x", "f:2: password: a secret is never written here"),
        ("version: 1\non: yes", "f:2: on: true or false is expected, not 'yes'"),
        ("version: 1\non: 1", "f:2: on: true or false is expected, not 1"),
        ("version: 1\non:", "f:2: on: true or false is expected, not nothing"),
        ("version: 1\nshare: much", "f:2: share: a number is expected, not 'much'"),
        ("version: 1\nshare: true", "f:2: share: a number is expected, not true"),
        ("version: 1\ninner: {name: a}", "f:2: inner: a list is expected, not keys with values"),
        ("version: 1\ninner: [a]", "f:2: inner.0: keys with values are expected, not 'a'"),
        ("version: 1\ninner:\n- {}", "f:3: inner.0.name: missing"),
        (
            "version: 1\ninner:\n- name: abcdef",
            "f:3: inner.0.name: at most 5 characters are expected, not 'abcdef'",
        ),
        ("version: 1\ninner:\n- name: ''", "f:3: inner.0.name: at least 1 character is expected, not ''"),
        ("version: 1\ninner:\n- name: 5", "f:3: inner.0.name: text is expected, not 5"),
        ("version: 1\ninner:\n- name: [5]", "f:3: inner.0.name: text is expected, not a list"),
        ("version: 1\ninner:\n- name: a\n  size: 0", "f:4: inner.0.size: at least 1 is expected, not 0"),
        ("version: 1\ninner:\n- name: a\n  size: 10", "f:4: inner.0.size: at most 9 is expected, not 10"),
        (
            "version: 1\ninner:\n- name: a\n  size: 1.5",
            "f:4: inner.0.size: a whole number is expected, not 1.5",
        ),
        (
            "version: 1\ninner:\n- name: a\n  size: '5'",
            "f:4: inner.0.size: a whole number is expected, not '5'",
        ),
        (
            "version: 1\ninner:\n- name: a\n  colour: gren",
            "f:4: inner.0.colour: one of 'red' or 'green' is expected, not 'gren'; did you mean green?",
        ),
        (
            "version: 1\ninner:\n- name: a\n  colur: red",
            "f:4: inner.0.colur: unknown key; did you mean colour?",
        ),
        ("version: 1\nwords:\n  w:\n    nam: a", "f:4: words.w.nam: unknown key; did you mean name?"),
        ("version: 1\nmaybe:\n  nam: a", "f:3: maybe.nam: unknown key; did you mean name?"),
        ("version: 1\neither: x", "f:2: either: a whole number is expected, not 'x'"),
        ("version: 1\neither: [1, x]", "f:2: either"),
        ("version: 1\nkey: 12345", "f:2: key: text is expected"),
        ("version: 1\non: x\nshare: y\ninner: 5", "(and 2 more mistakes)"),
        ("version: 1\non: " + "x" * 500, "…"),
    ],
)
def test_each_mistake_names_its_line_key_and_what_is_allowed(written: str, says: str) -> None:
    with pytest.raises(TextError) as caught:
        parse(read(written.encode(), "f"), Outer)
    message = str(caught.value)
    assert says in message
    assert len(message) < 300
    assert "pydantic" not in message


def test_the_value_of_a_key_that_may_be_a_secret_is_not_repeated() -> None:
    with pytest.raises(TextError) as caught:
        parse(read(b"version: 1\nkey: 12345\n", "f"), Outer)
    assert "12345" not in str(caught.value)


def test_a_good_document_is_a_frozen_model() -> None:
    made: Any = parse(read(b"version: 1\ninner: [{name: a, colour: green}]\neither: [1]\n", "f"), Outer)
    assert made.inner[0].colour is Colour.GREEN
    assert made.either == [1]
    with pytest.raises(ValueError, match="frozen"):
        made.on = False


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "Password",
        "passwd",
        "pwd",
        "secret",
        "token",
        "passphrase",
        "api_key",
        "apikey",
        "access-key",
        "access_key_id",
        "secret_access_key",
        "private_key",
        "ssh_password",
        "client-secret",
        "session_token",
        "credentials",
        "password_hash",
    ],
)
def test_names_of_secrets(key: str) -> None:
    assert names_a_secret(key)


@pytest.mark.parametrize(
    "key",
    [
        "key",
        "keys",
        "store",
        "known_hosts",
        "name",
        "pass-through",
        "passes",
        "tokens-left",
        "user",
        "authorisation",
        "secretary",
    ],
)
def test_other_names(key: str) -> None:
    assert not names_a_secret(key)
