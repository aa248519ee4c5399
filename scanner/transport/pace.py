"""How fast packets may leave: token buckets, for all targets together and for each host."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Hashable, Sequence
from time import monotonic

BURST_SECONDS = 0.05
"""A bucket holds what its rate gives in this time (at least one): no burst longer than that."""
_LEAST = 1 / 8
_HAIR = 1e-9
"""A token that rounding left this short counts: the caller would spin on zero-length waits."""


class Bucket:
    """A token bucket: over any `s` seconds it gives at most `rate * s + size` tokens."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self.size = max(1.0, rate * BURST_SECONDS)
        self._tokens = self.size
        self._at = now

    def delay(self, now: float, tokens: int = 1) -> float:
        """Seconds until there are that many tokens (no more than `size`); 0.0 if there are."""
        self._tokens = min(self.size, self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = max(self._at, now)
        return max(0.0, (tokens - self._tokens) / self.rate)

    def take(self, tokens: int = 1) -> None:
        """Removes the tokens that `delay` promised."""
        self._tokens -= tokens


class Pace:
    """Two limits at once: `total` packets a second to everybody and `per_host` to one host.

    Safe to call from several threads.
    """

    def __init__(self, total: float, per_host: float, clock: Callable[[], float] = monotonic) -> None:
        _above_zero(total, per_host)
        self._clock = clock
        self._given = (total, per_host)
        self._per_host = per_host
        self._lock = threading.Lock()
        self._all = Bucket(total, clock())
        self._hosts: dict[Hashable, Bucket] = {}

    def take(self, host: Hashable) -> float:
        """0.0 if one packet to that host may leave now (and counts as sent), else the seconds to wait.

        Whoever waits asks again: nothing is reserved, so that no burst builds up behind a slow host.
        """
        with self._lock:
            now = self._clock()
            bucket = self._hosts.get(host)
            if bucket is None:
                bucket = self._hosts[host] = Bucket(self._per_host, now)
            wait = max(self._all.delay(now), bucket.delay(now))
            if wait > _HAIR:
                return wait
            self._all.take()
            bucket.take()
            return 0.0

    def share(self, part: float) -> None:
        """From now on only this part of the rates: somebody else sends to the same hosts with the rest."""
        with self._lock:
            total, per_host = (rate * part for rate in self._given)
            now = self._clock()
            self._per_host = per_host
            for bucket, rate in ((self._all, total), *((b, per_host) for b in self._hosts.values())):
                bucket.delay(now)
                bucket.rate, bucket.size = rate, max(1.0, rate * BURST_SECONDS)


class Rounds:
    """The same two limits for batches, over hosts that are numbered from 0.

    Costs a few steps per batch where its hosts stand next to each other, and eight bytes per host. The
    limits hold for any mix of batches; `slow` and `recover` change the rates on the way.
    """

    def __init__(
        self, total: float, per_host: float, hosts: int, clock: Callable[[], float] = monotonic
    ) -> None:
        _above_zero(total, per_host)
        self._clock = clock
        self._total, self._per_host = total, per_host
        self._part = 1.0
        self._all = Bucket(total, clock())
        # What every host gets in any case is no limit for one of them.
        self._bounded = per_host < total
        self._step = 1 / per_host
        self._slack = (max(1.0, per_host * BURST_SECONDS) - 1) * self._step
        # When the next packet to each host would be due if they left evenly; nobody starts with a burst.
        self._due = array("d", [clock() + self._slack]) * hosts

    @property
    def rate(self) -> float:
        """Packets a second to everybody, as it is now."""
        return self._total * self._part

    @property
    def batch(self) -> int:
        """The most packets of one batch: what leaves in a hundredth of a second, at least one."""
        return max(1, min(int(self._all.rate / 100), int(self._all.size)))

    @property
    def together(self) -> int:
        """The most packets to one host in one batch."""
        return int(self._slack / self._step + 1e-6) + 1 if self._bounded else self.batch

    def take(self, hosts: Sequence[int], each: int = 1) -> float:
        """0.0 if `each` packets to these hosts may leave now (and count as sent), else the seconds to wait.

        A host gets at most `together` packets at once, and a batch has at most `batch`.
        """
        now = self._clock()
        packets = len(hosts) * each
        wait = self._all.delay(now, packets)
        if self._bounded:
            most = max(now, *[self._due[host] for host in hosts]) if len(hosts) else now
            wait = max(wait, most + (each - 1) * self._step - self._slack - now)
        if wait > _HAIR:
            return wait
        self._all.take(packets)
        if self._bounded:
            self._put_off(hosts, most, each * self._step)
        return 0.0

    def slow(self) -> float:
        """Halves the rates, down to an eighth; the total that holds from now on."""
        self._scale(max(_LEAST, self._part / 2))
        return self.rate

    def recover(self) -> None:
        """A tenth faster, up to the rates that were given."""
        if self._part < 1:
            self._scale(min(1.0, self._part * 1.1))

    def _put_off(self, hosts: Sequence[int], now: float, seconds: float) -> None:
        """Moves on when these hosts are due; all as the one that was due last, which is never too early."""
        if isinstance(hosts, range):
            self._due[hosts.start : hosts.stop] = array("d", [now + seconds]) * len(hosts)
            return
        for host in hosts:
            self._due[host] = now + seconds

    def _scale(self, part: float) -> None:
        self._part = part
        self._all.rate = self._total * part
        self._all.size = max(1.0, self._all.rate * BURST_SECONDS)
        self._bounded = self._per_host < self._total
        self._step = 1 / (self._per_host * part)
        self._slack = (max(1.0, self._per_host * part * BURST_SECONDS) - 1) * self._step


def _above_zero(*rates: float) -> None:
    if min(rates) <= 0:
        raise ValueError("a rate is above 0 packets a second")
