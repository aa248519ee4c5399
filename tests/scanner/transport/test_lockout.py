"""A credential that hosts refuse is given up before an account is locked."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from scanner.collect.collector import CollectError, Context, Failure, NotTriedError
from scanner.transport.lockout import Lockout


def alive() -> bool:
    return True


def attempt(
    lockout: Lockout, accepted: bool | None, credential: str = "root with key", seconds: float = 0
) -> None:
    with lockout.attempt(credential, "web:22", Context(), alive) as one:
        time.sleep(seconds)
        if accepted is None:
            raise CollectError(Failure.TRUNCATED, "lost")
        if not accepted:
            raise CollectError(Failure.AUTHENTICATION, "refused")
        one.settle(True)


def test_three_refusals_in_a_row_end_a_credential_and_no_other() -> None:
    lockout = Lockout()
    for _ in range(3):
        lockout.check("root with key", "web:22")
        with pytest.raises(CollectError, match="refused"):
            attempt(lockout, False)
    with pytest.raises(NotTriedError, match="refused by 3 hosts in a row") as caught:
        lockout.check("root with key", "db:22")
    assert caught.value.failure is Failure.AUTHENTICATION
    with pytest.raises(NotTriedError, match="refused by 3 hosts in a row"):
        attempt(lockout, True)
    attempt(lockout, True, "audit with key")


def test_a_success_between_begins_the_count_anew_and_a_lost_line_counts_nothing() -> None:
    lockout = Lockout()
    for accepted in (False, False, True, False, None, None, None, False):
        with suppress(CollectError):
            attempt(lockout, accepted)
        lockout.check("root with key", "web:22")
    attempt(lockout, True)


def at_once(lockout: Lockout, accepted: bool, many: int) -> tuple[int, int]:
    """(most at the same time, how many in all) of so many logins that all begin at once."""
    now = most = total = 0
    guard = threading.Lock()

    def one(_number: int) -> None:
        nonlocal now, most, total
        try:
            with lockout.attempt("c", "web:22", Context(), alive) as attempted:
                with guard:
                    now, total = now + 1, total + 1
                    most = max(most, now)
                time.sleep(0.03)
                with guard:
                    now -= 1
                attempted.settle(accepted)
        except CollectError:
            return

    with ThreadPoolExecutor(many) as pool:
        list(pool.map(one, range(many)))
    return most, total


def test_many_at_once_try_one_after_the_other_until_one_is_accepted() -> None:
    assert at_once(Lockout(), False, 12) == (1, 3)
    lockout = Lockout()
    attempt(lockout, True, "c")
    most, total = at_once(lockout, True, 12)
    assert most > 1
    assert total == 12


def test_logins_that_hang_are_passed_but_never_more_than_the_limit() -> None:
    lockout = Lockout(limit=2, lease=0.1)
    began: list[float] = []

    def hang(_number: int) -> None:
        try:
            with lockout.attempt("c", "web:22", Context(), alive) as attempted:
                began.append(time.monotonic())
                time.sleep(1)
                attempted.settle(False)
        except CollectError:
            return

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(hang, range(6)))
    assert len(began) == 2


def test_who_waits_hears_of_the_end() -> None:
    lockout = Lockout()
    holding, free = threading.Event(), threading.Event()

    def hold() -> None:
        with lockout.attempt("c", "a:22", Context(), alive):
            holding.set()
            free.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holding.wait(5)
    with pytest.raises(CollectError) as caught, lockout.attempt("c", "b:22", Context(), lambda: False):
        pass
    assert caught.value.failure is Failure.RESET
    context = Context()
    context.cancelled.set()
    with pytest.raises(CollectError) as caught, lockout.attempt("c", "b:22", context, alive):
        pass
    assert caught.value.failure is Failure.INTERRUPTED
    free.set()
    thread.join()
