"""Collects message brokers, one by one: their list names them and says little else."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.mq import Broker, Brokers
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import flag, group, some, text
from scanner.collect.cloud.lists import whole
from scanner.collect.collector import Collected

LIST = Call("mq", "ListBrokers", (Brokers,), key="BrokerSummaries", page=100)
BROKER = Call("mq", "DescribeBroker", (Brokers,))
_GOING = ("DELETION_IN_PROGRESS",)


def brokers(place: Place) -> Collected:
    """The brokers that are not being deleted."""
    listed = [one for one in place.all_of(LIST) if one.get("BrokerState") not in _GOING]
    named = sorted((text(one, "BrokerArn"), text(one, "BrokerId")) for one in listed)
    jobs = [(place.where(arn), BROKER, partial(_read, place, name)) for arn, name in named]
    return whole(place, LIST, Brokers, ()) + place.each(jobs)


def _read(place: Place, name: str) -> Collected:
    raw = place.one(BROKER, BrokerId=name)
    logs = group(raw, "Logs")
    record = Broker(
        arn=text(raw, "BrokerArn"),
        id=text(raw, "BrokerId"),
        name=text(raw, "BrokerName"),
        region=place.region,
        engine=text(raw, "EngineType").upper(),
        version=text(raw, "EngineVersion"),
        public=flag(raw, "PubliclyAccessible"),
        # Without options AWS encrypts under a key of its own.
        own_key=not flag(group(raw, "EncryptionOptions"), "UseAwsOwnedKey", True),
        minor_upgrades=flag(raw, "AutoMinorVersionUpgrade"),
        general=flag(logs, "General", False),
        audit=flag(logs, "Audit", False),
        alone=text(raw, "DeploymentMode") == "SINGLE_INSTANCE",
        subnets=tuple(sorted(map(str, some(raw, "SubnetIds")))),
        groups=tuple(sorted(map(str, some(raw, "SecurityGroups")))),
    )
    return place.found(Brokers(place.account, (record,)), BROKER, (record,), where=record.arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("mq brokers", True, (LIST, BROKER), brokers)
