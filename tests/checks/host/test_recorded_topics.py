"""Files, audit, logs, integrity and certificates of the recorded hosts: from the answer to the finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from baselines.evaluate import evaluate
from baselines.resolve import Demand, needs
from checks.host import audit, certificates, files, integrity, logging
from checks.model import Finding, Kind, Outcome, Target
from scanner.collect.host.collect import parse_output
from tests.checks.host.judging import NOW, checks_of

RECORDINGS = Path(__file__).parents[2] / "recordings" / "host"
DEMANDS = tuple(
    Demand(one, {name: o.default for name, o in one.options.items()}, one.severity, {}, "test", "level-1")
    for one in checks_of(files, audit, logging, integrity, certificates)
)


def findings(name: str) -> tuple[Finding, ...]:
    target = Target(Kind.HOST, name, f"ssh://{name}")
    output = (RECORDINGS / f"{name}.txt").read_bytes()
    seen = parse_output(target, needs(DEMANDS, Kind.HOST), output, "2026-11-23T11:00:00Z")
    return evaluate(DEMANDS, seen, now=NOW)


def by(outcome: Outcome, name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in findings(name):
        if one.outcome is outcome:
            found.setdefault(one.check.removeprefix("host."), set()).add(one.on)
    return found


@pytest.mark.parametrize("name", sorted(file.stem for file in RECORDINGS.glob("*.txt")))
def test_every_check_answers_and_none_stops(name: str) -> None:
    found = findings(name)
    assert {one.check for one in found} == {demand.check.id for demand in DEMANDS}
    assert not [one for one in found if one.outcome is Outcome.ERROR]


def test_what_was_planted_on_ubuntu() -> None:
    failed = by(Outcome.FAIL, "ubuntu-24.04")
    assert failed["files.unowned"] == {"/home/gone", "/opt/tool/data"}
    assert failed["files.suid-unknown"] == {"/usr/bin/find", "/opt/tool/helper"}
    assert failed["files.suid-shell"] == {"/usr/bin/find"}
    assert failed["files.capabilities"] == {"/usr/local/bin/python3.12"}
    assert failed["files.private-keys"] == {"/etc/nginx/old.key"}
    assert failed["integrity.programs"] == {"/usr/sbin/sshd"}
    assert failed["certificates.expiry"] == {"/etc/letsencrypt/live/shop.example/fullchain.pem"}
    assert failed["certificates.strength"] == {"/etc/ssl/certs/old.pem"}
    assert len(failed["certificates.added-authorities"]) == 1
    assert failed["audit.boot"] == {"audit_backlog_limit"}
    assert failed["audit.immutable"] == {"-e"}
    passed = by(Outcome.PASS, "ubuntu-24.04")
    assert {"audit.identity", "audit.time", "audit.loaded", "logging.rotation", "logging.recent"} <= set(
        passed
    )


def test_a_rhel_that_records_no_call() -> None:
    failed = by(Outcome.FAIL, "rhel-9")
    assert {"audit.time", "audit.identity", "audit.deletions"} <= set(failed)
    assert "audit.loaded" in by(Outcome.PASS, "rhel-9")
    assert not {"files.suid-unknown", "files.capabilities", "integrity.programs"} & set(failed)
    unknown = by(Outcome.UNKNOWN, "rhel-9")
    # The search was stopped, so what it found passes for nothing.
    assert {"files.suid-unknown", "files.suid-shell", "files.unowned", "integrity.tool"} <= set(unknown)


def test_a_debian_without_an_audit_daemon_has_one_finding_about_it() -> None:
    names = {one for one in by(Outcome.FAIL, "debian-12") if one.startswith("audit.")}
    absent = {one for one in by(Outcome.NOT_APPLICABLE, "debian-12") if one.startswith("audit.")}
    assert names <= {"audit.daemon"}
    assert {"audit.identity", "audit.loaded", "audit.immutable", "audit.full-disk", "audit.boot"} <= absent


def test_an_ordinary_login_is_told_what_it_could_not_see() -> None:
    unknown = by(Outcome.UNKNOWN, "alpine-3.20")
    assert unknown["files.private-keys"] == {"", "/etc/nginx/site.key"}
    assert {"files.capabilities", "files.suid-unknown", "files.unowned"} <= set(unknown)
    assert unknown["integrity.programs"] == {"/bin/bbsuid"}
    assert unknown["certificates.expiry"] == {"/etc/letsencrypt/live"}
