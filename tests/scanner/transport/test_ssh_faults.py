"""Every way in which a host can fail over SSH: its kind of error, its end, and never a pass for a check."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from baselines.evaluate import evaluate
from baselines.resolve import Demand
from checks.catalogue import load
from checks.check import Check
from checks.facts.snapshot import Fact, Snapshot
from checks.model import Kind, Outcome
from scanner.collect.collector import Context, Failure, NotTriedError, nothing_seen
from scanner.collect.run import Options, Worker
from scanner.dispatch.jobs import Job, Result
from scanner.scope import Scope, plan
from tests.lab.parts import LOOPBACK
from tests.lab.ssh import running_sshd
from tests.lab.ssh_faults import Fault, FaultyServer, faulty_ssh

pytestmark = pytest.mark.real
CATALOGUE = load()
HOST_CHECKS = [check for check in CATALOGUE.checks.values() if check.kind is Kind.HOST]
WANTED: frozenset[type[Fact]] = frozenset(fact for check in HOST_CHECKS for fact in check.needs)
AT = "2026-11-20T10:00:00Z"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
QUICK = 3.0


def demand(check: Check[Any]) -> Demand:
    options = MappingProxyType({name: option.default for name, option in check.options.items()})
    return Demand(check, options, check.severity, {}, "every", "one")


DEMANDS = [demand(check) for check in HOST_CHECKS]


def worker(server: FaultyServer, **options: Any) -> tuple[Worker, list[Job]]:
    """A worker for that server, as a scan of it without a scope file would have it."""
    made = plan(Scope.empty(), [f"root@{LOOPBACK}:{server.port}"], now=datetime.now(UTC))
    given = {"connect_seconds": 1.0, "host_seconds": QUICK} | options
    work = Worker(
        plan={one.target.spec: one for one in made.targets},
        wanted={Kind.HOST: WANTED},
        guard=made.guard,
        options=Options(ssh_keys=(server.key,), known_hosts=(server.known_hosts,), **given),
        context=Context(),
    )
    return work, [Job(n, one.target) for n, one in enumerate(made.targets, 1)]


def outcomes(result: Result) -> set[Outcome]:
    """The outcomes of the whole catalogue for what a job gave."""
    snapshots: list[Snapshot] = list(result.snapshots)
    if result.error and not snapshots:
        snapshots = [nothing_seen(result.job.target, WANTED, result.error, AT)]
    assert snapshots
    return {one.outcome for snapshot in snapshots for one in evaluate(DEMANDS, snapshot, now=NOW)}


ROWS = [
    (Fault.REFUSES, Failure.UNREACHABLE, "refused", 0),
    (Fault.RESETS, Failure.RESET, "before a greeting", 2),
    (Fault.SILENT, Failure.SILENT, "no SSH greeting", 2),
    (Fault.NOT_SSH, Failure.PROTOCOL, "not SSH: '220 mail", 1),
    (Fault.ENDLESS_BANNER, Failure.PROTOCOL, "not SSH: 'welcome'", 1),
    (Fault.ACCEPTS_AND_CLOSES, Failure.RESET, "closed before a greeting", 2),
    (Fault.RESETS_IN_EXCHANGE, Failure.RESET, "lost during the key exchange", 2),
    (Fault.SILENT_IN_EXCHANGE, Failure.TIMEOUT, "during the key exchange", 1),
    (Fault.REFUSES_LOGIN, Failure.AUTHENTICATION, "refused for root", 1),
    (Fault.ASKS_A_PERSON, Failure.AUTHENTICATION, "only by keyboard-interactive", 1),
    (Fault.CLOSES_AT_LOGIN, Failure.AUTHENTICATION, "ended the connection during the login", 1),
    (Fault.HANGS_AT_LOGIN, Failure.TIMEOUT, "login", 1),
    (Fault.REFUSES_EXEC, Failure.PROTOCOL, "during the script", 1),
    (Fault.HANGS, Failure.TIMEOUT, "during the script", 1),
    (Fault.DRIPS, Failure.TIMEOUT, "during the script", 1),
    (Fault.CUTS, Failure.TRUNCATED, "in the middle of the answer", 1),
    (Fault.NO_STATUS, Failure.TRUNCATED, "in the middle of the answer", 1),
    (Fault.ENDLESS_OUTPUT, Failure.TOO_LARGE, "bytes of output", 1),
    (Fault.FORGED, Failure.PROTOCOL, "no answer of the script", 1),
    (Fault.ASKS_FOR_SUDO, Failure.TIMEOUT, "during the script", 1),
]


@pytest.fixture(scope="module", autouse=True)
def _answered(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The healthy answer is made before anybody looks at a clock; and a healthy server does pass checks."""
    with faulty_ssh(Fault.NONE, tmp_path_factory.mktemp("healthy")) as server:
        work, [job] = worker(server, host_seconds=300)
        result = work(job)
        assert result.error is None
        assert Outcome.PASS in outcomes(result)
        assert server.seen.connections == 1
        assert server.seen.execs == ["sh -s"]
        assert (server.seen.terminals, server.seen.agents) == (0, 0)


