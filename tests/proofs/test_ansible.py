"""Every Ansible snippet runs on a real host: the dry run changes nothing, the real run repairs.

Of snippets that differ only by the values in their places one is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from checks.fix import Language
from checks.model import Finding, Outcome
from tests.lab.hosts import lab
from tests.lab.planted import bad_host
from tests.proofs.ansible import Task, run_playbook
from tests.proofs.proving import Key, chosen_of, facts, host_checks, judged, outcome, snippet_in

pytestmark = pytest.mark.real

_NOT_BOOTED = "it starts or reloads a unit, and a test host is not booted with systemd"
_NO_MIRROR = "it fetches from a mirror, and the test hosts have no way to one"
_ATTRIBUTES = "Ansible copies the attributes of the old file, which the host's filesystem in memory refuses"

REASONS: Mapping[str, str] = {
    "host.audit.daemon": _NOT_BOOTED,
    "host.filesystems.shm-options": _ATTRIBUTES,
    "host.filesystems.tmp-options": _ATTRIBUTES,
    "host.filesystems.tmp-separate": _ATTRIBUTES,
    "host.filesystems.var-tmp-options": _ATTRIBUTES,
    "host.integrity.malware-scanner": _NO_MIRROR,
    "host.logging.daemon": _NOT_BOOTED,
    "host.pam.su-restrict": _ATTRIBUTES,
    "host.password-ageing.default-inactive": _ATTRIBUTES,
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
    """The findings of the bad host before, after the dry run and after the real run, and the tasks."""

    before: Mapping[Key, Finding]
    dry: Mapping[Key, Finding]
    after: Mapping[Key, Finding]
    dry_tasks: list[Task]
    tasks: list[Task]


@pytest.fixture(scope="module")
def runs() -> Runs:
    checks = host_checks()
    with lab() as net:
        host = bad_host(net)
        before = judged(host.look(facts()))
        templates: set[str] = set()
        chosen = []
        for key, finding in chosen_of(before, Language.ANSIBLE):
            snippet = snippet_in(checks[key[0]].fix.snippets, Language.ANSIBLE)
            assert snippet is not None
            if snippet.do not in templates:
                templates.add(snippet.do)
                chosen.append((key, finding))
        dry_tasks = run_playbook(host, chosen, check=True)
        dry = judged(host.look(facts()))
        tasks = run_playbook(host, chosen, check=False)
        return Runs(before, dry, judged(host.look(facts())), dry_tasks, tasks)


def test_the_dry_run_changes_nothing(runs: Runs) -> None:
    changed = [
        key
        for key, one in runs.before.items()
        if one.outcome is Outcome.FAIL and outcome(runs.dry, key) == "pass"
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
