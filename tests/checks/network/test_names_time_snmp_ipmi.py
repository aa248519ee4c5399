from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from checks.facts.network import LOOPBACK, OUTSIDE, OpenPort
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
from checks.model import Confidence, Outcome
from tests.checks.network.judging import (
    CATALOGUE,
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
        (("v=spf1 redirect=_spf.lab.test",), Outcome.UNKNOWN),
        (("v=spf1 mx redirect=_spf.lab.test -all",), Outcome.PASS),
        (("v=spf1 mx -ALL exp=why.lab.test",), Outcome.PASS),
        (("v=spf1 +all -all",), Outcome.FAIL),
        (("v=spf1 ip4:0.0.0.0/0 -all",), Outcome.FAIL),
        (("v=spf1 ip4:10.0.0.0/8 ip6:2001:db8::/32 -all",), Outcome.PASS),
        (("v=spf1 -ip4:0.0.0.0/0 -all",), Outcome.PASS),
        (("v=spf1 +all",), Outcome.FAIL),
        (("v=spf1 ?all",), Outcome.FAIL),
        (("v=spf1 all",), Outcome.FAIL),
        (("v=spf1 mx",), Outcome.FAIL),
        (("v=spf1 -all", "v=spf1 mx -all"), Outcome.FAIL),
    ],
)
def test_an_spf_record_counts_where_it_says_no_to_others(records: tuple[str, ...], outcome: Outcome) -> None:
    [finding] = judge("network.mail-names.spf", domain(spf=records), open_ports())
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
        (("v=DMARC1; p=reject; pct=0",), Outcome.FAIL),
        (("v=DMARC1; p=reject; pct=100;",), Outcome.PASS),
        (("v=DMARC1; sp=reject",), Outcome.FAIL),
        (("v=DMARC1; p=reject", "v=DMARC1; p=reject"), Outcome.FAIL),
    ],
)
def test_a_dmarc_record_counts_with_a_policy(records: tuple[str, ...], outcome: Outcome) -> None:
    [finding] = judge("network.mail-names.dmarc", domain(dmarc=records), open_ports())
    assert (finding.outcome, finding.on) == (outcome, "lab.test DMARC")
    if outcome is Outcome.FAIL:
        filled("network.mail-names.dmarc", finding)


@pytest.mark.parametrize(
    ("above", "outcome"),
    [
        ("v=DMARC1; p=reject", Outcome.PASS),
        ("v=DMARC1; p=none; sp=quarantine", Outcome.PASS),
        ("v=DMARC1; p=reject; sp=none", Outcome.FAIL),
    ],
)
def test_a_domain_without_a_dmarc_record_has_that_of_the_one_above(above: str, outcome: Outcome) -> None:
    both = MailDomains(
        (MailDomain("udp/53", "mail.lab.test", (), ()), MailDomain("udp/53", "lab.test", (), (above,)))
    )
    found = outcomes(judge("network.mail-names.dmarc", both, open_ports()))
    assert found["mail.lab.test DMARC"] is outcome


def test_what_a_server_tells_its_own_network_about_mail_is_less_sure() -> None:
    seen = {}
    for vantage in ("inside", OUTSIDE):
        ports = msgspec.structs.replace(open_ports(), vantage=vantage)
        [seen[vantage]] = judge("network.mail-names.spf", domain(), ports)
    assert [f.confidence for f in seen.values()] == [Confidence.LIKELY, Confidence.CONFIRMED]
    assert "asked from inside" in seen["inside"].saw


@pytest.mark.parametrize("check", ["network.mail-names.spf", "network.mail-names.dmarc"])
def test_mail_without_own_domains_is_not_judged_and_a_gap_is_unknown(check: str) -> None:
    assert outcomes(judge(check, MailDomains(()), open_ports())) == {"": Outcome.NOT_APPLICABLE}
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
        (open_ports(OpenPort(number, "udp", "other")), udp_answers(opened=(number,)), "looks like other"),
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


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ("none", Outcome.PASS),
        ("go away, 1337", Outcome.PASS),
        ("dnsmasq-2.90", Outcome.FAIL),
        ("PowerDNS Recursor 4.8.8 (built Sep 1)", Outcome.FAIL),
        ("Microsoft DNS 6.1.7601", Outcome.FAIL),
    ],
)
def test_a_made_up_text_is_no_version(told: str, outcome: Outcome) -> None:
    more = (open_ports(OpenPort(53, "udp", "dns")), udp_answers(opened=(53,)))
    [finding] = judge("network.dns.version-disclosure", dns(version=told), *more)
    assert finding.outcome is outcome


@pytest.mark.parametrize("check", [check for check in USUAL if ".dns." in check])
@pytest.mark.parametrize("service", ["", "dns"])
def test_a_name_server_that_answers_over_tcp_alone_is_unknown(check: str, service: str) -> None:
    nobody = USUAL[check][2]
    found = judge(check, nobody, open_ports(OpenPort(53, "tcp", service)), udp_answers(closed=(53,)))
    assert outcomes(found) == {"tcp/53": Outcome.UNKNOWN, "udp/53": Outcome.PASS}
    both = open_ports(OpenPort(53, "tcp", service), OpenPort(53, "udp", "dns"))
    assert "tcp/53" not in outcomes(judge(check, nobody, both, udp_answers(opened=(53,))))


