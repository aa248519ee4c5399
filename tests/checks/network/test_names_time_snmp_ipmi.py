from __future__ import annotations

import pytest

from checks.facts.network import OUTSIDE, OpenPort
from checks.facts.network.controllers import (
    IpmiCipherSuites,
    IpmiController,
    IpmiControllers,
    IpmiSuites,
)
from checks.facts.network.names import (
    DnsServer,
    DnsServers,
    DnsTransfer,
    DnsTransfers,
    MailDomain,
    MailDomains,
)
from checks.facts.network.snmp import SnmpServer, SnmpServers
from checks.facts.network.time import NtpServer, NtpServers
from checks.facts.snapshot import Fact, Gap
from checks.model import Outcome
from tests.checks.network.judging import (
    cannot_know,
    filled,
    judge,
    open_ports,
    outcomes,
    udp_answers,
)


def dns(*, recursion: bool = False, version: str = "") -> DnsServers:
    return DnsServers((DnsServer("udp/53", recursion, "recursion available, no error", version),))


def transfer(*, given: bool) -> DnsTransfers:
    said = "6 records" if given else "refused"
    return DnsTransfers((DnsTransfer("tcp/53", "lab.test", given, 6 if given else 0, said),))


def domain(spf: tuple[str, ...] = (), dmarc: tuple[str, ...] = ()) -> MailDomains:
    return MailDomains((MailDomain("udp/53", "lab.test", spf, dmarc),))


@pytest.mark.parametrize(
    ("records", "outcome"),
    [
        ((), Outcome.FAIL),
        (("v=spf1 mx -all",), Outcome.PASS),
        (("v=spf1 ~all ",), Outcome.PASS),
        (("v=spf1 redirect=_spf.lab.test",), Outcome.PASS),
        (("v=spf1 +all",), Outcome.FAIL),
        (("v=spf1 ?all",), Outcome.FAIL),
        (("v=spf1 all",), Outcome.FAIL),
        (("v=spf1 mx",), Outcome.FAIL),
        (("v=spf1 -all", "v=spf1 mx -all"), Outcome.FAIL),
    ],
)
def test_an_spf_record_counts_where_it_says_no_to_others(records: tuple[str, ...], outcome: Outcome) -> None:
    [finding] = judge("network.mail-names.spf", domain(spf=records))
    assert (finding.outcome, finding.on) == (outcome, "lab.test SPF")
    if outcome is Outcome.FAIL:
        filled("network.mail-names.spf", finding)


@pytest.mark.parametrize(
    ("records", "outcome"),
    [
        ((), Outcome.FAIL),
        (("v=DMARC1; p=reject; rua=mailto:a@lab.test",), Outcome.PASS),
        (("v=DMARC1;p = Quarantine",), Outcome.PASS),
        (("v=DMARC1; sp=reject; p=none",), Outcome.FAIL),
        (("v=DMARC1; sp=reject",), Outcome.FAIL),
        (("v=DMARC1; p=reject", "v=DMARC1; p=reject"), Outcome.FAIL),
    ],
)
def test_a_dmarc_record_counts_with_a_policy(records: tuple[str, ...], outcome: Outcome) -> None:
    [finding] = judge("network.mail-names.dmarc", domain(dmarc=records))
    assert (finding.outcome, finding.on) == (outcome, "lab.test DMARC")
    if outcome is Outcome.FAIL:
        filled("network.mail-names.dmarc", finding)


@pytest.mark.parametrize("check", ["network.mail-names.spf", "network.mail-names.dmarc"])
def test_mail_without_own_domains_is_not_judged_and_a_gap_is_unknown(check: str) -> None:
    assert outcomes(judge(check, MailDomains(()))) == {"": Outcome.NOT_APPLICABLE}
    cannot_know(check, MailDomains)


def snmp(*communities: str, versions: tuple[str, ...] = ("v2c",)) -> SnmpServers:
    refused = tuple(c for c in ("public", "private") if c not in communities)
    return SnmpServers((SnmpServer("udp/161", communities, refused, versions, "Linux"),))


def ntp(*, control: bool = False, monlist: bool = False) -> NtpServers:
    return NtpServers((NtpServer("udp/123", 4, 2, control, monlist, "version=x" if control else ""),))


def controller(*ways: str, anonymous: bool = False, null_user: bool = False) -> IpmiControllers:
    return IpmiControllers((IpmiController("udp/623", ("2.0",), ways, anonymous, null_user),))


def suites(*numbers: int) -> IpmiCipherSuites:
    return IpmiCipherSuites((IpmiSuites("udp/623", numbers),))


