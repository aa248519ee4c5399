"""The words of the field: their order, and that nothing can be added to them by accident."""

from __future__ import annotations

import msgspec
import pytest

from checks.model import AssetValue, Kind, Outcome, Severity, Target


def test_severities_are_ranked_from_info_to_critical() -> None:
    names = ["info", "low", "medium", "high", "critical"]
    assert [Severity(name).rank for name in names] == [0, 1, 2, 3, 4]
    assert len(Severity) == len(names)


def test_there_are_five_answers_and_one_of_them_is_a_pass() -> None:
    assert {str(o) for o in Outcome} == {"pass", "fail", "unknown", "error", "not_applicable"}


def test_a_target_cannot_be_changed_and_has_no_other_fields() -> None:
    target = Target(Kind.HOST, "web-1", "ssh://web-1:22")
    with pytest.raises(AttributeError):
        target.name = "other"  # type: ignore[misc]
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"kind": "host", "name": "a", "spec": "b", "colour": "red"}, Target)
    assert target.value is AssetValue.STANDARD
