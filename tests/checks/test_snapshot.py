"""Snapshots: stored and read again without loss, by bytes that depend on nothing but what they say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.catalogue import load
from checks.facts.snapshot import (
    EXCERPT_LIMIT,
    FORMAT,
    Absence,
    Fact,
    Gap,
    Snapshot,
    Source,
    decode,
    encode,
    json_schema,
    source,
)
from checks.model import AssetValue, Kind, Target

steady = settings(deadline=None, max_examples=60, derandomize=True)


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part."""

    name: str
    size: int | None = None


class Machine(Fact, frozen=True, forbid_unknown_fields=True):
    """All shapes that a fact may have."""

    parts: tuple[Part, ...]
    tags: frozenset[str]
    values: Mapping[str, tuple[int, ...]]
    share: float
    on: bool


class Other(Fact, frozen=True, forbid_unknown_fields=True):
    """Another one."""

    text: str = ""


TYPES: dict[str, type[Fact]] = {"Machine": Machine, "Other": Other}

text = st.text(max_size=12)
parts = st.lists(st.builds(Part, text, st.none() | st.integers(-(2**60), 2**60)), max_size=3).map(tuple)
machines = st.builds(
    Machine,
    parts=parts,
    tags=st.frozensets(text, max_size=4),
    values=st.dictionaries(text, st.lists(st.integers(0, 9), max_size=3).map(tuple), max_size=3),
    share=st.floats(allow_nan=False, allow_infinity=False),
    on=st.booleans(),
)
targets = st.builds(
    Target,
    st.sampled_from(Kind),
    text,
    text,
    zone=text,
    value=st.sampled_from(AssetValue),
    owner=text,
    parent=text,
)
facts = st.fixed_dictionaries({}, optional={"Machine": machines, "Other": st.builds(Other, text)})
snapshots = st.builds(
    Snapshot,
    target=targets,
    taken_at=text,
    identities=st.lists(text, max_size=3).map(tuple),
    addresses=st.lists(text, max_size=3).map(tuple),
    facts=facts,
    gaps=st.lists(st.builds(Gap, text, text, text, text), max_size=3).map(tuple),
    absences=st.lists(st.builds(Absence, text, text, text), max_size=3).map(tuple),
    sources=st.lists(st.builds(Source, text, text, text, text, text, text), max_size=3).map(tuple),
    collector=text,
)


@given(snapshots)
@steady
def test_what_is_stored_is_read_again(one: Snapshot) -> None:
    data = encode(one)
    assert decode(data, TYPES) == one
    assert encode(decode(data, TYPES)) == data


@given(snapshots)
@steady
def test_every_stored_snapshot_fits_its_schema(one: Snapshot) -> None:
    schema = json_schema(TYPES)
    jsonschema.Draft202012Validator(schema).validate(json.loads(encode(one)))


def test_the_schema_refuses_what_is_not_a_snapshot() -> None:
    schema = json_schema(TYPES)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = json.loads(encode(snapshot(Machine((), frozenset(), {}, 0.5, on=True), Other("x"))))
    validator.validate(good)

    def wrong(**changes: Any) -> bool:
        return not validator.is_valid({**good, **changes})

    assert wrong(colour="red")
    assert wrong(format="1")
    assert wrong(facts={"Other": {"text": 5}})
    assert wrong(facts={"Other": {"txt": "x"}})
    assert wrong(facts={"Unknown": {}})
    assert wrong(target={**good["target"], "kind": "printer"})
    assert not validator.is_valid({k: v for k, v in good.items() if k != "target"})


def test_all_facts_of_the_catalogue_have_a_schema() -> None:
    known = load().facts
    schema = json_schema(known)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(schema["properties"]["facts"]["properties"]) == sorted(known)
    assert len(known) >= 3


def snapshot(*found: Fact, **more: Any) -> Snapshot:
    target = Target(Kind.HOST, "web-1", "ssh://web-1:22")
    return Snapshot(
        target, "2026-11-23T10:00:00Z", ("machine-id:1",), facts={type(f).__name__: f for f in found}, **more
    )


def test_equal_snapshots_have_equal_bytes_in_whatever_order_they_were_made() -> None:
    one = Machine((), frozenset("abcdefgh"), {"b": (1,), "a": (2,)}, 1.0, on=True)
    two = Machine((), frozenset("hgfedcba"), {"a": (2,), "b": (1,)}, 1.0, on=True)
    assert encode(snapshot(one, Other())) == encode(snapshot(Other(), two))


def test_a_fact_that_nobody_here_knows_becomes_a_gap() -> None:
    read = decode(
        encode(snapshot(Other("x"), Machine((), frozenset(), {}, 0.0, on=False))), {"Machine": Machine}
    )
    assert set(read.facts) == {"Machine"}
    assert read.gaps == (Gap("Other", "no installed package defines the fact Other"),)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"format": 1}', b"\xff"])
def test_what_is_no_snapshot_is_an_error(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(data, TYPES)


def test_a_changed_or_newer_snapshot_is_an_error() -> None:
    stored = json.loads(encode(snapshot(Other("x"))))
    newer = json.dumps({**stored, "format": FORMAT + 1}).encode()
    with pytest.raises(ValueError, match="newer than this version"):
        decode(newer, TYPES)
    changes: list[dict[str, Any]] = [
        {"extra": 1},
        {"gaps": [{}]},
    ]
    for change in changes:
        with pytest.raises(msgspec.DecodeError):
            decode(json.dumps({**stored, **change}).encode(), TYPES)


@pytest.mark.parametrize("facts", [{"Other": {"text": 5}}, {"Other": {"more": "x"}}, {"Other": []}])
def test_a_fact_of_another_form_is_a_gap_and_the_others_stay(facts: dict[str, Any]) -> None:
    machine = Machine((), frozenset(), {}, 0.0, on=False)
    stored = json.loads(encode(snapshot(Other("x"), machine)))
    stored["facts"].update(facts)
    read = decode(json.dumps(stored).encode(), {**TYPES, "Machine": Machine, "Other": Other})
    assert read.get(Machine) == machine
    [gap] = read.gaps
    assert gap.fact == "Other"
    assert "a form that this version does not read" in gap.reason


def test_a_fact_is_found_by_its_type() -> None:
    one = snapshot(Other("x"))
    assert one.get(Other) == Other("x")
    assert one.get(Machine) is None


def test_a_source_is_cut_and_its_digest_covers_the_whole() -> None:
    answer = "a" * (EXCERPT_LIMIT + 1)
    cut = source(Other, "cat x", "now", answer, where="x")
    assert len(cut.excerpt) == EXCERPT_LIMIT
    assert cut.digest == hashlib.sha256(answer.encode()).hexdigest()
    assert (cut.fact, cut.where) == ("Other", "x")
    assert source("Other", "cat x", "now", answer, where="x") == cut


def test_an_answer_of_broken_text_can_be_stored() -> None:
    one = snapshot(Other("x"), sources=(source(Other, "cat x", "now", "a\udc80\ud800b"),))
    read = decode(encode(one), TYPES)
    assert read.sources[0].excerpt == "a\\udc80\\ud800b"
