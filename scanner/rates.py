"""How fast a scan may send: what the scope says, and what the command line says beside it."""

from __future__ import annotations

from collections.abc import Iterable

from scanner import app
from scanner.collect.run import Options
from scanner.scope import NetworkScope, PlannedTarget
from scanner.scope.file import MOST_PACKETS_PER_SECOND


def rates(options: Options, way: NetworkScope) -> tuple[int, int]:
    """(packets a second to a network, and of those to one host)."""
    total = options.rate or way.rate
    return total, min(total, options.rate_per_host or way.per_host)


def check_rates(options: Options, targets: Iterable[PlannedTarget], *, scoped: bool, lab: bool) -> None:
    """Refuses rates that nobody has agreed to: above the scope's own, or above what any scope may say.

    `lab` is the word of whoever runs this that the networks are test networks of his own.

    Raises:
        UsageError: one line with the mend.

    """
    if lab:
        return
    asked = (("--rate", options.rate), ("--rate-per-host", options.rate_per_host))
    for name, value in asked:
        if value > MOST_PACKETS_PER_SECOND:
            raise app.UsageError(
                f"{name} {value}: more than {MOST_PACKETS_PER_SECOND} packets/s is for a test network "
                "of your own; say so with --lab"
            )
    for one in targets if scoped else ():
        if isinstance(one.access, NetworkScope):
            allowed = (one.access.rate, one.access.per_host)
            for (name, value), most in zip(asked, allowed, strict=True):
                if value > most:
                    raise app.UsageError(
                        f"{name} {value}: the scope allows {most} packets/s for {one.target.name}; "
                        "raise its rate: there"
                    )
