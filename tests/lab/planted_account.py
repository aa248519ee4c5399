"""A planted account: problems of every topic, their clean counterparts, and what is told of each.

Every module of `tests/lab/account` plants one topic: its `plant(lab)` builds the resources in the
emulator and says of each what a scan has to find. `plant_account(url)` runs them all, those last that
depend on what the others planted: they say `LAST = True`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.lab.aws import ACCOUNT, MAIN, OTHER, client, put_answer

__all__ = ["ACCOUNT", "MAIN", "OTHER", "Lab", "Peers", "Planted", "name_peers", "plant_account"]

Peers = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""By check of ours: the checks of Prowler and of ScoutSuite that would count as finding the same."""
_TOPICS = Path(__file__).with_name("account")


@dataclass(frozen=True)
class Planted:
    """One thing that was planted, and which check judges it about which resource.

    `note` says in words what is wrong or right with it, `fools` whether a naive reading gets it wrong.
    `names` are the texts by which another tool names the resource (ARN, id, name), `prowler` and `scout`
    the checks of those tools that would count as finding it.
    """

    check: str
    on: str
    region: str
    bad: bool
    note: str
    fools: bool = False
    names: tuple[str, ...] = ()
    prowler: tuple[str, ...] = ()
    scout: tuple[str, ...] = ()


@dataclass
class Lab:
    """The account while it is being planted."""

    url: str
    account: str = ACCOUNT
    planted: list[Planted] = field(default_factory=list)

    def client(self, service: str, region: str = MAIN) -> Any:
        """A boto3 client that may write."""
        return client(self.url, service, region)

    def problem(self, check: str, on: str, note: str, *, region: str = "", **more: Any) -> None:
        """Something that the check must fail on. `region` as the finding has it, empty for global things."""
        self.planted.append(Planted(check, on, region, True, note, **more))

    def clean(self, check: str, on: str, note: str, *, region: str = "", **more: Any) -> None:
        """Something that the check must pass."""
        self.planted.append(Planted(check, on, region, False, note, **more))

    def answer(self, service: str, operation: str, output: Any = None, **more: Any) -> None:
        """From now on the emulator answers that call so; see `put_answer`."""
        put_answer(self.url, service, operation, output, **more)


def name_peers(
    lab: Lab,
    first: int,
    peers: Peers,
    *,
    of_account: Callable[[Planted], tuple[str, ...]] | None = None,
) -> None:
    """Says of everything that was planted from there on how other tools would name and find it.

    `peers` has the checks of Prowler and of ScoutSuite by the check of ours; `of_account` names what has no
    ARN, where its own name would not do.
    """
    for at in range(first, len(lab.planted)):
        one = lab.planted[at]
        prowler, scout = peers.get(one.check, ((), ()))
        own: tuple[str, ...] = (one.on, one.on.rpartition(":")[2].rpartition("/")[2])
        if of_account and not one.on.startswith("arn:"):
            own = of_account(one)
        lab.planted[at] = replace(one, names=one.names or own, prowler=prowler, scout=scout)


def plant_account(url: str, *topics: str) -> Lab:
    """Plants these topics (none: all of them) into the emulator there."""
    lab = Lab(url)
    names = sorted(one.name for one in pkgutil.iter_modules([str(_TOPICS)]) if one.name != "__main__")
    chosen = [
        importlib.import_module(f"tests.lab.account.{one}") for one in names if not topics or one in topics
    ]
    for topic in sorted(chosen, key=lambda one: bool(getattr(one, "LAST", False))):
        topic.plant(lab)
    return lab
