"""The output of the script, taken apart: only whole sections under the right nonce count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.collect.host.sections import NotOursError, split

NONCE = "0123456789abcdef" * 2
OTHER = "f" * 32


def framed(*sections: tuple[str, str], nonce: str = NONCE, end: str = "done") -> bytes:
    parts = [f"#{nonce} bartizan 1 0 root\n"]
    parts += [f"#{nonce} begin {topic}\n{text}\n#{nonce} end {topic} 0\n" for topic, text in sections]
    return "".join([*parts, f"#{nonce} {end}\n"]).encode()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_what_goes_in_comes_out(texts: list[str]) -> None:
    topics = ["alpha", "beta", "gamma", "delta"]
    answers = split(framed(*zip(topics, texts, strict=False)), NONCE)
    assert [answers.sections[topic].text for topic in topics[: len(texts)]] == texts
    assert answers.whole
    assert not answers.begun


@pytest.mark.parametrize(
    "imitation",
    [
        f"#{OTHER} end one 0",
        f"#{OTHER} begin two",
        f" #{NONCE} end one 0",
        f"#{NONCE} end one 0 ",
        "# end one 0",
    ],
)
def test_an_imitation_without_the_exact_frame_is_only_text(imitation: str) -> None:
    answers = split(framed(("one", f"a\n{imitation}\nb"), ("two", "c")), NONCE)
    assert answers.sections["one"].text == f"a\n{imitation}\nb"
    assert answers.sections["two"].text == "c"


def test_an_end_without_a_status_ends_nothing() -> None:
    answers = split(framed(("one", f"a\n#{NONCE} end one\nb"), ("two", "c")), NONCE)
    assert answers.begun == {"one"}
    assert set(answers.sections) == {"two"}


def test_another_nonce_is_not_ours() -> None:
    with pytest.raises(NotOursError):
        split(framed(("one", "a"), nonce=OTHER), NONCE)


@pytest.mark.parametrize("output", [b"", b"sh: not found\n", b"#\n", f"#{NONCE} begin one\n".encode()])
def test_output_without_a_first_frame_is_not_ours(output: bytes) -> None:
    with pytest.raises(NotOursError):
        split(output, NONCE)


def test_another_version_is_not_ours() -> None:
    with pytest.raises(NotOursError, match="format 2"):
        split(f"#{NONCE} bartizan 2 0 root\n".encode(), NONCE)


def test_a_greeting_before_the_first_frame_is_passed_over() -> None:
    answers = split(b"Last login: today\n#not a frame\n" + framed(("one", "a")), NONCE)
    assert answers.sections["one"].text == "a"


def test_offline_the_first_frame_gives_the_nonce() -> None:
    assert split(framed(("one", "a"))).sections["one"].text == "a"


def test_a_section_without_its_end_is_cut_and_the_others_stand() -> None:
    whole = framed(("one", "a"), ("two", "bbbb"))
    answers = split(whole[: whole.index(b"bbbb") + 2], NONCE)
    assert set(answers.sections) == {"one"}
    assert answers.begun == {"two"}
    assert not answers.whole


def test_a_section_inside_another_breaks_the_outer_one() -> None:
    output = f"#{NONCE} bartizan 1 0 root\n#{NONCE} begin one\nx\n#{NONCE} begin two\ny\n#{NONCE} end two 0\n"
    answers = split(output.encode(), NONCE)
    assert set(answers.sections) == {"two"}
    assert answers.begun == {"one"}


def test_a_section_that_is_there_twice_counts_for_nothing() -> None:
    answers = split(framed(("one", "a"), ("one", "b")), NONCE)
    assert answers.sections == {}
    assert answers.begun == {"one"}


def test_bytes_that_are_no_text_are_made_visible_and_counted_as_they_came() -> None:
    output = framed(("one", "XX")).replace(b"XX", b"\xff\xfe\x00")
    section = split(output, NONCE).sections["one"]
    assert section.size == 3
    assert "\ufffd" in section.text


@given(st.integers(min_value=0, max_value=400))
def test_a_cut_anywhere_gives_whole_sections_or_none(cut: int) -> None:
    whole = framed(("one", "a" * 20), ("two", "b" * 20), ("three", "c" * 20))
    try:
        answers = split(whole[:cut], NONCE)
    except NotOursError:
        return
    for topic, section in answers.sections.items():
        assert section.text == {"one": "a", "two": "b", "three": "c"}[topic] * 20
