"""Every Ansible snippet runs on a real host: the dry run changes nothing, the real run repairs.

Of snippets that differ only by the values in their places one is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from checks.fix import Language
from checks.model import Finding, Outcome
from tests.lab.hosts import Host, lab
from tests.lab.planted import bad_host
from tests.proofs.ansible import Task, run_playbook
from tests.proofs.proving import Key, chosen_of, facts, host_checks, judged, outcome, snippet_in

pytestmark = pytest.mark.real

_NOT_BOOTED = "it starts or reloads a unit, and a test host is not booted with systemd"
_NO_MIRROR = "it fetches from a mirror, and the test hosts have no way to one"

REASONS: Mapping[str, str] = {
    "host.audit.daemon": _NOT_BOOTED,
    "host.integrity.malware-scanner": _NO_MIRROR,
    "host.integrity.tool": "it installs the tool; its first database takes minutes, and a person starts that",
    "host.logging.daemon": _NOT_BOOTED,
    "host.patch.security-updates": _NO_MIRROR,
    "host.ssh-server.running-configuration": _NOT_BOOTED,
    "host.ssh-server.strict-modes": _NOT_BOOTED,
    "host.unwanted-services.rsync": _NOT_BOOTED,
    "host.unwanted-services.snmp": _NOT_BOOTED,
    "host.upkeep.automatic-updates": "it passes only after the programs have run, a day later",
}
"""Why the Ansible snippet of a check is not proved on a test host."""


@dataclass(frozen=True)
class Runs:
    """The findings of a bad host before and after its run, and the tasks; of the dry run, then the real."""

    dry_before: Mapping[Key, Finding]
    dry_after: Mapping[Key, Finding]
    dry_tasks: list[Task]
    before: Mapping[Key, Finding]
    after: Mapping[Key, Finding]
    tasks: list[Task]


@pytest.fixture(scope="module")
def runs() -> Runs:
    with lab() as net, ThreadPoolExecutor(2) as pool:
        # Each run has a host of its own, so that both go on at once.
        dry, real = (pool.submit(_run, bad_host(net, name=f"bad-{dry}"), dry) for dry in (True, False))
        return Runs(*dry.result(), *real.result())


def _run(host: Host, dry: bool) -> tuple[Mapping[Key, Finding], Mapping[Key, Finding], list[Task]]:
    checks = host_checks()
    before = judged(host.look(facts()))
    chosen: dict[str, tuple[Key, Finding]] = {}
    for key, finding in chosen_of(before, Language.ANSIBLE):
        snippet = snippet_in(checks[key[0]].fix.snippets, Language.ANSIBLE)
        assert snippet is not None
        chosen.setdefault(snippet.do, (key, finding))
    tasks = run_playbook(host, chosen.values(), check=dry)
    return before, judged(host.look(facts())), tasks


def test_the_dry_run_changes_nothing(runs: Runs) -> None:
    changed = [
        key
        for key, one in runs.dry_before.items()
        if one.outcome is Outcome.FAIL and outcome(runs.dry_after, key) == "pass"
    ]
    assert not changed


def test_the_dry_run_of_a_snippet_does_not_fail(runs: Runs) -> None:
    failed = [
        f"{one.check}: {one.message}" for one in runs.dry_tasks if one.failed and one.check not in REASONS
    ]
    assert not failed, "\n".join(failed)


def test_what_ansible_repairs_passes(runs: Runs) -> None:
    broken = [
        f"{one.check} on {one.on}: {outcome(runs.after, (one.check, one.on))} {one.message}"
        for one in runs.tasks
        if one.check not in REASONS and outcome(runs.after, (one.check, one.on)) != "pass"
    ]
    assert not broken, "\n".join(broken)


def test_enough_was_run(runs: Runs) -> None:
    assert len(runs.tasks) >= 25
