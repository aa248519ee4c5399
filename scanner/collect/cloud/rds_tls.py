"""Reads from parameter groups whether databases refuse connections in the clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from checks.facts.cloud.rds import TlsRule
from scanner.collect.cloud.calls import Call, Place
from scanner.collect.cloud.fields import Raw, text
from scanner.collect.cloud.lists import whole
from scanner.collect.collector import Collected

_SETTINGS: Mapping[str, str] = {
    "postgres": "rds.force_ssl",
    "aurora-postgresql": "rds.force_ssl",
    "sqlserver": "rds.force_ssl",
    "mysql": "require_secure_transport",
    "aurora-mysql": "require_secure_transport",
    "mariadb": "require_secure_transport",
    "docdb": "tls",
    "neptune": "neptune_enforce_ssl",
}
"""The parameter that decides, by engine; Oracle and Db2 have it in option groups and listeners."""


def setting_of(engine: str) -> str:
    """The parameter that decides for this engine; empty where none does."""
    return _SETTINGS.get(engine, _SETTINGS["sqlserver"] if engine.startswith("sqlserver") else "")


def rules(place: Place, call: Call, groups: str, made: Sequence[tuple[str, TlsRule]]) -> Collected:
    """The rules with the values that somebody gave, each parameter group asked for once.

    `made` are rules without their value, by the group; `groups` is how the call names a group. A group of
    AWS (`default.…`) cannot be changed, and is not asked for.
    """
    if not place.wants(call):
        return Collected()
    fact = call.facts[0]
    by_group: dict[str, list[TlsRule]] = {}
    for group, rule in made:
        by_group.setdefault("" if group.startswith("default.") else group, []).append(rule)
    known = Collected()
    jobs = []
    for group, own in sorted(by_group.items()):
        if group:
            jobs.append((place.where(group), call, partial(_read, place, call, groups, own)))
        else:
            known += whole(place, call, fact, own)
    return known + whole(place, call, fact, ()) + place.each(jobs)


def _read(place: Place, call: Call, groups: str, own: Sequence[TlsRule]) -> Collected:
    changed = place.all_of(call, **{groups: own[0].group, "Source": "user"})
    given: dict[str, Raw] = {text(one, "ParameterName"): one for one in changed}
    found = []
    for rule in own:
        value = text(given.get(rule.setting, {}), "ParameterValue", "")
        found.append(
            TlsRule(
                rule.arn, rule.id, rule.region, rule.engine, rule.version, rule.group, rule.setting, value
            )
        )
    return whole(place, call, call.facts[0], found)
