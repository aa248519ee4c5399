"""The rights that a scan would use, said before it connects: IAM policy, sudoers, packets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from baselines.resolve import Demand
from baselines.resolve import needs as facts_of
from checks.model import Kind
from scanner.collect.collector import Permission


def permissions(demands: Sequence[Demand]) -> dict[Kind, tuple[Permission, ...]]:
    """What judging these demands asks of each kind of target."""
    # Each collector brings its transport; only the kinds that are demanded are imported.
    found: dict[Kind, tuple[Permission, ...]] = {}
    if wanted := facts_of(demands, Kind.HOST):
        import scanner.collect.host.collect as host

        found[Kind.HOST] = host.permissions(wanted)
    if wanted := facts_of(demands, Kind.NETWORK):
        import scanner.collect.network.collect as network

        found[Kind.NETWORK] = network.permissions(wanted)
    if wanted := facts_of(demands, Kind.AWS):
        import scanner.collect.cloud.collect as cloud

        found[Kind.AWS] = cloud.permissions(wanted)
    return found


def iam_policy(demands: Sequence[Demand]) -> str:
    """The IAM policy document that allows exactly the calls of these demands, as JSON."""
    import scanner.collect.cloud.collect as cloud

    return json.dumps(cloud.iam_policy(facts_of(demands, Kind.AWS)), indent=2)


def assume_policy(role: str) -> str:
    """The IAM policy of credentials that look at all accounts of an organization by this role, as JSON."""
    listing = ["organizations:DescribeOrganization", "organizations:ListAccounts"]
    statements = [
        {"Sid": "BartizanListsAccounts", "Effect": "Allow", "Action": listing, "Resource": "*"},
        {
            "Sid": "BartizanAssumesItsRole",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": f"arn:*:iam::*:role/{role}",
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def sudoers(asked: Iterable[Permission], user: str) -> str:
    """A sudoers file that lets this user run exactly the commands of the host probes, without a password."""
    commands = sorted({p.name for p in asked if p.kind == "sudo"})
    lines = [
        "# Lets the scanner read what only root may read, and nothing else. Check it with: visudo -cf FILE",
        f"# Then install it as /etc/sudoers.d/bartizan, owner root, mode 0440. The login is {user}.",
        f"Defaults:{user} !requiretty",
        "Cmnd_Alias BARTIZAN = \\\n    " + ", \\\n    ".join(commands),
        f"{user} ALL=(root) NOPASSWD: BARTIZAN",
    ]
    return "\n".join([*lines, ""])
