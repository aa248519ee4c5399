"""The readers of answers: what they understand, and that they never guess."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.host.accounts import Accounts
from checks.facts.host.firewall import Firewall
from checks.facts.host.services import ListeningServices, TimeKeeping
from checks.facts.host.sshd import Sshd, SshdStarts
from checks.facts.host.sudoers import Sudoers
from checks.facts.host.system import OperatingSystem
from checks.facts.host.updates import PendingUpdates
from scanner.collect.collector import Collected
from scanner.collect.host import (
    accounts,
    firewall,
    identity,
    listening,
    mandatory,
    reboot,
    sshd,
    sysctl,
    system,
    timekeeping,
    updates,
)
from scanner.collect.host.collect import PROBES
from scanner.collect.host.probe import ParseError, Probe
from scanner.collect.host.sections import split
from scanner.collect.host.sudoers import parse as read_sudoers

RECORDINGS = Path(__file__).parents[3] / "recordings" / "host"
TEXTS = {
    (file.stem, topic): section.text
    for file in sorted(RECORDINGS.glob("*.txt"))
    for topic, section in split(file.read_bytes()).sections.items()
}


@pytest.mark.parametrize("probe", [identity.PROBE, *PROBES], ids=lambda probe: probe.topic)
@given(data=st.data())
def test_a_spoilt_answer_is_refused_or_read_and_nothing_else(probe: Probe, data: st.DataObject) -> None:
    known = [text for (_, topic), text in TEXTS.items() if topic == probe.topic]
    lines = data.draw(st.sampled_from(known)).splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        if not lines:
            break
        at = data.draw(st.integers(0, len(lines) - 1))
        spoil = data.draw(st.sampled_from(["drop", "double", "cut", "noise"]))
        if spoil == "drop":
            del lines[at]
        elif spoil == "double":
            lines.insert(at, lines[at])
        elif spoil == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
        else:
            lines.insert(at, data.draw(st.text(max_size=30)))
    with suppress(ParseError):
        assert isinstance(probe.parse("\n".join(lines)), Collected)


@pytest.mark.parametrize("probe", [one for one in PROBES if one.topic != "listening"], ids=lambda p: p.topic)
def test_an_empty_answer_is_refused(probe: Probe) -> None:
    with pytest.raises(ParseError):
        probe.parse("")


def test_an_empty_list_of_sockets_is_an_answer_but_no_answer_is_none() -> None:
    assert listening.parse("form ss\nNetid State Recv-Q\n").facts == (ListeningServices(()),)
    with pytest.raises(ParseError):
        listening.parse("")


@pytest.mark.parametrize(
    "text",
    [
        "uname\t6.1\tx86_64\th\n",
        'uname\t6.1\tx86_64\th\nrelease\tID="debian\n',
        "release\tID=debian\n",
        "uname\t6.1\n",
    ],
)
def test_a_system_without_a_name_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        system.parse(text)


def test_a_system_without_a_version_has_none() -> None:
    [fact] = system.parse(
        "uname\t6.1\tx86_64\th\nrelease\tID=arch\nrelease\tPRETTY_NAME='Arch Linux'\n"
    ).facts
    assert fact == OperatingSystem("arch", "", "Arch Linux", (), "6.1", "x86_64", "h")


@pytest.mark.parametrize(
    "line",
    [
        "account\t6\tx\tshadow\t1\t1\t/\t",
        "account\t7\tx\tshadow\tone\t1\t/\t/bin/sh",
        "uid_min\tmany",
        "noise",
    ],
)
def test_a_broken_passwd_is_refused(line: str) -> None:
    with pytest.raises(ParseError):
        accounts.parse_accounts(f"account\t7\troot\tshadow\t0\t0\t/\t/bin/sh\n{line}\n")


def test_a_line_of_nis_is_a_gap() -> None:
    seen = accounts.parse_accounts(
        "account\t7\troot\tempty\t0\t0\t/\t/bin/sh\naccount\t7\t+\tshadow\t\t\t\t\n"
    )
    [fact] = seen.facts
    assert isinstance(fact, Accounts)
    assert fact.accounts[0].password_here
    assert [gap.fact for gap in seen.gaps] == ["Accounts", "Groups"]


def sudoers(*lines: str) -> Sudoers:
    [fact] = read_sudoers("\n".join(f"/etc/sudoers:{line}" for line in lines)).facts
    assert isinstance(fact, Sudoers)
    return fact


@pytest.mark.parametrize(
    ("line", "who", "no_password"),
    [
        ("bob ALL=(ALL) NOPASSWD: ALL", "bob", True),
        ("bob ALL=(ALL) NOPASSWD:ALL # why", "bob", True),
        ("bob ALL = (root) PASSWD: /bin/a, NOPASSWD : /bin/b", "bob", True),
        ("%wheel\tALL=(ALL)\tALL", "%wheel", False),
        ("#1000 ALL=(ALL) NOPASSWD: ALL", "#1000", True),
        ("bob ALL=(ALL) /bin/echo NOPASSWD", "bob", False),
        ("bob , eve ALL=(ALL) NOPASSWD: ALL", "bob,eve", True),
        ("%my\\ group ALL=(ALL) NOPASSWD: ALL", "%my\\ group", True),
    ],
)
def test_sudo_rules(line: str, who: str, no_password: bool) -> None:
    [rule] = sudoers(line).rules
    assert (rule.who, rule.no_password) == (who, no_password)


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        ("Defaults use_pty", [("", "use_pty")]),
        ("Defaults\tenv_reset, timestamp_timeout = 5", [("", "env_reset"), ("", "timestamp_timeout=5")]),
        ("Defaults:bob !authenticate", [(":bob", "!authenticate")]),
        ("Defaults!/bin/ls noexec", [("!/bin/ls", "noexec")]),
        ("Defaults: bob !authenticate", [(":bob", "!authenticate")]),
        ("Defaults:bob, eve ! authenticate", [(":bob,eve", "!authenticate")]),
        ("Defaults!/bin/ls, /bin/cat !authenticate", [("!/bin/ls,/bin/cat", "!authenticate")]),
        ('Defaults a="x # y, z", !authenticate', [("", 'a="x # y, z"'), ("", "!authenticate")]),
    ],
)
def test_sudo_defaults(line: str, settings: list[tuple[str, str]]) -> None:
    assert [(one.scope, one.setting) for one in sudoers(line).defaults] == settings


@pytest.mark.parametrize("end", ["/etc/sudoers:", "/etc/sudoers:# why", "/etc/sudoers.d/a:Defaults x \\"])
def test_a_backslash_hides_no_later_rule(end: str) -> None:
    included = "/etc/sudoers:@includedir /etc/sudoers.d"
    text = f"{included}\n/etc/sudoers:Defaults y \\\n{end}\n/etc/sudoers.d/b:bob ALL=(ALL) NOPASSWD: ALL\n"
    [fact] = read_sudoers(text).facts
    assert isinstance(fact, Sudoers)
    assert [(one.file, one.who) for one in fact.rules] == [("/etc/sudoers.d/b", "bob")]


_WIDE_RULES = [
    "ip saddr 0.0.0.0/0 accept",
    "ct state new,established counter accept",
    "ct state { established, related, new } accept",
    "meta l4proto tcp counter accept",
    "tcp dport 1-65535 accept",
    'iifname != "lo" accept',
]


def _input(rule: str, policy: str = "drop", flags: str = "") -> list[tuple[str, bool]]:
    lines = [
        "table inet f {",
        flags,
        "chain input {",
        f"type filter hook input priority filter; policy {policy};",
        rule,
        "}",
        "}",
    ]
    text = "tool\tnft\nipv6\tyes\n" + "".join(f"nft: {line}\n" for line in lines if line)
    [fact] = firewall.parse(text).facts
    assert isinstance(fact, Firewall)
    return [(one.rest, one.refuses) for one in fact.chains]


@pytest.mark.parametrize("rule", _WIDE_RULES)
def test_a_rule_that_lets_everything_in_is_seen_through(rule: str) -> None:
    assert _input(rule) == [("accept", False)]


@pytest.mark.parametrize(
    "rule", ["tcp dport 22 ct state new accept", 'iifname != "eth0" accept', "ct state established accept"]
)
def test_a_rule_with_a_narrow_condition_leaves_the_rest_refused(rule: str) -> None:
    assert [rest for rest, _ in _input(rule)] == ["refuse"]


def test_a_sleeping_table_filters_nothing() -> None:
    assert _input("tcp dport 22 accept", flags="flags dormant") == []


def test_conditional_refusals_are_refusals() -> None:
    assert _input("tcp dport 25 drop", "accept") == [("accept", True)]
    assert _input("tcp dport 22 accept", "accept") == [("accept", False)]


def test_sudo_lines_that_are_not_understood_are_gaps() -> None:
    seen = read_sudoers("/etc/sudoers:bob ALL\n/etc/sudoers:@include /etc/more\n/etc/sudoers:a ALL=ALL\n")
    assert {gap.where for gap in seen.gaps} == {"/etc/sudoers", "/etc/more"}


NFT = """tool\tnft
ipv6\tyes
nft: table inet filter {{
nft: \tset allowed {{
nft: \t\ttype ipv4_addr
nft: \t\telements = {{ 10.0.0.1,
nft: \t\t\t     10.0.0.2 }}
nft: \t}}
nft: \tchain input {{
nft: \t\ttype filter hook input priority filter; policy {policy};
nft: \t\tct state {{ established,
nft: \t\t\t   related }} accept
{rules}nft: \t}}
nft: \tchain rest {{
nft: {last}
nft: \t}}
nft: }}
"""


def rest_of(*rules: str, policy: str = "accept", last: str = "drop") -> str:
    text = NFT.format(policy=policy, rules="".join(f"nft: \t\t{rule}\n" for rule in rules), last=last)
    [fact] = firewall.parse(text).facts
    assert isinstance(fact, Firewall)
    [chain] = fact.chains
    assert (chain.policy, chain.rules) == (policy, len(rules) + 1)
    return chain.rest


@pytest.mark.parametrize(
    ("rules", "policy", "last", "rest"),
    [
        ((), "accept", "", "accept"),
        ((), "drop", "", "refuse"),
        (("drop",), "accept", "", "refuse"),
        (("counter packets 3 bytes 180 drop",), "accept", "", "refuse"),
        (('log prefix "x { y" drop',), "accept", "", "refuse"),
        (("reject with icmpx admin-prohibited",), "accept", "", "refuse"),
        (('drop comment "the end"',), "accept", "", "refuse"),
        (("accept",), "drop", "", "accept"),
        (("tcp dport 22 accept", "drop"), "accept", "", "refuse"),
        (("tcp dport 22 drop",), "accept", "", "accept"),
        (("accept", "drop"), "drop", "", "accept"),
        (("jump rest",), "accept", "drop", "refuse"),
        (("jump rest",), "drop", "accept", "accept"),
        (("jump rest", "drop"), "accept", "return", "refuse"),
        (("goto rest", "drop"), "accept", "tcp dport 1 drop", "accept"),
        (('iifname "lo" jump rest',), "accept", "drop", "accept"),
        (("jump nowhere",), "drop", "", "refuse"),
    ],
)
def test_what_becomes_of_the_rest(rules: tuple[str, ...], policy: str, last: str, rest: str) -> None:
    assert rest_of(*rules, policy=policy, last=last) == rest


def test_chains_that_call_each_other_end() -> None:
    assert rest_of("jump rest", last="jump rest") == "accept"


IPTABLES = """tool\tiptables
ipv6\tno
iptables: *nat
iptables: :PREROUTING ACCEPT [0:0]
iptables: COMMIT
iptables: *filter
iptables: :INPUT {policy} [0:0]
iptables: :OUTPUT ACCEPT [0:0]
iptables: :own - [0:0]
iptables: -A INPUT -i lo -j ACCEPT
{rules}iptables: COMMIT
"""


@pytest.mark.parametrize(
    ("policy", "rules", "rest"),
    [
        ("DROP", [], "refuse"),
        ("ACCEPT", [], "accept"),
        ("ACCEPT", ["-A INPUT -j REJECT --reject-with icmp-host-prohibited"], "refuse"),
        ("ACCEPT", ['-A INPUT -m comment --comment "the rest" -j DROP'], "refuse"),
        ("DROP", ["-A INPUT -j ACCEPT"], "accept"),
        ("ACCEPT", ["-A INPUT -j own", "-A own -p tcp --dport 22 -j ACCEPT", "-A own -j DROP"], "refuse"),
        ("DROP", ["-A INPUT -p tcp -j ACCEPT"], "accept"),
        ("DROP", ["-A INPUT ! -i lo -m state --state NEW -j ACCEPT"], "accept"),
        ("ACCEPT", ["-A INPUT -s 10.0.0.0/8 -j DROP"], "accept"),
        ("ACCEPT", ["-A INPUT -j LOG"], "accept"),
    ],
)
def test_iptables(policy: str, rules: list[str], rest: str) -> None:
    text = IPTABLES.format(policy=policy, rules="".join(f"iptables: {rule}\n" for rule in rules))
    [fact] = firewall.parse(text).facts
    assert isinstance(fact, Firewall)
    assert [(chain.tool, chain.family, chain.rest) for chain in fact.chains] == [("iptables", "ip", rest)]


def test_refused_rules_are_a_gap_and_no_fact() -> None:
    seen = firewall.parse("tool\tnft\nipv6\tyes\nrefused\tnft -s list ruleset\tOperation not permitted (x)\n")
    assert seen.facts == ()
    assert seen.gaps[0].needs == "CAP_NET_ADMIN for the login"


@pytest.mark.parametrize("text", ["ipv6\tyes\nnft: table ip x {\n", "ipv6\tyes\nnft: }\n", "tool\tnft\n"])
def test_a_broken_rule_set_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        firewall.parse(text)


def pending(*lines: str) -> PendingUpdates:
    [fact] = updates.parse("\n".join(("manager\tapt", *lines, "asked"))).facts
    assert isinstance(fact, PendingUpdates)
    return fact


@pytest.mark.parametrize(
    ("origin", "security"),
    [
        ("Debian-Security:12/oldstable-security", True),
        ("Debian:12.15/oldstable, Debian-Security:12/oldstable-security", True),
        ("Ubuntu:24.04/noble-security", True),
        ("UbuntuESM:22.04/jammy-infra-security", True),
        ("Debian:12.15/oldstable", False),
        ("Ubuntu:24.04/noble-updates", False),
        ("security-tools.example:1/stable", False),
    ],
)
def test_where_an_update_comes_from(origin: str, security: bool) -> None:
    [one] = pending(f"apt\tInst x [1] (2 {origin} [amd64])").pending
    assert (one.package, one.installed, one.candidate, one.security) == ("x", "1", "2", security)


def test_dates_of_lists() -> None:
    found = pending(
        "list\tnoble\tUbuntu\tThu, 25 Apr 2024 15:10:33 UTC",
        "list\tx\ty\t2026-11-20T04:11:09Z",
        "list\tz\tz\t",
    )
    assert (found.lists, found.lists_at) == (3, "2026-11-20T04:11:09Z")


@pytest.mark.parametrize(
    "text",
    [
        "manager\tapt\n",
        "manager\tapt\napt\tInst broken\nasked\n",
        "manager\tapt\nlist\ta\tb\tsomeday\nasked\n",
        "manager\tbrew\nasked\n",
        "manager\tdnf\ndnf\tError: no cache\nasked\n",
        "manager\tapk\napk\tWARNING: x\nasked\n",
    ],
)
def test_a_package_manager_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        updates.parse(text)


def test_a_package_manager_that_refuses_is_a_gap() -> None:
    seen = updates.parse("manager\tapt\nrefused\tapt-get\tE: The package cache file is corrupted\n")
    assert seen.facts == ()
    assert "corrupted" in seen.gaps[0].reason
    assert updates.parse("manager\tnone\n").gaps


def test_zypper_lists_needed_patches() -> None:
    text = """manager\tzypper
