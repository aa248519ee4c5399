"""What becomes of connections by the rules: as worked out, and as real packets find it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial

import pytest

from checks.facts.host.firewall import Firewall, InputChain, PortRange, SavedFirewall
from scanner.collect.host import firewall, saved_firewall
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Host, Lab, lab

NAT = "nft: table ip nat {\nnft: chain pre {\nnft: type nat hook prerouting priority dstnat; policy accept;\n"
HEAD = "tool\tnft\nipv6\tyes\n"


def nft(*rules: str, policy: str = "drop", more: str = "", name: str = "input") -> InputChain:
    lines = [
        *more.splitlines(),
        f"chain {name} {{",
        f"type filter hook input priority filter; policy {policy};",
        *rules,
        "}",
    ]
    text = HEAD + "".join(f"nft: {line}\n" for line in ["table inet f {", *lines, "}"])
    [chain] = only(text).chains
    return chain


def iptables(*rules: str, policy: str = "DROP", chains: str = "") -> InputChain:
    lines = ["*filter", f":INPUT {policy} [0:0]", *chains.split("\n"), *rules, "COMMIT"]
    text = HEAD + "".join(f"iptables: {line}\n" for line in lines if line)
    [chain] = only(text).chains
    return chain


def only(text: str) -> Firewall:
    [fact] = [one for one in firewall.parse(text).facts if isinstance(one, Firewall)]
    return fact


def does(chain: InputChain, port: int, protocol: str = "tcp", family: str = "ip") -> str:
    """`accept`, `limit source`, ..., with `*` where a rule names the port."""
    [rule] = [
        one
        for one in chain.ports
        if (one.family, one.protocol) == (family, protocol) and one.first <= port <= one.last
    ]
    return " ".join((rule.does, *rule.limits)) + ("*" if rule.named else "")


ESTABLISHED = "ct state established,related accept"


@pytest.mark.parametrize(
    ("rules", "port", "found"),
    [
        ([ESTABLISHED], 22, "refuse"),
        (["tcp dport 22 accept"], 22, "accept*"),
        (["tcp dport 22 accept"], 23, "refuse"),
        (["tcp dport { 22, 80-90 } ct state new accept"], 85, "accept*"),
        (["tcp dport ssh accept"], 22, "accept*"),
        (["tcp dport != 22 drop", "accept"], 22, "accept"),
        (["tcp dport != 22 drop", "accept"], 80, "refuse"),
        (["ip saddr 10.0.0.0/8 tcp dport 22 accept"], 22, "limit source*"),
        (["ip saddr @friends tcp dport 22 accept"], 22, "limit source*"),
        (["ip saddr != 10.0.0.0/8 tcp dport 22 drop", "tcp dport 22 accept"], 22, "limit source*"),
        (["ip saddr 192.0.2.1 drop", "tcp dport 22 accept"], 22, "accept*"),
        (["ip saddr 0.0.0.0/0 tcp dport 22 accept"], 22, "accept*"),
        (["tcp dport 22 limit rate 3/minute accept"], 22, "limit rate*"),
        (
            ["tcp dport 22 add @dyn { ip saddr limit rate over 4/minute } drop", "tcp dport 22 accept"],
            22,
            "limit rate*",
        ),
        (['iifname "wg0" tcp dport 22 accept'], 22, "limit interface*"),
        (['iifname "eth0" tcp dport 22 accept'], 22, "accept*"),
        (['iif "lo" accept'], 22, "refuse"),
        (['iifname != "lo" tcp dport 22 accept'], 22, "accept*"),
        (["udp dport 22 accept"], 22, "refuse"),
        (["th dport 22 meta l4proto { tcp, udp } accept"], 22, "accept*"),
        (["meta l4proto { icmp, ipv6-icmp } accept", "icmp type echo-request accept"], 22, "refuse"),
        (["ct state vmap { established : accept, new : accept }"], 22, "accept"),
        (["ct state vmap { established : accept, invalid : drop }"], 22, "refuse"),
        (["tcp dport vmap { 22 : accept, 23 : drop }"], 22, "accept*"),
        (["tcp dport vmap { 22 : accept, 23 : drop }"], 23, "refuse*"),
        (["tcp dport @ports accept"], 22, "unclear"),
        (["tcp flags syn / fin,syn,rst,ack ct state new tcp dport 22 accept"], 22, "accept*"),
        (["tcp flags & (fin|syn) == fin|syn drop", "tcp dport 22 accept"], 22, "accept*"),
        (["meta mark 0x1 tcp dport 22 accept"], 22, "unclear*"),
        (["meta mark 0x1 drop", "tcp dport 22 accept"], 22, "unclear*"),
        (["meta mark 0x1 drop"], 22, "refuse"),
        (["fib daddr type local accept"], 22, "accept"),
        (["fib saddr . iif oif missing drop", "tcp dport 22 accept"], 22, "accept*"),
        (["ip daddr 224.0.0.251 tcp dport 22 accept"], 22, "refuse"),
        (["meta nfproto ipv6 tcp dport 22 accept"], 22, "refuse"),
        (["tcp dport 22 jump nowhere"], 22, "unclear"),
        (["ip saddr 10.0.0.0/8 return", "tcp dport 22 accept"], 22, "unclear*"),
        (["tcp dport 22 queue to 1"], 22, "unclear"),
        (['tcp dport 22 accept comment "drop { all"'], 22, "accept*"),
        (['counter packets 1 bytes 2 log prefix "x drop " tcp dport 22 counter accept'], 22, "accept*"),
    ],
)
def test_one_port_under_rules_of_nft(rules: list[str], port: int, found: str) -> None:
    assert does(nft(*rules), port) == found


@pytest.mark.parametrize(
    ("rule", "rest"),
    [
        ("ct state vmap { invalid : drop, established : accept, new : accept }", "accept"),
        ("ct state vmap { invalid : drop, established : accept, related : accept }", "refuse"),
        ('iifname vmap { "lo" : accept, "eth0" : jump x }', "refuse"),
    ],
)
def test_a_map_of_states_that_lets_new_connections_in_lets_all_in(rule: str, rest: str) -> None:
    assert nft(rule).rest == rest


def test_an_open_policy_lets_in_what_no_rule_refuses() -> None:
    chain = nft("tcp dport 25 drop", policy="accept")
    assert (does(chain, 25), does(chain, 26)) == ("refuse*", "accept")


def test_members_of_a_named_set_of_ports_are_read() -> None:
    more = "set web {\ntype inet_service\nelements = { 80, 443 }\n}"
    chain = nft("tcp dport @web accept", more=more)
    assert (does(chain, 443), does(chain, 22)) == ("accept*", "refuse")


def test_chains_that_are_called_decide_for_their_callers() -> None:
    more = "chain deny {\ntcp dport 25 drop\n}\nchain allow {\ntcp dport 22 accept\ntcp dport 25 accept\n}"
    chain = nft("jump deny", 'iifname "eth0" goto allow', "jump allow", "reject", policy="accept", more=more)
    assert [does(chain, port) for port in (22, 25, 80)] == ["accept*", "refuse*", "refuse"]


def test_the_families_of_one_table_are_told_apart() -> None:
    chain = nft("ip saddr 10.0.0.0/8 tcp dport 22 accept", "ip6 saddr fd00::/8 tcp dport 80 accept")
    assert does(chain, 22, family="ip6") == "refuse"
    assert does(chain, 80, family="ip6") == "limit source*"


def test_ports_cover_every_number_once() -> None:
    chain = nft("tcp dport { 22, 80-90, 65535 } accept", "udp dport 0-52 accept")
    for family in ("ip", "ip6"):
        for protocol in ("tcp", "udp"):
            rules = [one for one in chain.ports if (one.family, one.protocol) == (family, protocol)]
            assert [one.first for one in rules] == [0, *(one.last + 1 for one in rules[:-1])]
            assert rules[-1].last == 65535


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (["-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"], "accept*"),
        (["-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT"], "accept*"),
        (["-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT"], "limit source*"),
        (
            ["-A INPUT ! -s 10.0.0.0/8 -p tcp --dport 22 -j DROP", "-A INPUT -p tcp --dport 22 -j ACCEPT"],
            "limit source*",
        ),
        (
            [
                "-A INPUT -p tcp --dport 22 -m recent --set --name DEFAULT --mask 255.255.255.255 --rsource",
                "-A INPUT -p tcp --dport 22 -m recent --update --seconds 30 --hitcount 6 -j DROP",
                "-A INPUT -p tcp --dport 22 -j ACCEPT",
            ],
            "limit rate*",
        ),
        (["-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT"], "accept"),
        (["-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT"], "refuse"),
        (["-A INPUT -i lo -j ACCEPT"], "refuse"),
        (["-A INPUT -i wg0 -p tcp --dport 22 -j ACCEPT"], "limit interface*"),
        (["-A INPUT -m u32 --u32 x -j ACCEPT"], "unclear"),
        (["-A INPUT -p icmp -j ACCEPT"], "refuse"),
        (['-A INPUT -m comment --comment "-j ACCEPT" -j DROP'], "refuse"),
    ],
)
def test_one_port_under_rules_of_iptables(rules: list[str], found: str) -> None:
    assert does(iptables(*rules), 22) == found


def test_the_chains_of_ufw() -> None:
    chains = "\n".join(
        f":{name} - [0:0]" for name in ("before", "not-local", "user", "limit", "limit-accept")
    )
    chain = iptables(
        "-A INPUT -j before",
        "-A INPUT -j user",
        "-A before -m addrtype --dst-type MULTICAST -j ACCEPT",
        "-A before -j not-local",
        "-A not-local -m addrtype --dst-type LOCAL -j RETURN",
        "-A not-local -j DROP",
        "-A user -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name DEFAULT --rsource",
        "-A user -p tcp --dport 22 -m recent --update --seconds 30 --hitcount 6 --name DEFAULT -j limit",
        "-A user -p tcp -m tcp --dport 22 -j limit-accept",
        "-A user -p tcp -m tcp --dport 443 -j ACCEPT",
        "-A limit -m limit --limit 3/min -j LOG",
        "-A limit -j REJECT --reject-with icmp-port-unreachable",
        "-A limit-accept -j ACCEPT",
        chains=chains,
    )
    assert [does(chain, port) for port in (22, 443, 80)] == ["limit rate*", "accept*", "refuse"]


def test_what_iptables_shows_better_than_nft_is_read_from_it() -> None:
    text = (
        HEAD + "nft: table ip filter {\nnft: chain INPUT {\n"
        "nft: type filter hook input priority filter; policy drop;\n"
        'nft: xt match "addrtype" counter accept\nnft: }\nnft: }\n'
        "nft: table inet own {\nnft: chain in {\nnft: type filter hook input priority 0; policy accept;\n"
        "nft: }\nnft: }\n"
        "iptables: *filter\niptables: :INPUT DROP [0:0]\n"
        "iptables: -A INPUT -m addrtype --dst-type BROADCAST -j ACCEPT\niptables: COMMIT\n"
    )
    found = {(one.tool, one.table): one for one in only(text).chains}
    assert set(found) == {("nft", "own"), ("iptables", "filter")}
    assert does(found["iptables", "filter"], 22) == "refuse"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "iptables: *nat\niptables: :PREROUTING ACCEPT [0:0]\niptables: :DOCKER - [0:0]\n"
            "iptables: -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
            "iptables: -A DOCKER ! -i docker0 -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2\n"
            "iptables: -A DOCKER -d 127.0.0.1/32 -p tcp --dport 8081 -j DNAT --to-destination 172.17.0.3\n"
            "iptables: COMMIT\n",
            (PortRange("tcp", 8080, 8080),),
        ),
        (
            NAT + "nft: udp dport 53 redirect to :5353\nnft: }\nnft: }\n",
            (PortRange("udp", 53, 53),),
        ),
        (
            NAT + "nft: dnat to 10.0.0.2\nnft: }\n"
            "nft: chain KUBE-SEP {\nnft: meta l4proto tcp dnat to 10.1.0.1\nnft: }\nnft: }\n",
            (PortRange("tcp", 0, 65535), PortRange("udp", 0, 65535)),
        ),
    ],
)
def test_ports_that_are_sent_on(text: str, found: tuple[PortRange, ...]) -> None:
    assert only(HEAD + text).forwarded == found


def test_a_rule_set_that_is_too_large_says_nothing_about_ports() -> None:
    chain = nft(*(f"tcp dport {port} accept" for port in range(1, 2000, 2)))
    assert chain.ports == ()
    assert chain.rest == "refuse"


def test_accept_all_loopback_and_forged_addresses_are_seen() -> None:
    chain = nft('iif "lo" accept', 'ip saddr 127.0.0.0/8 iif != "lo" drop', "counter accept")
    assert (chain.loopback, chain.forged, chain.accepts_all) == (True, True, "input: accept")
    assert nft("tcp dport 22 accept").accepts_all == ""
    same = iptables("-A INPUT -i lo -j ACCEPT", "-A INPUT -s 127.0.0.0/8 -j DROP", "-A INPUT -j ACCEPT")
    assert (same.loopback, same.forged, same.accepts_all) == (True, True, "INPUT: -j ACCEPT")


@pytest.mark.parametrize(
    ("file", "lines", "chains", "whole"),
    [
        (
            "/etc/nftables.conf",
            "flush ruleset\ntable inet filter {\n chain input {\n"
            "  type filter hook input priority 0; policy drop;\n"
            "  tcp dport { 22 } accept\n }\n chain out { type filter hook output priority 0; }\n}",
            ("inet filter input drop",),
            True,
        ),
        (
            "/etc/nftables.conf",
            'include "/etc/nftables.d/*.nft"\n'
            "table ip x { chain in {\n type filter hook input priority 0\n } }",
            ("ip x in accept",),
            False,
        ),
        ("/etc/iptables/rules.v6", "*filter\n:INPUT DROP [0:0]\nCOMMIT", ("ip6 filter INPUT drop",), True),
        (
            "/etc/sysconfig/iptables",
            "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT",
            ("ip filter INPUT accept",),
            True,
        ),
        ("/etc/nftables.conf", "", (), True),
    ],
)
def test_files_of_rules(file: str, lines: str, chains: tuple[str, ...], whole: bool) -> None:
    text = f"file\t{file}\n" + "".join(f"saved: {line}\n" for line in lines.split("\n")) + "end\n"
    [saved] = saved_firewall.parse(text).facts
    assert isinstance(saved, SavedFirewall)
    [rules] = saved.files
    assert (rules.file, rules.chains, rules.whole) == (file, chains, whole)


def test_ufw_is_on_only_by_its_own_word() -> None:
    [on] = saved_firewall.parse("ufw\tenabled\nend\n").facts
    [off] = saved_firewall.parse("end\n").facts
    assert (on, off) == (SavedFirewall((), True), SavedFirewall((), False))


def test_a_file_that_may_not_be_read_hides_what_comes_at_boot() -> None:
    seen = saved_firewall.parse("unread\t/etc/sysconfig/nftables.conf\nend\n")
    assert seen.facts == ()
    assert seen.gaps[0].needs == "sudo: /usr/bin/cat /etc/sysconfig/nftables.conf"


@pytest.mark.parametrize("text", ["", "file\t/etc/nftables.conf\n", "saved: x\nend\n", "noise\nend\n"])
def test_half_an_answer_about_files_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        saved_firewall.parse(text)


# --- real packets ---

PORTS = (2001, 2002, 2003)
LISTEN = (
    "python3 -c 'import socket,time\n"
    f'held=[socket.create_server(("0.0.0.0",p)) for p in {PORTS}]\n'
    "print(1,flush=True)\ntime.sleep(600)' >/run/listening 2>&1 &\n"
    "while ! [ -s /run/listening ]; do sleep 0.05; done"
)
NFT_HEAD = "flush ruleset\ntable inet f {\nset web {\ntype inet_service\nelements = { 2002 }\n}\n"
NFT_BASE = "chain in {\ntype filter hook input priority 0; policy %s;\n%s\n}\n}\n"


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as found:
        yield found


@pytest.fixture(scope="module")
def host(net: Lab) -> Host:
    found = net.host("bookworm")
    found.run(LISTEN)
    return found


def connects(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=0.4):
            return True
    except OSError:
        return False


@pytest.mark.real
@pytest.mark.parametrize(
    ("policy", "rules"),
    [
        ("accept", "tcp dport 2001 reject with tcp reset"),
        ("drop", "ct state established,related accept\ntcp dport { 2001, 2003-2010 } accept\nreject"),
        ("drop", "tcp dport @web accept\nct state established accept\nreject"),
        ("drop", "ct state vmap { established : accept, new : accept }"),
        ("accept", "tcp dport vmap { 2001 : accept, 2002 : drop }\nreject"),
        ("accept", "ip saddr 0.0.0.0/1 tcp dport 2001 accept\niif lo accept\ntcp dport != 2003 reject"),
        ("accept", "ip saddr 127.0.0.0/8 drop\nfib daddr type multicast accept\nmeta l4proto tcp reject"),
    ],
)
def test_packets_go_the_way_that_was_worked_out(net: Lab, host: Host, policy: str, rules: str) -> None:
    host.run("nft -f -", stdin=(NFT_HEAD + NFT_BASE % (policy, rules)).encode())
    fact = host.look(frozenset({Firewall})).facts["Firewall"]
    assert isinstance(fact, Firewall)
    [chain] = fact.chains
    for port in PORTS:
        said = does(chain, port).rstrip("*")
        assert said in ("accept", "refuse")
        assert net.inside(partial(connects, host.address, port)) is (said == "accept")