def test_a_community_that_is_answered_without_a_value_is_unknown() -> None:
    more = (open_ports(OpenPort(161, "udp", "snmp")), udp_answers(opened=(161,)))
    half = SnmpServers((SnmpServer("udp/161", (), ("private",), ("v1",)),))
    for check in ("network.snmp.default-community-read", "network.snmp.default-community-write"):
        [finding] = judge(check, half, *more)
        assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, "udp/161")
        assert "public: answered with an error" in finding.reason


def run(script: str, place: Path, **programs: str) -> str:
    """The output of a snippet whose folders are that place, and whose programs may be told anew."""
    words = re.sub("/root/|/etc/(?:bind/)?", f"{place}/", script)
    told = "".join(f"{name}() {{ {body}; }}\n" for name, body in programs.items())
    done = subprocess.run(
        ["bash", "-c", told + words], check=False, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_fixes_of_one_name_server_hold_beside_one_another_and_go_back(tmp_path: Path) -> None:
    options = tmp_path / "named.conf.options"
    before = f'options {{\n\tdirectory "{tmp_path}";\n\tdnssec-validation no;\n}};\n'
    options.write_text(before)
    checked = {"named-checkconf": f"command named-checkconf {options}", "systemctl": "echo $*"}
    fixes = [CATALOGUE.checks[check].fix.snippets[0] for check in USUAL if ".dns." in check]
    for fix in (*fixes, fixes[0]):
        assert run(fix.do, tmp_path, **checked) == "reload named\n"
    for words in ("allow-recursion {", "allow-transfer {", "version none;"):
        assert options.read_text().count(words) == 1
    run(fixes[0].undo, tmp_path, **checked)
    assert "allow-recursion" not in options.read_text()
    assert "allow-transfer" in options.read_text()
    for fix in fixes[1:]:
        assert run(fix.undo, tmp_path, **checked) == "reload named\n"
    assert options.read_text() == before


def test_the_fix_of_a_time_server_goes_back_to_what_was_there(tmp_path: Path) -> None:
    before = "pool 0.pool.example iburst\nrestrict -6 default kod\nrestrict default kod\nenable stats\n"
    conf = tmp_path / "ntp.conf"
    conf.write_text(before)
    fix = CATALOGUE.checks["network.ntp.monlist"].fix.snippets[0]
    played = {"systemctl": "echo $*"}
    assert run(fix.do, tmp_path, **played) == "try-restart ntp*.service\n"
    lines = conf.read_text().splitlines()
    assert lines[:2] == ["pool 0.pool.example iburst", "enable stats"]
    assert lines[2].endswith("noquery")
    assert lines[-1] == "disable monitor"
    run(fix.undo, tmp_path, **played)
    assert conf.read_text() == before
    assert list(tmp_path.iterdir()) == [conf]


LAN = """\
Auth Type Support       : NONE MD2 MD5 PASSWORD
Auth Type Enable        : Callback : MD2 MD5
                        : User     : NONE MD5 PASSWORD
                        : Operator : MD5
                        : Admin    : MD5
                        : OEM      :
Cipher Suite Priv Max   : auuXXXXXXXXXXXX
"""


def test_the_fixes_of_a_controller_go_back_to_what_was_there(tmp_path: Path) -> None:
    """`ipmitool` is played here: it prints the settings, and repeats the orders that it gets."""
    (tmp_path / "print").write_text(LAN)
    played = {"ipmitool": f'if [ "$2" = print ]; then cat {tmp_path}/print; else echo "$*"; fi'}
    ways = CATALOGUE.checks["network.ipmi.anonymous-login"].fix.snippets[0]
    assert "lan set 1 auth user MD5\n" in run(ways.do, tmp_path, **played)
    assert run(ways.undo, tmp_path, **played).splitlines() == [
        "lan set 1 auth callback MD2,MD5",
        "lan set 1 auth user NONE,MD5,PASSWORD",
        "lan set 1 auth operator MD5",
        "lan set 1 auth admin MD5",
    ]
    suites_ = CATALOGUE.checks["network.ipmi.cipher-zero"].fix.snippets[0]
    assert run(suites_.do, tmp_path, **played) == "lan set 1 cipher_privs XuuXXXXXXXXXXXX\n"
    assert run(suites_.undo, tmp_path, **played) == "lan set 1 cipher_privs auuXXXXXXXXXXXX\n"


def test_recursion_is_judged_by_the_place_from_which_it_was_asked() -> None:
    check = "network.dns.recursion"
    ports = open_ports(OpenPort(53, "udp", "dns"))
    outside = udp_answers(opened=(53,), vantage=OUTSIDE)
    hold_by_usual(check, dns(recursion=True), dns(), "udp/53", ports, outside)
    inside = udp_answers(opened=(53,))
    [finding] = judge(check, dns(recursion=True), ports, inside)
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "a scan from outside")
    assert outcomes(judge(check, dns(), ports, inside)) == {"udp/53": Outcome.PASS}


@pytest.mark.parametrize("vantage", ["inside", "dmz", LOOPBACK])
def test_a_resolver_for_those_who_are_near_is_no_failure_and_no_pass(vantage: str) -> None:
    ports = msgspec.structs.replace(open_ports(OpenPort(53, "udp", "dns")), vantage=vantage)
    seen = udp_answers(opened=(53,), vantage=vantage)
    [finding] = judge("network.dns.recursion", dns(recursion=True), ports, seen)
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "a scan from outside")
    assert vantage in finding.reason


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