CASES = [
    ("network.dns.version-disclosure", dns(version="9.18.1"), dns(version="none"), "udp/53"),
    ("network.dns.zone-transfer", transfer(given=True), transfer(given=False), "tcp/53 lab.test"),
    ("network.snmp.default-community-read", snmp("private"), snmp(versions=("v3",)), "udp/161"),
    ("network.ntp.monlist", ntp(monlist=True), ntp(), "udp/123"),
    ("network.ntp.control-queries", ntp(control=True), ntp(), "udp/123"),
    ("network.ipmi.anonymous-login", controller("none"), controller("md5"), "udp/623"),
    ("network.ipmi.anonymous-login", controller(anonymous=True), controller("md5"), "udp/623"),
    ("network.ipmi.anonymous-login", controller(null_user=True), controller("md5"), "udp/623"),
    ("network.ipmi.cipher-zero", suites(0, 3), suites(3, 17), "udp/623"),
]
USUAL = {
    "network.dns.recursion": (53, "dns", DnsServers(())),
    "network.dns.version-disclosure": (53, "dns", DnsServers(())),
    "network.dns.zone-transfer": (53, "dns", DnsTransfers(())),
    "network.snmp.default-community-read": (161, "snmp", SnmpServers(())),
    "network.snmp.default-community-write": (161, "snmp", SnmpServers(())),
    "network.snmp.version": (161, "snmp", SnmpServers(())),
    "network.ntp.monlist": (123, "ntp", NtpServers(())),
    "network.ntp.control-queries": (123, "ntp", NtpServers(())),
    "network.ipmi.anonymous-login": (623, "ipmi", IpmiControllers(())),
    "network.ipmi.cipher-zero": (623, "ipmi", IpmiCipherSuites(())),
}


@pytest.mark.parametrize(("check", "failing", "passing", "on"), CASES)
def test_each_check_fails_passes_and_does_not_know(check: str, failing: Fact, passing: Fact, on: str) -> None:
    number = USUAL[check][0]
    ports = open_ports(OpenPort(number, "udp", USUAL[check][1]))
    hold_by_usual(check, failing, passing, on, ports, udp_answers(opened=(number,)))


def hold_by_usual(check: str, failing: Fact, passing: Fact, on: str, *more: Fact) -> None:
    [finding] = [f for f in judge(check, failing, *more) if f.outcome is Outcome.FAIL]
    assert (finding.on, bool(finding.saw), bool(finding.want)) == (on, True, True)
    filled(check, finding)
    assert outcomes(judge(check, passing, *more)) == {on: Outcome.PASS}


@pytest.mark.parametrize(("check", "usual"), USUAL.items())
def test_the_usual_port_passes_only_on_evidence(check: str, usual: tuple[int, str, Fact]) -> None:
    number, _, nobody = usual
    on = f"udp/{number}"
    assert outcomes(judge(check, nobody, open_ports(), udp_answers(closed=(number,)))) == {on: Outcome.PASS}
    for ports, answers, word in (
        (open_ports(), udp_answers(silent=(number,)), "no answer"),
        (open_ports(), udp_answers(), "not asked"),
        (open_ports(OpenPort(number, "udp")), udp_answers(opened=(number,)), "not recognised"),
    ):
        [finding] = judge(check, nobody, ports, answers)
        assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, on)
        assert word in finding.reason
        assert finding.needs


@pytest.mark.parametrize(("check", "usual"), USUAL.items())
def test_a_question_that_decided_nothing_is_unknown_with_its_reason(
    check: str, usual: tuple[int, str, Fact]
) -> None:
    number, service, nobody = usual
    gap = Gap(type(nobody).__name__, "the answer lied", f"udp/{number}", "an answer")
    ports = open_ports(OpenPort(number, "udp", service))
    [finding] = judge(check, ports, udp_answers(opened=(number,)), gaps=(gap,))
    assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, f"udp/{number}")
    assert "the answer lied" in finding.reason


def test_recursion_is_judged_by_the_place_from_which_it_was_asked() -> None:
    check = "network.dns.recursion"
    ports = open_ports(OpenPort(53, "udp", "dns"))
    outside = udp_answers(opened=(53,), vantage=OUTSIDE)
    hold_by_usual(check, dns(recursion=True), dns(), "udp/53", ports, outside)
    inside = udp_answers(opened=(53,))
    [finding] = judge(check, dns(recursion=True), ports, inside)
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "a scan from outside")
    assert outcomes(judge(check, dns(), ports, inside)) == {"udp/53": Outcome.PASS}


def test_whether_a_community_may_write_is_never_tested() -> None:
    check = "network.snmp.default-community-write"
    more = (open_ports(OpenPort(161, "udp", "snmp")), udp_answers(opened=(161,)))
    [finding] = judge(check, snmp("public", "private"), *more)
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "the agent's configuration")
    assert "was not tested" in finding.reason
    assert outcomes(judge(check, snmp(versions=("v3",)), *more)) == {"udp/161": Outcome.PASS}


def test_old_versions_of_snmp_fail_and_their_silence_is_not_known() -> None:
    check = "network.snmp.version"
    more = (open_ports(OpenPort(161, "udp", "snmp")), udp_answers(opened=(161,)))
    [finding] = judge(check, snmp("public", versions=("v1", "v2c", "v3")), *more)
    assert (finding.outcome, finding.saw) == (Outcome.FAIL, "answers in v1, v2c")
    filled(check, finding)
    [finding] = judge(check, snmp(versions=("v3",)), *more)
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "the agent's configuration")
