from __future__ import annotations

import pytest

from scanner.transport.pace import BURST_SECONDS, Pace


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
