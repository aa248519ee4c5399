"""Stops before an account is locked: a credential that was refused too often is not tried any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from scanner.collect.collector import CollectError, Context, Failure, NotTriedError

LIMIT = 3
"""Refused logins in a row, over all hosts, after which a credential is given up."""

_LEASE = 10.0
_TICK = 0.2


@dataclass(slots=True)
class _State:
    failures: int = 0
    proven: bool = False
    under_way: int = 0
    begun: float = 0.0


@dataclass(slots=True)
class Attempt:
    """One login under way; `settle` says how it ended, once."""

    _settle: Callable[[bool | None], None]
    settled: bool = False

    def settle(self, accepted: bool | None) -> None:
        """Accepted, refused, or None where the host said neither."""
        if not self.settled:
            self.settled = True
            self._settle(accepted)


@dataclass(frozen=True, slots=True)
class Lockout:
    """Counts the refusals of each credential over a whole scan; safe to use from several threads.

    Until a credential has been accepted once its logins go one after the other, so that many hosts asked
    at once cannot lock an account. One that a host leaves hanging is passed after `lease` seconds, but
    refused ones and hanging ones together are never more than `limit`.
    """

    limit: int = LIMIT
    lease: float = _LEASE
    _states: dict[str, _State] = field(default_factory=dict, repr=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    def check(self, credential: str, name: str) -> None:
        """Nothing, while the credential may be tried.

        Raises:
            NotTriedError: it was refused too often; `name` is the host that is left alone.

        """
        with self._changed:
            self._refuse(self._state(credential), credential, name)

    @contextmanager
    def attempt(
        self, credential: str, name: str, context: Context, alive: Callable[[], bool]
    ) -> Iterator[Attempt]:
        """Lets one login through. A refusal raised inside counts as one, anything else as no answer.

        Raises:
            NotTriedError: the credential was refused too often meanwhile.
            CollectError: the connection did not survive the wait (`alive`), or a wish to stop.

        """
        state = self._admitted(credential, name, context, alive)
        attempt = Attempt(lambda accepted: self._settled(state, accepted))
        try:
            yield attempt
        except CollectError as error:
            attempt.settle(False if error.failure is Failure.AUTHENTICATION else None)
            raise
        finally:
            attempt.settle(None)

    def _state(self, credential: str) -> _State:
        return self._states.setdefault(credential, _State())

    def _refuse(self, state: _State, credential: str, name: str) -> None:
        if state.failures >= self.limit:
            message = (
                f"{name}: not tried: the login as {credential} was refused by {state.failures} hosts in a "
                "row, and more refusals could lock the account"
            )
            raise NotTriedError(Failure.AUTHENTICATION, message, "a key that the hosts accept")

    def _admitted(self, credential: str, name: str, context: Context, alive: Callable[[], bool]) -> _State:
        with self._changed:
            state = self._state(credential)
            while True:
                context.check()
                self._refuse(state, credential, name)
                now = time.monotonic()
                alone = state.under_way == 0 or now - state.begun > self.lease
                if state.proven or (alone and state.failures + state.under_way < self.limit):
                    state.under_way += 1
                    state.begun = now
                    return state
                if not alive():
                    message = f"{name}: the host closed the connection that waited for its turn to log in"
                    raise CollectError(Failure.RESET, message)
                self._changed.wait(_TICK)

    def _settled(self, state: _State, accepted: bool | None) -> None:
        with self._changed:
            state.under_way -= 1
            if accepted is not None:
                state.proven = accepted
                state.failures = 0 if accepted else state.failures + 1
            self._changed.notify_all()
