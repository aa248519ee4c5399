from __future__ import annotations

import pytest

from scanner.collect.network.openings import OPENINGS, USUAL_AT
from scanner.collect.network.ports import (
    ALL,
    FRAGILE,
    SPEAKS_FIRST,
    TLS_FIRST,
    TOP,
    numbers,
)


def test_the_lists_are_valid_and_of_the_promised_size() -> None:
    assert 120 <= len(TOP) <= 200
    assert tuple(sorted(set(TOP))) == TOP
    assert (ALL[0], ALL[-1], len(ALL)) == (1, 65_535, 65_535)
    assert all(1 <= port <= 65_535 for port in (*TOP, *FRAGILE))


def test_lists_go_by_name() -> None:
    assert numbers("top") == TOP
    assert numbers("all") == ALL
    with pytest.raises(ValueError, match="top and all"):
        numbers("some")


def test_a_port_is_asked_in_one_order_only() -> None:
    assert not (TLS_FIRST | SPEAKS_FIRST | set(USUAL_AT)) & set(FRAGILE)
    assert not SPEAKS_FIRST & set(USUAL_AT)
    assert set(USUAL_AT.values()) <= set(OPENINGS)
