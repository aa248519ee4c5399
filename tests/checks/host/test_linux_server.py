"""The whole way of a host: recorded output, snapshot, baseline, findings."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from baselines.evaluate import evaluate
from baselines.resolve import needs
from checks.catalogue import load
from checks.check import Check
from checks.facts.host.sshd import Sshd
from checks.facts.snapshot import Fact
from checks.fix import Language
from checks.model import Kind, Outcome, Target
from scanner.collect.collector import Context
from scanner.collect.host.collect import PROBES, collect
from tests.checks.host.judging import NOW
from tests.lab.ssh import running_sshd
from tests.recordings.judged import NAMES, demands, findings, pinned, table, text

CATALOGUE = load()
CHECKS: list[Check[Any]] = [one for one in CATALOGUE.checks.values() if one.kind is Kind.HOST]
FACTS: frozenset[type[Fact]] = frozenset(fact for probe in PROBES for fact in probe.facts)
FRAME = re.compile(rb"(?ms)^(#[0-9a-f]{32}) begin ([a-z-]+)$.*?^\1 end \2 \d+\n")


def failed(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in findings(name):
        if finding.outcome is Outcome.FAIL:
            found.setdefault(finding.check, []).append(finding.on)
    return found


def test_the_baseline_demands_every_host_check_once() -> None:
    assert {demand.check.id for demand in demands("level-2")} == {check.id for check in CHECKS}
    assert len(demands("level-1")) < len(demands("level-2"))


def test_every_fact_that_is_needed_is_collected() -> None:
    assert needs(demands("level-2"), Kind.HOST) <= FACTS


@pytest.mark.parametrize("name", NAMES)
def test_no_check_stops_and_each_answers(name: str) -> None:
    found = findings(name)
    assert Counter(finding.outcome for finding in found)[Outcome.ERROR] == 0
    assert {finding.check for finding in found} == {check.id for check in CHECKS}


@pytest.mark.parametrize("name", NAMES)
def test_the_verdicts_are_those_that_were_reviewed(name: str) -> None:
    """After a change on purpose `python -m tests.recordings.judged` writes the table anew."""
    assert table(name) == pinned()[name]


def test_every_recording_has_its_verdicts() -> None:
    assert set(pinned()) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_passes_shows_what_it_rests_on(name: str) -> None:
    for finding in findings(name):
        if finding.outcome is Outcome.PASS:
            assert finding.evidence, finding.check


@pytest.mark.parametrize("name", NAMES)
def test_a_host_that_tells_nothing_is_never_green(name: str) -> None:
    silent = FRAME.sub(b"", text(name))
    assert len(silent) < 200
    assert {finding.outcome for finding in findings(name, output=silent)} == {Outcome.UNKNOWN}


@pytest.mark.parametrize("name", NAMES)
def test_a_host_that_refuses_every_question_is_never_green(name: str) -> None:
    refused = re.sub(rb"(?m)^(#[0-9a-f]{32} end [a-z-]+) \d+$", rb"\1 126", text(name))
    assert {finding.outcome for finding in findings(name, output=refused)} == {Outcome.UNKNOWN}


def test_what_was_planted_on_ubuntu_is_found() -> None:
    found = failed("ubuntu-24.04")
    assert found["host.ssh.root-login"] == [
        "PermitRootLogin",
        "PermitRootLogin (port 2222)",
        "PermitRootLogin in Match Address 10.0.0.0/8",
    ]
    assert found["host.ssh.password-auth"] == ["PasswordAuthentication in Match Address 10.0.0.0/8"]
    assert found["host.ssh-crypto.ciphers"] == ["Ciphers (port 2222)"]
    assert found["host.accounts.uid-zero"] == ["backdoor"]
    assert found["host.accounts.empty-password"] == ["backdoor"]
    assert found["host.accounts.password-outside-shadow"] == ["old"]
    assert found["host.accounts.password-hash"] == ["appsvc"]
    assert found["host.accounts.system-shells"] == ["appsvc", "postgres"]
    assert found["host.sudo.no-password"] == [
        "OPS in /etc/sudoers",
        "ubuntu in /etc/sudoers.d/90-cloud-init-users",
    ]
    assert found["host.sudo.authenticate"] == ["Defaults:deploy in /etc/sudoers"]
    assert found["host.patch.security-updates"] == ["security updates"]
    assert found["host.patch.held-packages"] == ["openssl"]
    assert found["host.patch.reboot"] == ["kernel"]
    assert found["host.firewall.default-drop"] == ["IPv6"]
    assert found["host.services.plaintext-logins"] == ["tcp/23 on *"]
    assert found["host.services.open-stores"] == ["tcp/6379"]
    assert found["host.files.accounts"] == ["/etc/passwd"]
    assert found["host.files.world-writable"] == ["/srv/app/config.php"]
    assert found["host.files.shared-folders"] == ["/srv/drop"]
    assert "host.patch.os-supported" not in found
    assert "host.services.time-sync" not in found
    assert "host.kernel.mandatory-access" not in found


def test_a_careful_rhel_fails_only_where_it_is_wrong() -> None:
    found = failed("rhel-9")
    guarded = ("host.ssh.", "host.ssh-crypto", "host.firewall.", "host.accounts")
    assert not [check for check in found if check.startswith(guarded)]
    assert found["host.kernel.mandatory-access"] == ["mandatory access control"]
    assert found["host.sudo.no-password"] == ["scan in /etc/sudoers.d/scan"]
    assert found["host.patch.security-updates"] == ["security updates"]
    assert "host.patch.reboot" not in found


def test_a_suse_with_its_own_ways_and_what_was_planted_on_it() -> None:
    found = failed("opensuse-leap-15.6")
    assert found["host.patch.os-supported"] == ["operating system"]
    assert found["host.patch.security-updates"] == ["security updates"]
    assert found["host.sources.verified"] == found["host.sources.encrypted"] == ["erp"]
    assert found["host.ssh.root-login"] == ["PermitRootLogin"]
    assert found["host.sudo.no-password"] == ["backup in /etc/sudoers.d/backup"]
    assert found["host.sudo-rules.shell-escape"] == ["backup in /etc/sudoers.d/backup"]
    assert found["host.sudo-rules.everything"] == ["ALL"]
    assert found["host.scheduled.root-programs"] == ["/srv/erp/bin/export.sh in /etc/cron.d/erp"]
    assert found["host.shares.nfs-exports"] == ["/srv/images to *"]
    assert found["host.shares.samba-guests"] == ["[transfer]"]
    assert found["host.shares.samba-protocol"] == ["server min protocol"]
    assert found["host.secrets.history"] == ["/root/.bash_history"]
    assert found["host.secrets.application-files"] == ["/srv/erp/.env"]
    assert found["host.files.suid-unknown"] == ["/srv/erp/bin/erp-print"]
    assert found["host.files.world-writable"] == ["/srv/transfer/orders.csv"]
    assert found["host.upkeep.stale-programs"] == ["mariadbd"]
    guarded = ("host.firewall.", "host.mandatory-access", "host.logging.r", "host.pam.null")
    bad = [check for check in found if check.startswith(guarded)]
    # Its log goes to another host, but in the clear.
    assert bad == ["host.logging.remote"]
    assert "host.services.time-sync" not in found
    assert "host.kernel.mandatory-access" not in found
    assert "host.patch.reboot" not in found
    passed = {one.check for one in findings("opensuse-leap-15.6") if one.outcome is Outcome.PASS}
    assert {
        "host.firewall.active",
        "host.firewall.default-drop",
        "host.kernel.mandatory-access",
        "host.services.time-sync",
        "host.audit.daemon",
        "host.accounts.empty-password",
        "host.integrity.programs",
    } <= passed


def test_an_ordinary_login_is_told_what_it_could_not_see() -> None:
    found = findings("alpine-3.20")
    unknown = {finding.check: finding for finding in found if finding.outcome is Outcome.UNKNOWN}
    for check in ("host.ssh.root-login", "host.firewall.active", "host.accounts.empty-password"):
        assert unknown[check].needs.startswith("sudo: ")
    assert "host.patch.security-updates" in unknown
    passed = {finding.check for finding in found if finding.outcome is Outcome.PASS}
    assert not passed & {"host.ssh.root-login", "host.firewall.active", "host.files.world-writable"}


def test_the_evidence_shows_the_line_that_decided() -> None:
    [bad] = [f for f in findings("ubuntu-24.04") if f.on == "PermitRootLogin in Match Address 10.0.0.0/8"]
    assert [one.excerpt for one in bad.evidence] == ["[1.1] permitrootlogin yes"]
    assert bad.evidence[0].how.startswith("sshd -T")
    [cipher] = [f for f in findings("ubuntu-24.04") if f.on == "Ciphers (port 2222)"]
    assert cipher.evidence[0].excerpt.startswith("[2] ciphers ")
    assert cipher.port == "tcp/2222"


class _Unsafe(yaml.SafeLoader):
    """Reads `!unsafe` as Ansible does: as the plain text."""


def _text(loader: yaml.SafeLoader, node: yaml.Node) -> str:
    assert isinstance(node, yaml.ScalarNode)
    return str(loader.construct_scalar(node))


_Unsafe.add_constructor("!unsafe", _text)


@pytest.mark.parametrize("name", NAMES)
def test_every_snippet_of_a_failure_is_of_its_language(name: str) -> None:
    bad = [finding for finding in findings(name) if finding.outcome is Outcome.FAIL]
    scripts = {finding.fix.verify for finding in bad}
    for finding in bad:
        for snippet in finding.fix.snippets:
            if snippet.language is Language.SHELL:
                scripts |= {snippet.do, snippet.undo}
            else:
                assert snippet.language is Language.ANSIBLE
                for task in yaml.load(snippet.do, _Unsafe):
                    assert "name" in task
    for script in scripts:
        done = subprocess.run(["sh", "-n"], input=script.encode(), capture_output=True, check=False)
        assert done.returncode == 0, (script, done.stderr)


@pytest.mark.real
def test_the_fix_of_an_ssh_option_is_in_force_and_can_be_undone(tmp_path: Path) -> None:
    with running_sshd(tmp_path, "PermitRootLogin yes\n") as server:
        seen = collect(
            Target(Kind.HOST, "web-1", "ssh://web-1"), frozenset({Sshd}), server.access(), Context()
        )
        on = f"PermitRootLogin (port {server.port})"
        [bad] = [f for f in evaluate(demands("level-1"), seen, now=NOW) if f.on == on]
        assert bad.outcome is Outcome.FAIL
        snippet = bad.fix.snippets[0]

        def in_force() -> str:
            done = subprocess.run(["sh", "-c", bad.fix.verify], capture_output=True, text=True, check=True)
            return done.stdout.strip()

        before = server.config.read_text()
        assert in_force() == "permitrootlogin yes"
        subprocess.run(["sh", "-c", snippet.do], check=True, capture_output=True)
        assert in_force() == "permitrootlogin no"
        subprocess.run(["sh", "-c", snippet.undo], check=True, capture_output=True)
        assert server.config.read_text() == before


def test_the_same_weakness_has_the_same_id_next_time() -> None:
    assert [f.id for f in findings("ubuntu-24.04")] == [f.id for f in findings("ubuntu-24.04")]
