"""Security groups and instances."""

from __future__ import annotations

import json

import pytest

from checks import Exposure, Outcome, Severity, Verdict
from checks.cloud.ec2 import admin_ports, database_ports, imdsv2
from checks.facts.cloud.ec2 import Ec2Instances, Instance, NetworkInterfaces, PrefixList, PrefixLists, Rule
from tests.checks.cloud.examples.beginnings import HERE, A, Facts, R, group, instance, interface, tcp


def judge(facts: Facts) -> Verdict:
    [verdict] = admin_ports.run(*facts)
    assert isinstance(verdict, Verdict)
    return verdict


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ((tcp(22, 22, "0.0.0.0/0"),), "tcp/22 open to 0.0.0.0/0"),
        ((tcp(22, 22, "::/0"),), "tcp/22 open to ::/0"),
        ((tcp(0, 65535, "0.0.0.0/0"),), "tcp/22, tcp/23, tcp/512, tcp/513 and"),
        ((tcp(3000, 4000, "0.0.0.0/0"),), "tcp/3389 open to"),
        ((Rule("-1", 0, 65535, ("0.0.0.0/0",)),), "tcp/22"),
        ((Rule("udp", 3389, 3389, ("0.0.0.0/0",)),), "udp/3389"),
        ((tcp(22, 22, "0.0.0.0/1"), tcp(21, 22, "128.0.0.0/1")), "tcp/22 open to 0.0.0.0/0"),
        ((tcp(22, 22, "0.0.0.0/1"),), "tcp/22 open to 0.0.0.0/1"),
    ],
)
def test_every_way_of_opening_a_port(rules: tuple[Rule, ...], names: str) -> None:
    verdict = judge(group(*rules))
    assert verdict.outcome is Outcome.FAIL
    assert names in verdict.saw


@pytest.mark.parametrize(
    "rules",
    [
        (),
        (tcp(22, 22, "10.0.0.0/8"),),
        (tcp(22, 22, "203.0.113.0/24", "198.51.100.7/32"),),
        (tcp(443, 443, "0.0.0.0/0"),),
        (Rule("udp", 22, 22, ("0.0.0.0/0",)),),
        (Rule("icmp", 0, 65535, ("0.0.0.0/0",)),),
        (Rule("tcp", 22, 22, (), (), ("sg-2",)),),
        (tcp(22, 22, "0.0.0.0/1"), tcp(3389, 3389, "10.0.0.0/8"), tcp(80, 80, "128.0.0.0/1"))[1:],
    ],
)
def test_what_is_not_open(rules: tuple[Rule, ...]) -> None:
    assert judge(group(*rules)).ok


def test_what_stands_behind_decides_the_grade() -> None:
    rule = tcp(22, 22, "0.0.0.0/0")
    alone = judge(group(rule))
    assert (alone.severity, alone.exposure) == (Severity.LOW, Exposure.UNREACHABLE)
    inside = judge(group(rule, users=(interface(),)))
    assert (inside.severity, inside.exposure) == (Severity.MEDIUM, Exposure.OTHER_ZONE)
    public = judge(group(rule, users=(interface(("198.51.100.7",)),)))
    assert (public.severity, public.exposure) == (None, Exposure.INTERNET_OPEN)
    assert "198.51.100.7" in public.exposure_evidence


def test_an_open_rule_reaches_only_addresses_of_its_version() -> None:
    four = judge(group(tcp(22, 22, "0.0.0.0/0"), users=(interface((), ("2600::1",)),)))
    assert four.exposure is Exposure.OTHER_ZONE
    six = judge(group(tcp(22, 22, "::/0"), users=(interface((), ("2600::1",)),)))
    assert six.exposure is Exposure.INTERNET_OPEN


def test_unread_interfaces_leave_the_exposure_unknown() -> None:
    groups, lists, _ = group(tcp(22, 22, "0.0.0.0/0"))
    verdict = judge((groups, lists, NetworkInterfaces(A, (), ())))
    assert (verdict.outcome, verdict.exposure, verdict.severity) == (Outcome.FAIL, Exposure.UNKNOWN, None)


def test_prefix_lists_are_looked_into() -> None:
    groups, _, users = group(Rule("tcp", 22, 22, (), ("pl-1",)))

    def lists(*cidrs: str) -> PrefixLists:
        return PrefixLists(A, HERE, (PrefixList("pl-1", R, cidrs),))

    assert judge((groups, lists("0.0.0.0/1", "128.0.0.0/1"), users)).outcome is Outcome.FAIL
    assert judge((groups, lists("198.51.100.0/24"), users)).ok
    doubt = judge((groups, PrefixLists(A, HERE, ()), users))
    assert doubt.outcome is Outcome.UNKNOWN
    assert doubt.needs == "ec2:GetManagedPrefixListEntries"
    groups, _, users = group(Rule("tcp", 443, 443, (), ("pl-1",)))
    assert judge((groups, PrefixLists(A, HERE, ()), users)).ok


def test_the_repair_leaves_narrow_networks_alone() -> None:
    verdict = judge(group(tcp(20, 25, "0.0.0.0/0", "198.51.100.0/24", "::/0"), tcp(443, 443, "0.0.0.0/0")))
    assert json.loads(verdict.values["rules"]) == [
        {
            "IpProtocol": "tcp",
            "FromPort": 20,
            "ToPort": 25,
            "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
        }
    ]
    everything = judge(group(Rule("-1", 0, 65535, ("0.0.0.0/0",))))
    assert json.loads(everything.values["rules"]) == [
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ]
    pieces = [f"{n}.0.0.0/9" for n in range(20, 60)]
    [many] = admin_ports.run(*group(tcp(22, 22, *pieces)))
    assert len(json.loads(many.values["rules"])[0]["IpRanges"]) == 40


def test_the_repair_leaves_rules_alone_that_are_not_open() -> None:
    inside = (tcp(0, 65535, "10.0.0.0/8", "192.168.0.0/16"), Rule("tcp", 20, 23, (), ("pl-office",)))
    groups, _, users = group(tcp(22, 22, "0.0.0.0/0"), *inside)
    lists = PrefixLists(A, HERE, (PrefixList("pl-office", R, ("198.51.100.0/24",)),))
    verdict = judge((groups, lists, users))
    assert json.loads(verdict.values["rules"]) == [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ]


def test_a_rule_for_a_list_is_revoked_by_its_list() -> None:
    groups, _, users = group(Rule("tcp", 22, 22, (), ("pl-1",)))
    lists = PrefixLists(A, HERE, (PrefixList("pl-1", R, ("0.0.0.0/0",)),))
    rules = json.loads(judge((groups, lists, users)).values["rules"])
    assert rules == [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    ]


def test_ports_are_a_threshold() -> None:
    facts = group(tcp(8443, 8443, "0.0.0.0/0"))
    [verdict] = database_ports.run(*facts, ports=frozenset({8443}))
    assert verdict.outcome is Outcome.FAIL


def test_a_switched_off_metadata_service_is_not_judged() -> None:
    [one] = instance("optional").instances
    off = Instance(one.id, one.region, "", "running", "", "", "", "", False, "optional")
    assert list(imdsv2.run(Ec2Instances(A, HERE, (off,)))) == []


def test_a_public_instance_with_a_role_is_worse() -> None:
    one = Instance("i-1", R, "", "running", "", "", "198.51.100.7", "arn:profile", True, "optional")
    [verdict] = imdsv2.run(Ec2Instances(A, HERE, (one,)))
    assert (verdict.severity, verdict.exposure) == (Severity.HIGH, Exposure.INTERNET_LIMITED)
