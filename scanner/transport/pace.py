"""How fast packets may leave: token buckets, for all targets together and for each host."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import monotonic

BURST_SECONDS = 0.05
"""A bucket holds what its rate gives in this time (at least one): no burst longer than that."""


class Bucket:
    """A token bucket: over any `s` seconds it gives at most `rate * s + size` tokens."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self.size = max(1.0, rate * BURST_SECONDS)
        self._tokens = self.size
        self._at = now

    def delay(self, now: float) -> float:
        """Seconds until there is a token; 0.0 if there is one."""
        self._tokens = min(self.size, self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = now
        return max(0.0, (1.0 - self._tokens) / self.rate)

    def take(self) -> None:
        """Removes the token that `delay` promised."""
        self._tokens -= 1.0


class Pace:
    """Two limits at once: `total` packets a second to everybody and `per_host` to one host."""

    def __init__(self, total: float, per_host: float, clock: Callable[[], float] = monotonic) -> None:
        if total <= 0 or per_host <= 0:
            raise ValueError("a rate is above 0 packets a second")
        self._clock = clock
        self._per_host = per_host
        self._all = Bucket(total, clock())
        self._hosts: dict[Hashable, Bucket] = {}

    def take(self, host: Hashable) -> float:
        """0.0 if one packet to that host may leave now (and counts as sent), else the seconds to wait.

        Whoever waits asks again: nothing is reserved, so that no burst builds up behind a slow host.
        """
        now = self._clock()
        bucket = self._hosts.get(host)
        if bucket is None:
            bucket = self._hosts[host] = Bucket(self._per_host, now)
        wait = max(self._all.delay(now), bucket.delay(now))
        # A token that rounding left a hair short would make the caller spin on zero-length waits.
        if wait > 1e-9:
            return wait
        self._all.take()
        bucket.take()
        return 0.0
