"""Every fix that is a command is proved on a real host, or it says why that cannot be done here."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from tests.lab.hosts import lab
from tests.lab.planted import GROUPS, bad_host
from tests.proofs.explained import REASONS
from tests.proofs.proving import Proof, by_check, host_checks, shell_proofs, shell_snippet

pytestmark = pytest.mark.real

CHECKS = host_checks()
LOGIN = "host.ssh-keys.root"
"""Its fix would take away keys that other fixes and the tests need."""
WITH_COMMANDS = {name: one for name, one in CHECKS.items() if shell_snippet(one) is not None}


@pytest.fixture(scope="module")
def proofs() -> dict[str, list[Proof]]:
    """What was proved, by check."""
    found: dict[str, list[Proof]] = {}
    with lab() as net:
        for name, group in GROUPS.items():
            others = frozenset[str]().union(*(g.topics for n, g in GROUPS.items() if n != name))
            mine = [
                check
                for check in WITH_COMMANDS
                if check != LOGIN
                and (check.split(".")[1] in group.topics or check.split(".")[1] not in others)
            ]
            host = bad_host(net, group.plantings, packages=group.packages, name=name)
            missing = [
                check for check in mine if not all(p.held for p in found.get(check, [])) or check not in found
            ]
            found |= by_check(shell_proofs(host, missing))
            host.started.end()
    return found


def test_what_a_snippet_repairs_passes_and_its_undo_brings_it_back(proofs: dict[str, list[Proof]]) -> None:
    broken = [
        str(proof)
        for name, made in proofs.items()
        for proof in made
        if not proof.held and name not in REASONS
    ]
    assert not broken, "\n".join(broken)


def test_every_command_is_proved_or_explained(proofs: dict[str, list[Proof]]) -> None:
    proved = {name for name, made in proofs.items() if all(proof.held for proof in made)}
    commands = {_command(CHECKS[name]) for name in proved}
    open_ = [
        name
        for name, check in WITH_COMMANDS.items()
        if name not in proved and name not in REASONS and _command(check) not in commands
    ]
    assert not open_, "neither proved nor explained: " + ", ".join(open_)


def test_a_reason_is_given_only_for_what_is_not_proved(proofs: dict[str, list[Proof]]) -> None:
    assert not set(REASONS) - set(CHECKS), "there is no such check"
    proved = {name for name, made in proofs.items() if all(proof.held for proof in made)}
    needless = sorted(proved & set(REASONS))
    assert not needless, "it is proved; take the reason away"


def test_enough_was_proved(proofs: dict[str, list[Proof]]) -> None:
    """A lab that plants nothing would prove everything that is left."""
    proved = {name for name, made in proofs.items() if all(proof.held for proof in made)}
    print("\n".join(str(proof) for made in proofs.values() for proof in made))
    assert len(proved) >= 100


@pytest.mark.parametrize("name", [name for name in CHECKS if name not in WITH_COMMANDS])
def test_a_fix_without_a_command_says_in_words_what_a_person_does(name: str) -> None:
    fix = CHECKS[name].fix
    assert len(fix.do.split()) >= 8, "whole sentences: a person must know what to do and to decide"


def _command(check: Check[Any]) -> tuple[str, str]:
    """The commands of a check before their places are filled: equal ones are proved by one proof."""
    snippet = shell_snippet(check)
    assert snippet is not None
    return snippet.do, snippet.undo
