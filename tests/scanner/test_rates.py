from __future__ import annotations

from pathlib import Path

import pytest

from scanner.app import UsageError
from scanner.collect.run import Options
from scanner.prepare import Request, options_of, prepare
from scanner.rates import rates
from scanner.scope import NetworkScope

SCOPE = """\
version: 1
organisation: Lab
authorisation: {by: The tests, reference: this file, until: 2099-12-31}
networks:
  - {name: lab, cidrs: [10.88.0.0/28], ports: [22, 80]}
rate: {packets_per_second: 700, per_host: 70}
"""


@pytest.fixture
def scope(tmp_path: Path) -> Path:
    path = tmp_path / "scope.yaml"
    path.write_text(SCOPE)
    return path


def network(request: Request) -> tuple[Options, NetworkScope]:
    prepared = prepare(request)
    way = prepared.plan.targets[0].access
    assert isinstance(way, NetworkScope)
    return options_of(request, 10), way


def test_without_a_word_the_scope_decides(scope: Path) -> None:
    assert rates(*network(Request(scope=scope))) == (700, 70)
    assert rates(*network(Request(("10.88.0.0/28",), authorised=True))) == (500, 50)


def test_one_may_always_be_slower_and_one_host_never_gets_more_than_all(scope: Path) -> None:
    assert rates(*network(Request(scope=scope, rate=100))) == (100, 70)
    assert rates(*network(Request(scope=scope, rate=50))) == (50, 50)
    assert rates(*network(Request(scope=scope, rate_per_host=5))) == (700, 5)


@pytest.mark.parametrize(
    ("rate", "per_host", "words"),
    [
        (701, None, "--rate 701: the scope allows 700 packets/s for lab; raise its rate: there"),
        (None, 71, "--rate-per-host 71: the scope allows 70 packets/s for lab"),
        (5001, None, "--rate 5001: more than 5000 packets/s is for a test network of your own"),
    ],
)
def test_faster_than_the_scope_is_refused(
    scope: Path, rate: int | None, per_host: int | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        prepare(Request(scope=scope, rate=rate, rate_per_host=per_host))


def test_without_a_scope_five_thousand_are_the_most_and_a_lab_has_no_most(scope: Path) -> None:
    words = ("10.88.0.0/28",)
    assert rates(*network(Request(words, authorised=True, rate=5000, rate_per_host=600))) == (5000, 600)
    with pytest.raises(UsageError, match="say so with --lab"):
        prepare(Request(words, authorised=True, rate=5000, rate_per_host=5001))
    fast = Request(words, authorised=True, rate=100_000, rate_per_host=20_000, lab=True)
    assert rates(*network(fast)) == (100_000, 20_000)
    assert rates(*network(Request(scope=scope, rate=100_000, lab=True))) == (100_000, 70)


def test_the_record_of_the_scan_says_it() -> None:
    request = Request(("10.88.0.0/28",), authorised=True, rate=9000, lab=True)
    options = prepare(request).record.options
    assert (options["rate"], options["rate_per_host"], options["lab"]) == ("9000", "", "yes")


def test_a_dry_run_counts_with_the_slower_of_the_two() -> None:
    request = Request(("10.88.0.0/28",), authorised=True, ports="1-6000", rate=1000, rate_per_host=10)
    prepared = prepare(request)
    told = prepared.effort(prepared.plan.targets[0])
    assert "10.0 min at 1,000/s" in told
