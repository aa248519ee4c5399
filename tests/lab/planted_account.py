"""A planted account: problems of every topic, their clean counterparts, and what is told of each.

What plants a topic builds its resources in the emulator and says of each what a scan has to find.
"""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from tests.lab.aws import ACCOUNT, MAIN, OTHER, client

__all__ = ["ACCOUNT", "MAIN", "OTHER", "Lab", "Planted"]


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

    def answer(
        self,
        service: str,
        operation: str,
        output: Any = None,
        *,
        region: str = "",
        about: str = "",
        error: tuple[int, str, str] | None = None,
    ) -> None:
        """From now on the emulator answers that call so: for what it does not serve, or serves wrongly.

        Times are written `{"$time": "2026-01-01T00:00:00Z"}`, bytes `{"$bytes": "<base64>"}`. `about` is a
        text that the request must hold (the name of a resource); `error` is status, code and message.
        """
        told = {
            "service": service,
            "operation": operation,
            "region": region,
            "about": about,
            "output": output,
            "error": error,
        }
        request = urllib.request.Request(
            f"{self.url}/lab-api/answer", json.dumps(told).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200
