"""Collects tables, and of each its settings, continuous backup and policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from checks.facts.cloud.dynamodb import Table, TableBackup, TableBackups, Tables
from checks.facts.cloud.resource_policies import ResourcePolicy, TablePolicies
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import flag, group, some, text
from scanner.collect.cloud.lists import details, policy_of
from scanner.collect.collector import Collected

LIST = Call("dynamodb", "ListTables", (Tables, TableBackups, TablePolicies), page=100)
TABLE = Call("dynamodb", "DescribeTable", (Tables,))
BACKUPS = Call("dynamodb", "DescribeContinuousBackups", (TableBackups,))
POLICY = Call("dynamodb", "GetResourcePolicy", (TablePolicies,))


@dataclass(frozen=True, slots=True)
class Named:
    """A table by its name and ARN."""

    arn: str
    name: str


def tables(place: Place) -> Collected:
    """The tables, and the wanted settings of each."""
    names = sorted(str(name) for page in place.pages(LIST) for name in some(page, "TableNames"))
    named = [Named(place.arn("dynamodb", f"table/{name}"), name) for name in names]
    whole = Collected()
    if place.wants(TABLE):
        whole += Collected(facts=(Tables(place.account, (place.region,), ()),))
        whole += place.each([(place.where(one.arn), TABLE, partial(_table, place, one)) for one in named])
    return whole + details(place, BACKUPS, named, _backup) + details(place, POLICY, named, _policy)


def _table(place: Place, one: Named) -> Collected:
    raw = group(place.one(TABLE, TableName=one.name), "Table")
    record = Table(
        arn=text(raw, "TableArn", one.arn),
        name=one.name,
        region=place.region,
        key=text(group(raw, "SSEDescription"), "KMSMasterKeyArn", ""),
        protected=flag(raw, "DeletionProtectionEnabled", False),
    )
    return place.found(Tables(place.account, (place.region,), (record,)), TABLE, (record,), where=one.arn)


def _backup(place: Place, one: Named) -> TableBackup:
    told = group(place.one(BACKUPS, TableName=one.name), "ContinuousBackupsDescription")
    state = text(group(told, "PointInTimeRecoveryDescription"), "PointInTimeRecoveryStatus", "DISABLED")
    return TableBackup(one.arn, one.name, place.region, state == "ENABLED")


def _policy(place: Place, one: Named) -> ResourcePolicy:
    return policy_of(place, POLICY, one, ("PolicyNotFoundException",), "Policy", ResourceArn=one.arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("dynamodb tables", True, (LIST, TABLE, BACKUPS, POLICY), tables)