@pytest.mark.parametrize(
    ("fault", "failure", "words", "connections"), ROWS, ids=[str(row[0]) for row in ROWS]
)
def test_each_fault_has_its_kind_its_end_and_no_pass(
    tmp_path: Path, fault: Fault, failure: Failure, words: str, connections: int
) -> None:
    with faulty_ssh(fault, tmp_path / "server") as server:
        work, [job] = worker(server)
        began = time.monotonic()
        result = work(job)
        took = time.monotonic() - began
        assert result.error is not None
        assert result.error.failure is failure, result.error
        assert words in str(result.error)
        assert "\n" not in str(result.error)
        assert took < QUICK + 3, took
        assert result.snapshots == ()
        assert outcomes(result) == {Outcome.UNKNOWN}
        assert server.seen.connections == connections
        assert server.seen.logins <= 1
        assert (server.seen.terminals, server.seen.agents) == (0, 0)


def test_sections_out_of_order_are_gaps_and_never_a_pass(tmp_path: Path) -> None:
    with faulty_ssh(Fault.OUT_OF_ORDER, tmp_path / "server") as server:
        work, [job] = worker(server, host_seconds=60)
        result = work(job)
        assert result.error is None
        [snapshot] = result.snapshots
        assert snapshot.facts == {}
        assert Outcome.PASS not in outcomes(result)


def test_a_host_key_that_changes_between_two_connections_is_refused_the_second_time(tmp_path: Path) -> None:
    with faulty_ssh(Fault.OTHER_KEY, tmp_path / "server") as server:
        work, [job] = worker(server, host_seconds=60)
        assert work(job).error is None
        before = server.seen.logins
        result = work(job)
        assert result.error is not None
        assert result.error.failure is Failure.HOST_KEY
        assert "CHANGED" in str(result.error)
        assert server.seen.logins == before
        assert outcomes(result) == {Outcome.UNKNOWN}


@pytest.mark.parametrize("extra", ["HostKeyAlgorithms ssh-rsa", "KexAlgorithms diffie-hellman-group1-sha1"])
def test_a_device_of_yesterday_passes_nothing(tmp_path: Path, extra: str) -> None:
    with running_sshd(tmp_path, extra, host_key="rsa") as old:
        server = FaultyServer(old.port, old.key, old.known_hosts, None)  # type: ignore[arg-type]
        work, [job] = worker(server, host_seconds=20)
        result = work(job)
        assert result.error is not None
        assert result.error.failure is Failure.ALGORITHMS
        assert outcomes(result) == {Outcome.UNKNOWN}


def test_a_credential_that_three_hosts_refuse_is_not_tried_at_the_fourth(tmp_path: Path) -> None:
    """One worker, many jobs at once, as a scan has it."""
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import ExitStack

    from scanner.app import _state_of
    from scanner.store.record import JobState

    with ExitStack() as stack:
        servers = [stack.enter_context(faulty_ssh(Fault.REFUSES_LOGIN, tmp_path / str(n))) for n in range(8)]
        words = [f"root@{LOOPBACK}:{server.port}" for server in servers]
        made = plan(Scope.empty(), words, now=datetime.now(UTC))
        known = tuple(server.known_hosts for server in servers)
        work = Worker(
            plan={one.target.spec: one for one in made.targets},
            wanted={Kind.HOST: WANTED},
            guard=made.guard,
            options=Options(
                ssh_keys=(servers[0].key,), known_hosts=known, connect_seconds=2, host_seconds=20
            ),
            context=Context(),
        )
        jobs = [Job(n, one.target) for n, one in enumerate(made.targets, 1)]
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(work, jobs))
        assert sum(server.seen.logins for server in servers) == 3
        assert {result.error.failure for result in results if result.error} == {Failure.AUTHENTICATION}
        left = [result for result in results if isinstance(result.error, NotTriedError)]
        assert len(left) == 5
        assert all("refused by 3 hosts in a row" in str(result.error) for result in left)
        assert all(_state_of(result.error) is JobState.NOT_SCANNED for result in left)
        assert {one for result in results for one in outcomes(result)} == {Outcome.UNKNOWN}
        # Another credential is another matter.
        other = replace(work, options=replace(work.options, ssh_keys=(servers[1].key,)))
        assert not isinstance(other(jobs[7]).error, NotTriedError)
        assert servers[7].seen.logins >= 1
