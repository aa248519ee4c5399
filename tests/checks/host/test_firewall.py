"""The packet filter, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.firewall import Firewall, InputChain, PortRule, SavedFirewall, SavedRules
from checks.facts.host.packages import Package, Packages
from checks.facts.host.units import Unit, Units
from checks.host import firewall
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

PASS, FAIL, NONE = Outcome.PASS, Outcome.FAIL, Outcome.NOT_APPLICABLE


def chain(family: str, rest: str, rules: int = 3, policy: str = "accept") -> InputChain:
    return InputChain("nft", family, "filter", "input", policy, rules, rest)


def fact(*chains: InputChain, ipv6: bool = True) -> Firewall:
    return Firewall(("nft",), chains, ipv6)


@pytest.mark.parametrize("check", checks_of(firewall))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("found", "v4", "v6"),
    [
        (fact(), FAIL, FAIL),
        (fact(chain("inet", "refuse")), PASS, PASS),
        (fact(chain("ip", "refuse")), PASS, FAIL),
        (fact(chain("ip6", "accept")), FAIL, PASS),
        (fact(chain("inet", "accept", rules=0)), FAIL, FAIL),
        (fact(chain("inet", "refuse", rules=0, policy="drop")), PASS, PASS),
        (fact(chain("ip", "refuse"), ipv6=False), PASS, NONE),
        (Firewall((), (), ipv6=True), FAIL, FAIL),
    ],
)
def test_rules_are_loaded(found: Firewall, v4: Outcome, v6: Outcome) -> None:
    assert outcomes(judged(firewall.active, found)) == {"IPv4": v4, "IPv6": v6}


@pytest.mark.parametrize(
    ("found", "v4", "v6"),
    [
        (fact(), FAIL, FAIL),
        (fact(chain("inet", "accept")), FAIL, FAIL),
        (fact(chain("inet", "refuse")), PASS, PASS),
        (fact(chain("inet", "accept"), chain("ip", "refuse")), PASS, FAIL),
        (fact(chain("ip", "accept"), ipv6=False), FAIL, NONE),
    ],
)
def test_the_rest_is_refused(found: Firewall, v4: Outcome, v6: Outcome) -> None:
    assert outcomes(judged(firewall.default_drop, found)) == {"IPv4": v4, "IPv6": v6}


def ports(family: str, *rows: tuple[int, str, tuple[str, ...]]) -> tuple[PortRule, ...]:
    """Rules of TCP, each up to the port that it names; UDP is refused."""
    starts = [0, *(last + 1 for last, _, _ in rows)]
    tcp = [PortRule(family, "tcp", first, *row) for first, row in zip(starts, rows, strict=False)]
    return (*tcp, PortRule(family, "udp", 0, 65535, "refuse"))


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (((21, "refuse", ()), (22, "accept", ()), (65535, "refuse", ())), PASS),
        (((65535, "accept", ()),), FAIL),
        (((22, "accept", ()), (23, "refuse", ()), (65535, "accept", ())), FAIL),
        (((65535, "limit", ("rate",)),), FAIL),
        (((65535, "limit", ("rate", "source")),), PASS),
        (((65535, "limit", ("source",)),), PASS),
        (((65535, "unclear", ()),), Outcome.UNKNOWN),
        (((22, "unclear", ()), (65535, "refuse", ())), PASS),
        (((20000, "refuse", ()), (40000, "accept", ()), (65535, "unclear", ())), Outcome.UNKNOWN),
    ],
)
def test_a_chain_that_lets_most_ports_in_refuses_no_rest(
    rows: tuple[tuple[int, str, tuple[str, ...]], ...], outcome: Outcome
) -> None:
    found = InputChain("nft", "ip", "filter", "input", "drop", 3, "refuse", ports=ports("ip", *rows))
    seen = judged(firewall.default_drop, fact(found, ipv6=False))
    assert outcomes(seen)["IPv4"] is outcome


def test_another_chain_may_still_refuse_the_rest() -> None:
    wide = InputChain(
        "nft", "inet", "a", "input", "drop", 1, "refuse", ports=ports("ip", (65535, "accept", ()))
    )
    seen = judged(firewall.default_drop, fact(wide, chain("ip", "refuse"), ipv6=False))
    assert outcomes(seen)["IPv4"] is PASS


def test_a_host_without_any_tool_says_so() -> None:
    [first, _] = judged(firewall.active, Firewall((), (), ipv6=True))
    assert first.saw == "no tool that could load rules"


def test_rules_that_refuse_nothing_are_no_filter() -> None:
    idle = InputChain("nft", "inet", "filter", "input", "accept", 3, "accept", refuses=False)
    found = judged(firewall.active, fact(idle))
    assert {one.outcome for one in found} == {FAIL}
    assert "no rule refuses anything" in found[0].saw


def boot(*names: str, enabled: str = "enabled") -> Units:
    return Units("systemd", False, tuple(Unit(f"{name}.service", enabled, "") for name in names))


def saved(
    *chains: str, whole: bool = True, ufw: bool = False, file: str = "/etc/nftables.conf"
) -> SavedFirewall:
    return SavedFirewall((SavedRules(file, chains, whole),), ufw)


LOADED = fact(chain("inet", "refuse", policy="drop"))
SAME = "inet filter input drop"


@pytest.mark.parametrize(
    ("units", "files", "outcome"),
    [
        (boot("nftables"), saved(SAME), PASS),
        (boot("nftables", enabled="disabled"), saved(SAME), FAIL),
        (boot(), saved(SAME), FAIL),
        (boot("nftables"), saved("inet filter input accept"), FAIL),
        (boot("nftables"), saved(), FAIL),
        (boot("nftables"), saved(whole=False), Outcome.UNKNOWN),
        (boot("nftables"), SavedFirewall((), ufw_enabled=False), Outcome.UNKNOWN),
        (boot("firewalld"), SavedFirewall((), ufw_enabled=False), PASS),
        (boot("ufw"), saved(ufw=True), PASS),
        (boot("ufw"), saved(ufw=False), FAIL),
    ],
)
def test_rules_survive_a_reboot(units: Units, files: SavedFirewall, outcome: Outcome) -> None:
    [finding] = judged(firewall.persistent, LOADED, files, units)
    assert finding.outcome is outcome


def test_no_rules_cannot_be_lost() -> None:
    [finding] = judged(firewall.persistent, fact(), saved(), boot())
    assert finding.outcome is NONE


def test_a_tool_is_installed() -> None:
    def packages(name: str) -> Packages:
        return Packages("dpkg", (Package(name, "1", "all", name, "1"),))

    assert failing(firewall.installed, packages("ufw")) == []
    assert failing(firewall.installed, packages("bash")) == ["packet filter"]


@pytest.mark.parametrize(
    ("units", "files", "found"),
    [
        (boot("nftables"), saved(), {"managers": PASS}),
        (boot("nftables", "firewalld"), saved(), {"nftables": FAIL}),
        (boot("nftables", "ufw"), saved(ufw=True), {"nftables": FAIL}),
        (boot("nftables", "ufw"), saved(ufw=False), {"managers": PASS}),
        (boot("netfilter-persistent", "nftables"), saved(), {"iptables": FAIL}),
        (boot(), saved(), {"managers": NONE}),
    ],
)
def test_two_managers(units: Units, files: SavedFirewall, found: dict[str, Outcome]) -> None:
    findings = judged(firewall.one_manager, units, files)
    assert outcomes(findings) == found
    for finding in findings:
        if finding.outcome is FAIL:
            assert finding.fix.snippets[0].do.startswith(
                "unit=ne" if finding.on == "iptables" else "unit=nftables"
            )
