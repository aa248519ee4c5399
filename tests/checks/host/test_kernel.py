"""Protections of the kernel, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.kernel import CoreDumps, MandatoryAccess, PlannedSysctl, SysctlFiles, Sysctls
from checks.facts.host.platform import ContainerEngines, Platform
from checks.facts.snapshot import Fact
from checks.host import kernel
from checks.model import Finding, Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

MACHINE = Platform("", "", virtual=False, container="", cloud="", instance="", region="")
DOCKER = Platform("", "", virtual=True, container="docker", cloud="", instance="", region="")
NONE = ContainerEngines((), ())
GOOD = {setting.name: setting.good[-1] for setting in kernel.SETTINGS}
FAMILIES = {check.id: check for check in kernel.FAMILIES}
BAD = [
    ("host.kernel.aslr", "kernel.randomize_va_space", "1"),
    ("host.kernel.log-reading", "kernel.dmesg_restrict", "0"),
    ("host.kernel.addresses-hidden", "kernel.kptr_restrict", "0"),
    ("host.kernel.ptrace", "kernel.yama.ptrace_scope", "0"),
    ("host.kernel.links", "fs.protected_hardlinks", "0"),
    ("host.kernel.links", "fs.protected_symlinks", "0"),
    ("host.kernel.shared-files", "fs.protected_fifos", "0"),
    ("host.kernel.shared-files", "fs.protected_regular", "0"),
    ("host.kernel.core-dumps", "fs.suid_dumpable", "2"),
    ("host.kernel.bpf", "kernel.unprivileged_bpf_disabled", "0"),
    ("host.kernel.bpf-compiler", "net.core.bpf_jit_harden", "0"),
    ("host.kernel.performance-events", "kernel.perf_event_paranoid", "1"),
    ("host.kernel.performance-events", "kernel.perf_event_paranoid", "-1"),
    ("host.kernel.other-kernels", "kernel.kexec_load_disabled", "0"),
    ("host.kernel.magic-keys", "kernel.sysrq", "1"),
    ("host.kernel.magic-keys", "kernel.sysrq", "438"),
    ("host.kernel.line-disciplines", "dev.tty.ldisc_autoload", "1"),
    ("host.kernel.page-faults", "vm.unprivileged_userfaultfd", "1"),
    ("host.kernel.lowest-address", "vm.mmap_min_addr", "0"),
    ("host.kernel.syn-cookies", "net.ipv4.tcp_syncookies", "0"),
    ("host.kernel.redirects-accepted", "net.ipv6.conf.default.accept_redirects", "1"),
    ("host.kernel.redirects-sent", "net.ipv4.conf.all.send_redirects", "1"),
    ("host.kernel.source-routes", "net.ipv4.conf.default.accept_source_route", "1"),
    ("host.kernel.reverse-path", "net.ipv4.conf.all.rp_filter", "0"),
    ("host.kernel.broadcast-ping", "net.ipv4.icmp_echo_ignore_broadcasts", "0"),
]


def running(**changes: str) -> Sysctls:
    return Sysctls({**GOOD, **changes}, ())


def needed(check: Check[Any], found: Sysctls, platform: Platform = MACHINE) -> list[Fact]:
    return [found, platform] if Platform in check.needs else [found]


@pytest.mark.parametrize("check", checks_of(kernel), ids=lambda check: check.id)
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(("check", "name", "value"), BAD)
def test_a_bad_value_fails(check: str, name: str, value: str) -> None:
    one = FAMILIES[check]
    assert failing(one, *needed(one, running(**{name: value}))) == [name]


@pytest.mark.parametrize("check", FAMILIES)
def test_good_values_pass(check: str) -> None:
    one = FAMILIES[check]
    assert failing(one, *needed(one, running())) == []
    assert check in {one for one, _, _ in BAD}


@pytest.mark.parametrize(
    ("check", "name", "more", "fails"),
    [
        ("redirects-accepted", "net.ipv6.conf.eth0.accept_redirects", {}, True),
        ("redirects-accepted", "net.ipv4.conf.eth0.accept_redirects", {}, True),
        ("redirects-accepted", "net.ipv4.conf.eth0/7.accept_redirects", {}, True),
        ("redirects-accepted", "net.ipv4.conf.eth0.accept_redirects", {"net.ipv4.ip_forward": "1"}, False),
        (
            "redirects-accepted",
            "net.ipv6.conf.eth0.accept_redirects",
            {"net.ipv6.conf.eth0.disable_ipv6": "1"},
            False,
        ),
        (
            "redirects-accepted",
            "net.ipv6.conf.eth0.accept_redirects",
            {"net.ipv6.conf.all.forwarding": "1"},
            False,
        ),
        ("redirects-sent", "net.ipv4.conf.eth0.send_redirects", {}, True),
        ("source-routes", "net.ipv6.conf.eth0.accept_source_route", {}, True),
        ("source-routes", "net.ipv4.conf.eth0.accept_source_route", {}, False),
        ("reverse-path", "net.ipv4.conf.eth0.rp_filter", {}, False),
    ],
)
def test_an_interface_may_go_on_where_all_is_good(
    check: str, name: str, more: dict[str, str], fails: bool
) -> None:
    found = running(**{name: "1", **more})
    assert failing(FAMILIES[f"host.kernel.{check}"], found) == ([name] if fails else [])


def test_an_interface_is_no_news_where_all_is_bad() -> None:
    name = "net.ipv6.conf.all.accept_redirects"
    found = running(**{name: "1", "net.ipv6.conf.eth0.accept_redirects": "1"})
    assert failing(FAMILIES["host.kernel.redirects-accepted"], found) == [name]


def test_a_setting_that_the_kernel_lacks_is_not_applicable() -> None:
    found = Sysctls({}, ("kernel.yama.ptrace_scope",))
    [finding] = judged(FAMILIES["host.kernel.ptrace"], found, MACHINE)
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_a_setting_that_may_not_be_read_is_unknown_and_alone() -> None:
    some = {name: value for name, value in GOOD.items() if name != "fs.protected_hardlinks"}
    found = Sysctls(some, (), ("fs.protected_hardlinks",))
    findings = judged(FAMILIES["host.kernel.links"], found, MACHINE)
    assert outcomes(findings) == {
        "fs.protected_hardlinks": Outcome.UNKNOWN,
        "fs.protected_symlinks": Outcome.PASS,
    }
    assert findings[0].needs == "sudo: cat /proc/sys/fs/protected_hardlinks"
    assert failing(FAMILIES["host.kernel.aslr"], found, MACHINE) == []


@pytest.mark.parametrize("value", ["0", "2"])
def test_a_container_answers_for_its_network_and_not_for_its_kernel(value: str) -> None:
    found = running(**{"kernel.randomize_va_space": value, "net.ipv4.tcp_syncookies": "0"})
    [finding] = judged(FAMILIES["host.kernel.aslr"], found, DOCKER)
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "docker" in finding.reason
    assert failing(FAMILIES["host.kernel.syn-cookies"], found) == ["net.ipv4.tcp_syncookies"]


NAME = "net.ipv4.conf.all.rp_filter"


def persistent(now: str, file: str = "", platform: Platform = MACHINE, **more: Any) -> dict[str, Finding]:
    planned = {NAME: PlannedSysctl(file, "/etc/sysctl.d/a.conf")} if file else {}
    files = SysctlFiles(planned, more.pop("built_in", {}), **more)
    found = judged(kernel.persistent, running(**{NAME: now}), files, platform)
    return {finding.on: finding for finding in found}


@pytest.mark.parametrize(
    ("now", "file", "outcome", "good"),
    [
        ("1", "1", Outcome.PASS, ""),
        ("2", "1", Outcome.PASS, ""),
        ("0", "0", Outcome.PASS, ""),
        ("1", "0", Outcome.FAIL, "1"),
        ("1", "", Outcome.FAIL, "1"),
        ("0", "2", Outcome.FAIL, "2"),
    ],
)
def test_what_runs_and_what_the_next_boot_brings_agree(
    now: str, file: str, outcome: Outcome, good: str
) -> None:
    found = persistent(now, file)[NAME]
    assert found.outcome is outcome
    if good:
        assert f"value={good}" in found.fix.snippets[0].do
        assert f"before={now}" in found.fix.snippets[0].undo
        assert found.fix_key == "sysctl:hardening"


def test_the_file_that_decides_is_named() -> None:
    assert "/etc/sysctl.d/a.conf" in persistent("1", "0")[NAME].saw
    assert "no file sets it" in persistent("1")[NAME].saw


def test_a_bad_value_that_no_file_sets_is_not_about_files() -> None:
    assert NAME not in persistent("0")


def test_a_default_that_depends_on_how_the_kernel_was_built_is_only_judged_where_it_is_known() -> None:
    name = "kernel.dmesg_restrict"
    assert name not in persistent("0")
    assert persistent("0", built_in={name: "1"})[name].outcome is Outcome.PASS
    assert persistent("0", built_in={name: "0"})[name].outcome is Outcome.FAIL
    assert "no file sets it" in persistent("0", built_in={name: "0"})[name].saw


def test_a_file_that_may_not_be_read_hides_what_no_other_file_sets() -> None:
    hidden = persistent("1", unread=("/etc/sysctl.d/secret.conf",))[NAME]
    assert (hidden.outcome, hidden.needs) == (Outcome.UNKNOWN, "sudo: cat /etc/sysctl.d/secret.conf")


def test_a_hidden_file_may_come_last_and_change_what_another_sets() -> None:
    hidden = persistent("1", "1", unread=("/etc/sysctl.d/secret.conf",))[NAME]
    assert hidden.outcome is Outcome.UNKNOWN


def test_nothing_loads_the_files_of_a_container() -> None:
    assert outcomes(persistent("1", "0", DOCKER).values()) == {
        "settings of the kernel": Outcome.NOT_APPLICABLE
    }


@pytest.mark.parametrize(
    ("values", "on", "outcome"),
    [
        ({"user.max_user_namespaces": "0"}, "user.max_user_namespaces", Outcome.PASS),
        ({"user.max_user_namespaces": "63556"}, "user.max_user_namespaces", Outcome.FAIL),
        (
            {"kernel.unprivileged_userns_clone": "1", "user.max_user_namespaces": "63556"},
            "kernel.unprivileged_userns_clone",
            Outcome.FAIL,
        ),
        (
            {"kernel.unprivileged_userns_clone": "0", "user.max_user_namespaces": "63556"},
            "kernel.unprivileged_userns_clone",
            Outcome.PASS,
        ),
        (
            {"kernel.apparmor_restrict_unprivileged_userns": "1", "user.max_user_namespaces": "63556"},
            "kernel.apparmor_restrict_unprivileged_userns",
            Outcome.PASS,
        ),
        ({}, "user namespaces", Outcome.UNKNOWN),
    ],
)
def test_user_namespaces(values: dict[str, str], on: str, outcome: Outcome) -> None:
    [finding] = judged(kernel.user_namespaces, Sysctls(values, ()), NONE, MACHINE)
    assert (finding.on, finding.outcome) == (on, outcome)


def test_user_namespaces_weigh_less_where_containers_use_them() -> None:
    found = Sysctls({"user.max_user_namespaces": "63556"}, ())
    [alone] = judged(kernel.user_namespaces, found, NONE, MACHINE)
    [shared] = judged(kernel.user_namespaces, found, ContainerEngines(("podman",), ()), MACHINE)
    [inside] = judged(kernel.user_namespaces, found, NONE, DOCKER)
    assert (alone.severity, shared.severity) == (Severity.LOW, Severity.INFO)
    assert inside.outcome is Outcome.NOT_APPLICABLE
    assert alone.fix_key == "sysctl:user-namespaces"


def test_forwarding_that_a_program_switched_on_is_not_about_files() -> None:
    name = "net.ipv4.ip_forward"
    planned = {name: PlannedSysctl("0", "/etc/sysctl.d/a.conf")}
    on = judged(kernel.persistent, running(**{name: "1"}), SysctlFiles(planned, {}), MACHINE)
    assert name not in outcomes(on)
    later = {name: PlannedSysctl("1", "/etc/sysctl.d/a.conf")}
    off = judged(kernel.persistent, running(**{name: "0"}), SysctlFiles(later, {}), MACHINE)
    assert outcomes(off)[name] is Outcome.FAIL


@pytest.mark.parametrize(
    ("fact", "outcome"),
    [
        (CoreDumps("0", "", ""), Outcome.PASS),
        (CoreDumps("", "", ""), Outcome.FAIL),
        (CoreDumps("unlimited", "", ""), Outcome.FAIL),
        (CoreDumps("", "none", "systemd-coredump"), Outcome.PASS),
        (CoreDumps("", "external", "systemd-coredump"), Outcome.FAIL),
        (CoreDumps("", "none", ""), Outcome.FAIL),
        (CoreDumps("", "none", "apport"), Outcome.FAIL),
        (CoreDumps("", "", "false"), Outcome.PASS),
    ],
)
def test_core_limit(fact: CoreDumps, outcome: Outcome) -> None:
    [finding] = judged(kernel.core_limit, fact)
    assert finding.outcome is outcome


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
