"""Snapshots of data warehouses: with whom they are shared, and what a copy gives away."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair, setting
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.redshift import WarehouseSnapshots
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface
from checks.verdict import Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/redshift/latest/mgmt"

encryption = setting(
    "cloud.redshift-snapshots.encryption",
    WarehouseSnapshots,
    lambda one: one.encrypted,
    title="Snapshots of warehouses are encrypted",
    why="A plain snapshot is restored in full by whoever it is shared with.",
    severity=Severity.LOW,
    bad="not encrypted",
    good="encrypted",
    fix=repair(
        "Replace plain snapshot @{id} by an encrypted one",
        "Encrypt the warehouse, take a new snapshot of it, and delete the plain one.",
        "aws redshift describe-cluster-snapshots --region @{region} --snapshot-identifier @{id} "
        "--query 'Snapshots[].Encrypted'   # true",
        back="A snapshot that was deleted is gone; keep it until the new one has been restored once.",
        hours=(0.25, 0.5),
    ),
    refs=(f"{_GUIDE}/working-with-snapshots.html",),
)


@check(
    "cloud.redshift-snapshots.sharing",
    title="Snapshots of warehouses are shared with nobody unknown",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    fix=repair(
        "Stop sharing snapshot @{id}",
        "Take the accounts off, one by one. Whoever had access may have restored it: treat what is in it as "
        "read.",
        "aws redshift describe-cluster-snapshots --region @{region} --snapshot-identifier @{id} "
        "--query 'Snapshots[].AccountsWithRestoreAccess'   # nobody",
        "aws redshift revoke-snapshot-access --region @{region} --snapshot-identifier @{id} "
        "--account-with-restore-access @{shared}",
        "aws redshift authorize-snapshot-access --region @{region} --snapshot-identifier @{id} "
        "--account-with-restore-access @{shared}",
        key="redshift:snapshot @{on}",
    ),
    refs=(f"{_GUIDE}/managing-snapshot-share-snapshot.html",),
)
def sharing(
    found: WarehouseSnapshots, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()
) -> Verdicts:
    """Whoever a snapshot is shared with restores the whole warehouse in an account of their own."""
    friends = trusted | {*known.accounts}
    for one in found.snapshots:
        strangers = [name for name in one.shared if name not in friends]
        whom = f"account {', '.join(strangers)}"
        yield expect(
            not strangers,
            on=one.arn,
            where=one.region,
            saw=whom if strangers else "nobody unknown",
            want="nobody unknown",
            confidence=Confidence.LIKELY if strangers and not known.whole else Confidence.CONFIRMED,
            exposure=Exposure.INTERNET_LIMITED if strangers else None,
            exposure_evidence=f"{one.id} is shared with {whom}" if strangers else "",
            values={"id": one.id, "shared": strangers[0] if strangers else ""},
        )
