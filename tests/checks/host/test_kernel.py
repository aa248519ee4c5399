"""Protections of the kernel, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.kernel import MandatoryAccess, Sysctls
from checks.host import kernel
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

GOOD = {setting.name: setting.good[-1] for setting in kernel.SETTINGS}
FAMILIES = {check.id: check for check in kernel.FAMILIES}
BAD = [
    ("host.kernel.aslr", "kernel.randomize_va_space", "1"),
    ("host.kernel.log-reading", "kernel.dmesg_restrict", "0"),
    ("host.kernel.addresses-hidden", "kernel.kptr_restrict", "0"),
    ("host.kernel.ptrace", "kernel.yama.ptrace_scope", "0"),
    ("host.kernel.links", "fs.protected_hardlinks", "0"),
    ("host.kernel.links", "fs.protected_symlinks", "0"),
    ("host.kernel.core-dumps", "fs.suid_dumpable", "2"),
    ("host.kernel.bpf", "kernel.unprivileged_bpf_disabled", "0"),
    ("host.kernel.syn-cookies", "net.ipv4.tcp_syncookies", "0"),
    ("host.kernel.redirects-accepted", "net.ipv6.conf.default.accept_redirects", "1"),
    ("host.kernel.redirects-sent", "net.ipv4.conf.all.send_redirects", "1"),
    ("host.kernel.source-routes", "net.ipv4.conf.default.accept_source_route", "1"),
    ("host.kernel.reverse-path", "net.ipv4.conf.all.rp_filter", "0"),
    ("host.kernel.broadcast-ping", "net.ipv4.icmp_echo_ignore_broadcasts", "0"),
]


def running(**changes: str) -> Sysctls:
    return Sysctls({**GOOD, **{name: value for name, value in changes.items() if value}}, ())


@pytest.mark.parametrize("check", checks_of(kernel))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(("check", "name", "value"), BAD)
def test_a_bad_value_fails(check: str, name: str, value: str) -> None:
    assert failing(FAMILIES[check], running(**{name: value})) == [name]


@pytest.mark.parametrize("check", FAMILIES)
def test_good_values_pass(check: str) -> None:
    assert failing(FAMILIES[check], running()) == []
    assert check in {one for one, _, _ in BAD}


def test_a_setting_that_the_kernel_lacks_is_not_applicable() -> None:
    found = Sysctls({}, ("kernel.yama.ptrace_scope",))
    [finding] = judged(FAMILIES["host.kernel.ptrace"], found)
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_a_setting_that_may_not_be_read_is_unknown_and_alone() -> None:
    some = {name: value for name, value in GOOD.items() if name != "fs.protected_hardlinks"}
    found = Sysctls(some, (), ("fs.protected_hardlinks",))
    findings = judged(FAMILIES["host.kernel.links"], found)
    assert outcomes(findings) == {
        "fs.protected_hardlinks": Outcome.UNKNOWN,
        "fs.protected_symlinks": Outcome.PASS,
    }
    assert findings[0].needs == "sudo: cat /proc/sys/fs/protected_hardlinks"
    assert failing(FAMILIES["host.kernel.aslr"], found) == []


@pytest.mark.parametrize(
    ("fact", "outcome"),
    [
        (MandatoryAccess("enabled", "absent", "", ""), Outcome.PASS),
        (MandatoryAccess("absent", "enforcing", "enforcing", ""), Outcome.PASS),
        (MandatoryAccess("disabled", "absent", "", ""), Outcome.FAIL),
        (MandatoryAccess("absent", "permissive", "enforcing", ""), Outcome.FAIL),
        (MandatoryAccess("absent", "enforcing", "permissive", ""), Outcome.FAIL),
        (MandatoryAccess("absent", "absent", "", "docker"), Outcome.UNKNOWN),
        (MandatoryAccess("enabled", "absent", "", "docker"), Outcome.PASS),
    ],
)
def test_mandatory_access(fact: MandatoryAccess, outcome: Outcome) -> None:
    [finding] = judged(kernel.mandatory_access, fact)
    assert finding.outcome is outcome
