"""What a row of the credential report says."""

from __future__ import annotations

from collections.abc import Mapping

from checks.facts.cloud.iam import ReportKey, ReportUser
from scanner.collect.cloud.fields import UnreadableError


def report_user(row: Mapping[str, str]) -> ReportUser:
    """What a row says of a user."""
    return ReportUser(
        arn=row["arn"],
        name=row["user"],
        created=report_moment(row["user_creation_time"]),
        password=_yes(row["password_enabled"]),
        password_used=report_moment(row.get("password_last_used", "")),
        password_changed=report_moment(row.get("password_last_changed", "")),
        mfa=_yes(row["mfa_active"]),
        keys=report_keys(row),
    )


def report_keys(row: Mapping[str, str]) -> tuple[ReportKey, ...]:
    """The keys that a row tells of; one that was never there is none."""
    return tuple(
        ReportKey(
            number=n,
            active=_yes(row[f"access_key_{n}_active"]),
            rotated=report_moment(row.get(f"access_key_{n}_last_rotated", "")),
            used=report_moment(row.get(f"access_key_{n}_last_used_date", "")),
        )
        for n in (1, 2)
        if row.get(f"access_key_{n}_last_rotated", "N/A") != "N/A" or _yes(_told(row, n))
    )


def _told(row: Mapping[str, str], key: int) -> str:
    try:
        return row[f"access_key_{key}_active"]
    except KeyError:
        raise UnreadableError("the credential report lacks columns") from None


def _yes(value: str) -> bool:
    if value.lower() not in ("true", "false", "not_supported"):
        raise UnreadableError("the credential report holds neither true nor false where it has to")
    return value.lower() == "true"


def report_moment(value: str) -> str:
    """A time of the report as RFC 3339 with a Z; empty for its words for never."""
    return value.replace("+00:00", "Z") if value[:2].isdigit() else ""
