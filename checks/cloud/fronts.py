"""Load balancers that the internet reaches: the doors of instances that have no public address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.cloud.reach import Reach, Reached
from checks.facts.cloud.ec2 import Interface
from checks.facts.cloud.elb import Balancer, Balancers, Listeners


@dataclass(frozen=True, slots=True)
class Front:
    """A public load balancer: over what it is reached, or what stands before it and was not told."""

    name: str
    kind: str
    reached: Reached | None
    hidden: str = ""


def fronts(balancers: Balancers, listeners: Listeners, network: Reach) -> Mapping[str, Front]:
    """The public load balancers, by ARN."""
    ports: dict[str, list[int]] = {}
    for one in listeners.listeners:
        ports.setdefault(one.balancer, []).append(one.port)
    return {
        one.arn: _front(one, ports.get(one.arn, []), network) for one in balancers.balancers if one.public
    }


def _front(one: Balancer, ports: list[int], network: Reach) -> Front:
    # Something leads from it to targets, so that it listens: no port means that none was told.
    hidden = [] if ports else [f"the listeners of {one.name}"]
    for subnet in one.subnets:
        told = ("its public address",)
        card = Interface(one.name, one.region, one.vpc, subnet, one.groups, "", "balancer", told, ())
        found = network.open_ports(card, ports, grouped=bool(one.groups) or one.kind == "application")
        if found:
            return Front(one.name, one.kind, found[0])
        hidden.append(network.hidden(card))
    return Front(one.name, one.kind, None, ", ".join(dict.fromkeys(name for name in hidden if name)))
