"""Network access lists in rule order, flow logs and default groups."""

from __future__ import annotations

import pytest

from checks import Exposure, Outcome, Severity, Verdict
from checks.cloud.vpc import acl_admin_ports, default_group, flow_logs
from checks.facts.cloud.ec2 import NetworkInterfaces
from checks.facts.cloud.vpc import AclEntry, FlowLog, FlowLogs, Vpc, Vpcs
from tests.checks.cloud.examples.beginnings import HERE, IDLE, A, R, acl, entry, group, interface, tcp

WORLD = "0.0.0.0/0"
SOMEBODY = NetworkInterfaces(A, HERE, (IDLE,))


def judge(*entries: AclEntry) -> Verdict:
    [verdict] = acl_admin_ports(acl(*entries), SOMEBODY)
    return verdict


@pytest.mark.parametrize(
    ("entries", "ok"),
    [
        ((), True),
        ((entry(100, True, WORLD),), False),
        ((entry(100, True, WORLD, protocol="-1"),), False),
        ((entry(100, True, "::/0", 22, 22),), False),
        ((entry(100, True, WORLD, 80, 443),), True),
        ((entry(100, True, WORLD, protocol="udp"),), True),
        ((entry(90, False, WORLD, 22, 22), entry(100, True, WORLD, 22, 22)), True),
        ((entry(100, True, WORLD, 22, 22), entry(110, False, WORLD, 22, 22)), False),
        ((entry(90, False, "10.0.0.0/8", 22, 22), entry(100, True, WORLD, 22, 22)), False),
        ((entry(90, False, "0.0.0.0/1", 22, 22), entry(100, True, WORLD, 22, 22)), False),
        (
            (
                entry(80, False, "0.0.0.0/1", 22, 22),
                entry(90, False, "128.0.0.0/1", 0, 1024, "-1"),
                entry(100, True, WORLD, 22, 22),
            ),
            True,
        ),
        ((entry(90, False, WORLD, 22, 22), entry(100, True, "::/0", 22, 22)), False),
        ((entry(90, True, "198.51.100.0/24", 22, 22), entry(100, False, WORLD, 22, 22)), True),
        ((entry(100, True, "0.0.0.0/1", 22, 22), entry(101, True, "128.0.0.0/1", 22, 22)), False),
    ],
)
def test_the_first_entry_that_matches_decides(entries: tuple[AclEntry, ...], ok: bool) -> None:
    assert judge(*entries).ok is ok


def test_a_list_is_graded_by_what_is_behind_it() -> None:
    open_list = entry(100, True, WORLD)

    def graded(subnets: tuple[str, ...], users: NetworkInterfaces) -> tuple[Severity | None, Exposure | None]:
        [verdict] = acl_admin_ports(acl(open_list, subnets=subnets), users)
        assert verdict.outcome is Outcome.FAIL
        return verdict.severity, verdict.exposure

    public = NetworkInterfaces(A, HERE, (interface(("198.51.100.7",)),))
    assert graded((), public) == (Severity.INFO, Exposure.UNREACHABLE)
    assert graded(("subnet-1",), NetworkInterfaces(A, HERE, ())) == (Severity.INFO, Exposure.UNREACHABLE)
    assert graded(("subnet-1",), SOMEBODY) == (None, Exposure.OTHER_ZONE)
    assert graded(("subnet-1",), public) == (Severity.MEDIUM, Exposure.INTERNET_LIMITED)
    assert graded(("subnet-1",), NetworkInterfaces(A, (), ())) == (None, Exposure.UNKNOWN)


@pytest.mark.parametrize(
    ("log", "ok"),
    [
        (FlowLog("fl-1", R, "vpc-1", True, True, "ALL"), True),
        (FlowLog("fl-1", R, "vpc-1", True, True, "REJECT"), True),
        (FlowLog("fl-1", R, "vpc-1", True, True, "ACCEPT"), False),
        (FlowLog("fl-1", R, "vpc-1", False, True, "ALL"), False),
        (FlowLog("fl-1", R, "vpc-1", True, False, "ALL"), False),
        (FlowLog("fl-1", R, "vpc-2", True, True, "ALL"), False),
        (FlowLog("fl-1", R, "subnet-1", True, True, "ALL"), False),
    ],
)
def test_only_a_flow_log_that_works_counts(log: FlowLog, ok: bool) -> None:
    [verdict] = flow_logs(Vpcs(A, HERE, (Vpc("vpc-1", R, False),)), FlowLogs(A, HERE, (log,)), SOMEBODY)
    assert verdict.ok is ok


def test_flow_logs_of_an_unread_region_are_not_judged() -> None:
    vpcs = Vpcs(A, HERE, (Vpc("vpc-1", R, False),))
    assert list(flow_logs(vpcs, FlowLogs(A, (), ()), SOMEBODY)) == []


def test_an_empty_network_is_graded_down_only_where_that_was_seen() -> None:
    vpcs, none = Vpcs(A, HERE, (Vpc("vpc-1", R, True),)), FlowLogs(A, HERE, ())
    [empty] = flow_logs(vpcs, none, NetworkInterfaces(A, HERE, ()))
    [unread] = flow_logs(vpcs, none, NetworkInterfaces(A, (), ()))
    assert (empty.severity, unread.severity) == (Severity.LOW, None)


def test_only_default_groups_are_asked_to_be_empty() -> None:
    named, _, users = group(tcp(22, 22, WORLD), name="web")
    assert list(default_group(named, users)) == []  # type: ignore[arg-type]
    default, _, used = group(tcp(22, 22, WORLD), name="default", users=(IDLE,))
    [verdict] = default_group(default, used)  # type: ignore[arg-type]
    assert (verdict.outcome, verdict.severity) == (Outcome.FAIL, Severity.MEDIUM)
