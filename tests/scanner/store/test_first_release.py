"""What the first release stored is judged: what it did not read is unknown, and nothing of it passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from baselines.evaluate import evaluate
from baselines.load import library
from baselines.resolve import resolve
from checks.catalogue import load
from checks.facts.host.sudoers import Sudoers
from checks.facts.snapshot import Fact, Snapshot, decode
from checks.facts.untold import Untold, UntoldError
from checks.model import Finding, Outcome
from scanner.derive import fleet, vulnerabilities
from scanner.derive.derivation import derive

STORED = sorted((Path(__file__).parents[2] / "recordings" / "snapshots").glob("first-release-*.json"))
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
NOT_READ_THEN = (
    "host.account-logins.own-password",
    "host.account-sources.local",
    "host.fleet.passwordless-root",
    "host.listening.not-root",
    "host.password-ageing.",
    "host.ssh-server.allow-list",
    "host.sudo-rules.",
)
"""Checks that ask for what the collectors of the first release did not read."""


def snapshot(path: Path) -> Snapshot:
    return decode(path.read_bytes(), load().facts)


def judged(seen: Snapshot) -> tuple[Finding, ...]:
    catalogue, known = load(), library()
    demands = resolve(known["linux-server"], "level-2", catalogue, known)
    digest = fleet.digest(seen)
    assert digest is not None
    derivations = (*fleet.derivations(fleet.fleet([digest])), *vulnerabilities.derivations(None))
    return evaluate(demands, derive(seen, derivations), now=NOW)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_snapshot_of_the_first_release_is_judged_without_a_crash(path: Path) -> None:
    found = judged(snapshot(path))
    assert [one for one in found if one.outcome is Outcome.ERROR] == []
    by_check = {one.check: one for one in found}
    assert by_check["host.ssh.root-login"].outcome in (Outcome.PASS, Outcome.FAIL)
    assert by_check["host.accounts.uid-zero"].outcome in (Outcome.PASS, Outcome.FAIL)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_what_it_did_not_read_is_unknown_and_says_so(path: Path) -> None:
    asked = [one for one in judged(snapshot(path)) if one.check.startswith(NOT_READ_THEN)]
    assert len({one.check for one in asked}) > 8
    assert {one.outcome for one in asked} <= {Outcome.UNKNOWN, Outcome.NOT_APPLICABLE}
    reasons = [one.reason for one in asked if "not read yet" in one.reason]
    assert len(reasons) > 8
    assert "SudoRule.users was not read yet when this was collected; scan the host again" in reasons


def test_a_field_that_was_not_collected_refuses_every_use() -> None:
    [path] = [one for one in STORED if "ubuntu" in one.name]
    rules = snapshot(path).get(Sudoers)
    assert isinstance(rules, Sudoers)
    field: object = rules.rules[0].commands
    assert isinstance(field, Untold)
    uses: tuple[Callable[[], object], ...] = (
        lambda: bool(field),
        lambda: list(field),
        lambda: field == (),
        lambda: f"{field}",
        lambda: "x" in field,
        lambda: len(field),
    )
    for use in uses:
        with pytest.raises(UntoldError, match=r"SudoRule\.commands was not read yet"):
            use()


def test_what_is_stored_whole_is_read_whole() -> None:
    class Lately(Fact, frozen=True, forbid_unknown_fields=True):
        names: tuple[str, ...] = ()

    stored = STORED[0].read_bytes().replace(b'"facts":{', b'"facts":{"Lately":{"names":["a"]},', 1)
    assert decode(stored, {"Lately": Lately}).get(Lately) == Lately(("a",))