list\t\t\t2026-11-20T04:11:09Z
security
zypper\tRepository | Name                | Category | Severity  | Interactive | Status | Summary
zypper\t-----------+---------------------+----------+-----------+-------------+--------+--------
zypper\tUpdates    | openSUSE-2026-101   | security | important | ---         | needed | openssl
asked
"""
    [fact] = updates.parse(text).facts
    assert isinstance(fact, PendingUpdates)
    assert [(one.package, one.security) for one in fact.pending] == [("openSUSE-2026-101", True)]


def test_sockets_of_proc_read_as_those_of_ss() -> None:
    [of_proc] = listening.parse(
        "form proc\n"
        "tcp 0100007F:1767\n"
        "tcp6 B80D0120000000000000000001000000:0016\n"
        "tcp6 00000000000000000000000000000000:0050\n"
    ).facts
    [of_ss] = listening.parse(
        "form ss\n"
        "tcp LISTEN 0 100 127.0.0.1:5991 0.0.0.0:*\n"
        "tcp LISTEN 0 100 [2001:db8::1]:22 [::]:*\n"
        "tcp LISTEN 0 100 *:80 *:*\n"
    ).facts
    assert of_proc == of_ss


@pytest.mark.parametrize(
    "text",
    [
        "form ss\ntcp LISTEN\n",
        "form ss\nraw UNCONN 0 0 *:1 *:*\n",
        "form proc\ntcp XY:16\n",
        "form proc\nsctp 0100007F:16\n",
    ],
)
def test_a_broken_list_of_sockets_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        listening.parse(text)


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ("timedatectl\tyes\n", "synchronised"),
        ("timedatectl\tno\n", "unsynchronised"),
        ("timedatectl\tno\nchronyc\tNormal\n", "synchronised"),
        ("chronyc\tNot synchronised\n", "unsynchronised"),
        ("timedatectl\t\n", "silent"),
        ("ntpq\t00\n", "synchronised"),
        ("", "silent"),
    ],
)
def test_who_speaks_for_the_clock(lines: str, answer: str) -> None:
    [fact] = timekeeping.parse("container\t\n" + lines).facts
    assert isinstance(fact, TimeKeeping)
    assert fact.answer == answer


def test_hidden_processes_say_nothing_about_the_clock_or_other_servers() -> None:
    seen = timekeeping.parse("container\t\nhidden\n")
    assert seen.facts == ()
    assert "hidden" in seen.gaps[0].reason
    assert timekeeping.parse("container\t\nhidden\ntimedatectl\tyes\n").gaps == ()
    both = sshd.parse("hidden\n" + TEXTS["rhel-9", "sshd"])
    assert [type(fact) for fact in both.facts] == [Sshd, SshdStarts]
    assert "hidden" in both.gaps[0].reason


@pytest.mark.parametrize("text", ["container\t\napparmor\tY\n", "container\t\napparmor\t?\nselinux\t1\n"])
def test_mandatory_access_without_both_answers_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        mandatory.parse(text)


def test_a_setting_without_an_answer_is_refused() -> None:
    text = TEXTS["debian-12", "sysctl"]
    with pytest.raises(ParseError, match="randomize_va_space"):
        sysctl.parse(re.sub(r".*randomize_va_space.*\n", "", text))


def test_a_running_build_is_read_from_the_kernels_own_words() -> None:
    [fact] = reboot.parse(TEXTS["debian-12", "reboot"]).facts
    assert getattr(fact, "running_build", "") == getattr(fact, "installed_build", "") == "6.1.164-1"


def test_an_address_of_proc_reads_as_one_of_ip() -> None:
    seen = identity.read("address\teth0\t20010db8000000000000000000000001\naddress\t\t10.0.0.5\n")
    assert seen.addresses == ("10.0.0.5", "2001:db8::1")


@pytest.mark.parametrize(
    "text", ["machine\tshort\n", "key\tssh-ed25519 %%\n", "key\tssh-ed25519 \n", "address\te\t10.0.0.300\n"]
)
def test_a_broken_identity_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        identity.read(text)


def test_a_server_that_hides_its_settings_leaves_the_others() -> None:
    text = TEXTS["ubuntu-24.04", "sshd"]
    spoilt = re.sub(r"(?m)^\[2\] .*\n", "", text) + "[2] failed 255 Bad configuration option: x\n"
    seen = sshd.parse(spoilt)
    [fact] = [one for one in seen.facts if isinstance(one, Sshd)]
    assert isinstance(fact, Sshd)
    assert [server.number for server in fact.servers] == [1]
    assert "Bad configuration option" in seen.gaps[0].reason
    assert seen.gaps[0].where == "/opt/sftp/sshd_config"


def test_a_missing_option_is_a_gap_of_that_server() -> None:
    seen = sshd.parse(re.sub(r"(?m)^\[1\] permitrootlogin.*\n", "", TEXTS["rhel-9", "sshd"]))
    assert not any(isinstance(fact, Sshd) for fact in seen.facts)
    assert "permitrootlogin" in seen.gaps[0].reason


def test_no_sshd_is_an_absence_with_its_evidence() -> None:
    seen = sshd.parse("none\t/usr/sbin:/usr/bin\n")
    assert "no sshd in /usr/sbin:/usr/bin" in seen.absences[0].reason
    assert sshd.parse("dropbear\nnone\t/usr/sbin\n").absences == ()


def test_match_lines_in_foreign_files_are_a_gap() -> None:
    seen = sshd.parse(TEXTS["rhel-9", "sshd"] + "include\t1\t/opt/more.conf /etc/ssh/sshd_config.d/*.conf\n")
    assert [gap.where for gap in seen.gaps] == ["/etc/ssh/sshd_config: Match lines of /opt/more.conf"]
