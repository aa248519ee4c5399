"""What a chain of the packet filter leaves to its policy, once its rules have let in what they name."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.host.firewall import InputChain, PortRule

_HALF = 65_536 // 2


def rest_of(chain: InputChain, family: str) -> str:
    """What becomes of most ports: a rule for nearly all of them leaves the policy nothing to refuse."""
    if chain.rest != "refuse":
        return "accept"
    ends = {_most(chain, family, protocol) for protocol in ("tcp", "udp")}
    return next((one for one in ("accept", "unclear") if one in ends), "refuse")


def _most(chain: InputChain, family: str, protocol: str) -> str:
    rules = [rule for rule in chain.ports if (rule.family, rule.protocol) == (family, protocol)]
    # A limit of the rate alone lets everybody in, one after the other.
    let_in = [rule for rule in rules if rule.does == "accept" or rule.limits == ("rate",)]
    unclear = [rule for rule in rules if rule.does == "unclear"]
    if _count(let_in) > _HALF:
        return "accept"
    return "unclear" if _count([*let_in, *unclear]) > _HALF else "refuse"


def _count(rules: Iterable[PortRule]) -> int:
    return sum(rule.last - rule.first + 1 for rule in rules)
