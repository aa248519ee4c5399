"""What changes answers of the emulator that other topics share: planted after all of them.

Roles get an age, a user gets a boundary, and analyzers are added to those of other topics. The answer of
the emulator about all users and roles is put in again with these changes: what is planted after this is
not in it.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tests.lab.account.access import user_arn
from tests.lab.account_access import with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

LAST = True
"""It puts in again what the emulator answers about every user and role, so all of them must be there."""


def plant(lab: Lab) -> None:
    """Plants ages, a boundary and analyzers."""
    first = len(lab.planted)
    _ages(lab)
    _watched(lab)
    with_peers(lab, first)


_AGES: dict[str, tuple[str, str]] = {
    "access-forgotten": ("2023-05-01T00:00:00Z", "2026-03-01T00:00:00Z"),
    "access-never-used": ("2023-05-01T00:00:00Z", ""),
    "access-at-work": ("2023-05-01T00:00:00Z", "2026-11-20T00:00:00Z"),
    "access-made-today": ("2026-11-20T00:00:00Z", ""),
}
"""When a role was made and last used."""


def _ages(lab: Lab) -> None:
    """Gives roles an age and a user a boundary, which the emulator cannot."""
    iam = lab.client("iam", OTHER)
    told: dict[str, Any] = iam.get_account_authorization_details(MaxItems=1000)
    told.pop("ResponseMetadata")
    # Of its own policies AWS tells those alone that somebody holds.
    told["Policies"] = [
        one for one in told["Policies"] if ":iam::aws:" not in one["Arn"] or one["AttachmentCount"]
    ]
    for one in told["RoleDetailList"]:
        made, used = _AGES.get(one["RoleName"], ("", ""))
        if made:
            one["CreateDate"] = datetime.fromisoformat(made)
            one.pop("RoleLastUsed", None)
        if used:
            one["RoleLastUsed"] = {"LastUsedDate": datetime.fromisoformat(used), "Region": OTHER}
    for one in told["UserDetailList"]:
        if one["UserName"].startswith("access-bounded-"):
            arn = f"arn:aws:iam::{lab.account}:policy/access-limit"
            boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
            one["PermissionsBoundary"] = boundary
    lab.answer("iam", "GetAccountAuthorizationDetails", _written(told))
    stem = f"arn:aws:iam::{lab.account}:role"
    check = "cloud.iam-roles.unused"
    bounded = f"arn:aws:iam::{lab.account}:user/access-bounded-user"
    note = "its group gives it, its boundary holds"
    lab.clean("cloud.iam-escalation.one-step", bounded, note, fools=True)
    lab.problem(check, f"{stem}/access-forgotten", "not used since March")
    lab.problem(check, f"{stem}/access-never-used", "never used in three years", fools=True)
    lab.clean(check, f"{stem}/access-at-work", "used this week")
    lab.clean(check, f"{stem}/access-made-today", "never used, but new", fools=True)


def _written(value: object) -> object:
    """The answer of a client as the lab takes it: documents as AWS writes them, times in words."""
    match value:
        case datetime():
            return {"$time": value.isoformat()}
        case list():
            return [_written(one) for one in value]
        case dict():
            return {
                key: quote(json.dumps(one)) if re.search("(Policy)?Document$", key) else _written(one)
                for key, one in value.items()
            }
        case _:
            return value


def _watched(lab: Lab) -> None:
    def analyzer(region: str, name: str, kind: str, status: str = "ACTIVE") -> dict[str, object]:
        arn = f"arn:aws:access-analyzer:{region}:{lab.account}:analyzer/{name}"
        made = {"$time": "2026-01-01T00:00:00Z"}
        return {"arn": arn, "name": name, "type": kind, "status": status, "createdAt": made}

    here = [analyzer(OTHER, "access-outsiders", "ORGANIZATION")]
    there = [
        analyzer(MAIN, "access-unused", "ACCOUNT_UNUSED_ACCESS"),
        analyzer(MAIN, "access-failed", "ACCOUNT", "FAILED"),
    ]
    _add(lab, OTHER, here)
    _add(lab, MAIN, there)
    check = "cloud.access-analyzer.external"
    lab.clean(check, OTHER, "of the organization", region=OTHER, fools=True)
    lab.problem(
        check,
        MAIN,
        "one for unused rights, and one that failed",
        region=MAIN,
        fools=True,
    )
    _unused(lab, str(there[0]["arn"]))


def _add(lab: Lab, region: str, more: list[dict[str, object]]) -> None:
    """Adds analyzers to those that other topics planted in the region."""
    try:
        known = lab.client("accessanalyzer", region).list_analyzers()["analyzers"]
    except Exception:  # noqa: BLE001 - the emulator knows no analyzers, so there are none yet
        known = []
    lab.answer("accessanalyzer", "ListAnalyzers", {"analyzers": _written([*known, *more])}, region=region)


def _unused(lab: Lab, analyzer: str) -> None:
    """What nobody uses: findings about rights, some of them settled or about something else."""

    def finding(number: int, name: str, status: str, kind: str) -> dict[str, object]:
        moment = {"$time": "2026-11-20T00:00:00Z"}
        what = "AWS::IAM::Role" if kind == "UnusedIAMRole" else "AWS::IAM::User"
        return {
            "id": f"{number:08}", "resource": user_arn(lab, name), "resourceType": what, "status": status,
            "findingType": kind, "resourceOwnerAccount": lab.account,
            "analyzedAt": moment, "createdAt": moment, "updatedAt": moment,
        }  # fmt: skip

    found = [
        finding(1, "access-inline", "ACTIVE", "UnusedPermission"),
        finding(2, "access-attached", "ARCHIVED", "UnusedPermission"),
        finding(3, "access-grouped", "ACTIVE", "UnusedIAMUserAccessKey"),
    ]
    lab.answer("accessanalyzer", "ListFindingsV2", {"findings": found}, region=MAIN, about=analyzer)
    check = "cloud.access-analyzer.unused-rights"
    lab.problem(check, user_arn(lab, "access-inline"), "a finding that is open")
    lab.clean(check, user_arn(lab, "access-attached"), "somebody archived it", fools=True)
    lab.clean(check, user_arn(lab, "access-grouped"), "it is about a key, not about rights", fools=True)
