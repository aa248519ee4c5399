"""Ranges and counts of the answers of one address, against the plain way of making them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scanner.collect.network.address_facts import ranges
from scanner.transport.packets_swept import CLOSED, FILTERED, NOT_ASKED, OPEN, SILENT, Swept

LETTERS = OPEN + CLOSED + FILTERED + SILENT + NOT_ASKED


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from(LETTERS)), unique_by=lambda one: one[0]))
def test_ranges_hold_exactly_the_ports_of_their_letters(told: list[tuple[int, str]]) -> None:
    swept = Swept(tuple(port for port, _ in told), "".join(letter for _, letter in told).encode())
    plain = ranges(port for port, letter in told if letter in (SILENT, FILTERED))
    assert swept.ranges(SILENT, FILTERED) == tuple((one.first, one.last) for one in plain)
    assert swept.count(SILENT, FILTERED) == len(swept.silent) + len(swept.filtered)


def test_all_ports_of_a_machine_are_one_range() -> None:
    swept = Swept(tuple(range(1, 65_536)), CLOSED.encode() * 65_535)
    assert swept.ranges(CLOSED) == ((1, 65_535),)
    assert swept.ranges(OPEN) == ()
