from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.transport.pace import BURST_SECONDS, Pace, Rounds


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def send(pace: Pace, clock: Clock, hosts: list[str], seconds: float) -> list[tuple[float, str]]:
    """Sends round-robin as fast as the pace allows; (time, host) of each packet."""
    sent = []
    end = clock.now + seconds
    place = 0
    while clock.now < end:
        host = hosts[place % len(hosts)]
        wait = pace.take(host)
        if wait > 0:
            clock.now += wait
        else:
            sent.append((clock.now, host))
            place += 1
    return sent


@pytest.mark.parametrize(
    ("total", "per_host", "hosts", "expected"), [(500, 50, 1, 50), (500, 50, 4, 200), (500, 50, 40, 500)]
)
def test_the_slower_limit_counts(total: int, per_host: int, hosts: int, expected: int) -> None:
    clock = Clock()
    sent = send(Pace(total, per_host, clock), clock, [f"h{n}" for n in range(hosts)], 10)
    assert expected * 10 * 0.95 <= len(sent) <= expected * 10 + hosts * (1 + per_host * BURST_SECONDS) + 1


def test_no_window_holds_more_than_the_rate_and_one_burst() -> None:
    clock = Clock()
    sent = send(Pace(500, 50, clock), clock, ["a", "b", "c"], 5)
    for host, rate in ((None, 500), ("a", 50)):
        times = [at for at, to in sent if host in (None, to)]
        burst = max(1.0, rate * BURST_SECONDS)
        for first, start in enumerate(times):
            inside = sum(1 for at in times[first:] if at < start + 0.5)
            assert inside <= rate * 0.5 + burst + 1


def test_a_quiet_minute_is_not_saved_up() -> None:
    clock = Clock()
    pace = Pace(500, 50, clock)
    clock.now += 60
    taken = 0
    while pace.take("a") == 0.0:
        taken += 1
    assert taken <= 50 * BURST_SECONDS + 1


def test_waiting_takes_nothing() -> None:
    clock = Clock()
    pace = Pace(10, 1, clock)
    assert pace.take("a") == 0.0
    waits = [pace.take("a") for _ in range(100)]
    assert all(0 < wait <= 1.0 for wait in waits)
    assert pace.take("b") > 0  # the total is a packet short as well, for a tenth of a second
    clock.now += 0.11
    assert pace.take("b") == 0.0


@pytest.mark.parametrize("rates", [(0, 1), (1, 0), (-5, 5)])
def test_a_rate_of_nothing_is_refused(rates: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Pace(*rates)


def test_two_threads_together_keep_to_the_rate() -> None:
    pace = Pace(0.001, 1000)
    taken: list[float] = []

    def take() -> None:
        taken.extend(wait for _ in range(200) if (wait := pace.take("a")) == 0.0)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(taken) == 1


def test_a_share_is_a_part_of_the_rates_and_can_be_given_back() -> None:
    clock = Clock()
    pace = Pace(100, 100, clock)
    pace.share(0.1)
    assert len(send(pace, clock, ["a"], 10)) <= 100 + 6
    pace.share(1.0)
    assert 950 <= len(send(pace, clock, ["a"], 10)) <= 1006


class Hosts:
    """Batches of all kinds, sent as early as the pace allows; when each packet to each host left."""

    def __init__(self, pace: Rounds, clock: Clock) -> None:
        self.pace, self.clock = pace, clock
        self.sent: list[tuple[float, int]] = []

    def send(self, hosts: Sequence[int], each: int) -> None:
        while (wait := self.pace.take(hosts, each)) > 0:
            self.clock.now += wait
        self.sent += [(self.clock.now, host) for host in hosts for _ in range(each)]

    def check(self, total: float, per_host: float) -> None:
        for host in {None, *(host for _, host in self.sent)}:
            rate = total if host is None else per_host
            times = [at for at, to in self.sent if host in (None, to)]
            burst = max(1.0, rate * BURST_SECONDS)
            for first, start in enumerate(times):
                for last in range(first, len(times)):
                    assert last - first + 1 <= rate * (times[last] - start) + burst + 1e-6, host


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(500, 50), (500, 500), (60, 40), (100_000, 300), (7, 3)]),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6), st.booleans(), st.integers(1, 9)), max_size=40),
    st.sampled_from([0.0, 0.4]),
)
def test_batches_of_any_kind_keep_both_rates(
    rates: tuple[int, int], batches: list[tuple[int, int, bool, int]], pause: float
) -> None:
    clock = Clock()
    total, per_host = rates
    hosts = Hosts(Rounds(total, per_host, 6, clock), clock)
    for start, length, run, most in batches:
        several: Sequence[int] = range(start, min(6, start + length))
        if not run:
            several = sorted({start, (start + length) % 6})
        each = min(most, hosts.pace.together, max(1, hosts.pace.batch // max(1, len(several))))
        if several and len(several) * each <= hosts.pace.batch:
            hosts.send(several, each)
            clock.now += pause
    hosts.check(total, per_host)


def test_rounds_over_many_hosts_reach_the_total_and_over_few_the_limit_of_each() -> None:
    for count, expected in ((100, 1000), (4, 200)):
        clock = Clock()
        hosts = Hosts(Rounds(1000, 50, count, clock), clock)
        began = clock.now
        while clock.now < began + 10:
            for start in range(0, count, hosts.pace.batch):
                hosts.send(range(start, min(count, start + hosts.pace.batch)), 1)
        assert expected * 10 * 0.93 <= len(hosts.sent) <= expected * 10.3


def test_loss_halves_the_rates_and_quiet_brings_them_back_slowly() -> None:
    clock = Clock()
    hosts = Hosts(Rounds(1000, 100, 50, clock), clock)
    assert hosts.pace.slow() == 500
    began = clock.now
    while clock.now < began + 4:
        hosts.send(range(5), 1)
    hosts.check(500, 50)
    for _ in range(10):
        hosts.pace.slow()
    assert hosts.pace.rate == 125
    steps = 0
    while hosts.pace.rate < 1000:
        hosts.pace.recover()
        steps += 1
    assert steps > 20
    assert hosts.pace.rate == 1000


def test_rounds_are_no_bottleneck() -> None:
    clock = Clock()
    pace = Rounds(150_000, 5_000, 256, clock)
    calls = 0
    while clock.now < 101.0:
        wait = pace.take(range(256))
        clock.now += wait
        calls += 1
    # Two calls for each batch: one that says how long to wait, one that takes.
    assert calls <= 2 * 150_000 / 256 + 80
