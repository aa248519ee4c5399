"""The packet filter, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.firewall import Firewall, InputChain
from checks.host import firewall
from checks.model import Outcome
from tests.checks.host.judging import checks_of, judged, outcomes, says_unknown

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


def test_a_host_without_any_tool_says_so() -> None:
    [first, _] = judged(firewall.active, Firewall((), (), ipv6=True))
    assert first.saw == "no tool that could load rules"


def test_rules_that_refuse_nothing_are_no_filter() -> None:
    idle = InputChain("nft", "inet", "filter", "input", "accept", 3, "accept", refuses=False)
    found = judged(firewall.active, fact(idle))
    assert {one.outcome for one in found} == {FAIL}
    assert "no rule refuses anything" in found[0].saw
