"""Keys and secrets: who uses them, how old they are, and what is about to be lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.lab.account.policies_queues import STRANGER, Raw, document, statement, tell
from tests.lab.planted_account import MAIN, OTHER, Lab

KEYS = (("kms_key_not_publicly_accessible",), ())
SECRETS = (("secretsmanager_not_publicly_accessible",), ())


def plant(lab: Lab) -> None:
    """Builds them."""
    _key_policies(lab)
    _key_lives(lab)
    _secret_policies(lab)
    _secret_ages(lab)


def _key_policies(lab: Lab) -> None:
    kms = lab.client("kms", MAIN)
    own = lab.account
    root = f"arn:aws:iam::{own}:root"
    via = {"StringEquals": {"kms:ViaService": f"s3.{MAIN}.amazonaws.com"}}
    ours = {"StringEquals": {"kms:ViaService": f"s3.{MAIN}.amazonaws.com", "kms:CallerAccount": own}}
    owner = {"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}
    stranger = {"StringEquals": {"kms:CallerAccount": STRANGER}}
    told: tuple[tuple[str, str, Any, Raw | None, bool, bool], ...] = (
        ("everybody", "public", "*", None, True, False),
        ("everybody by way of a service", "public", {"AWS": "*"}, via, True, True),
        ("the own account by way of a service", "public", {"AWS": "*"}, ours, False, True),
        ("whoever belongs to its owner", "public", "*", owner, False, True),
        ("the own account", "public", {"AWS": root}, None, False, False),
        ("a stranger", "outsiders", {"AWS": f"arn:aws:iam::{STRANGER}:root"}, None, True, False),
        ("everybody of a stranger", "outsiders", "*", stranger, True, True),
        ("a role that is gone", "outsiders", {"AWS": "AROAJQABLZS4A3QDU576Q"}, None, False, True),
        ("all of the own account", "outsiders", {"AWS": own}, None, False, False),
    )  # fmt: skip
    for note, check, principal, condition, bad, fools in told:
        administrators = {**statement({"AWS": root}, Action="kms:*", Resource="*"), "Sid": "Administrators"}
        more = statement(principal, condition, Action="kms:Decrypt", Resource="*")
        arn = kms.create_key(
            Description=f"policies: {note}",
            Policy=document(administrators, more),
            BypassPolicyLockoutSafetyCheck=True,
        )["KeyMetadata"]["Arn"]
        kms.enable_key_rotation(KeyId=arn)
        tell(lab, f"cloud.kms.{check}", arn, note, bad=bad, fools=fools, peers=KEYS)


def _key_lives(lab: Lab) -> None:
    kms = lab.client("kms", OTHER)

    def key(note: str, **more: Any) -> str:
        return str(kms.create_key(Description=f"policies: {note}", **more)["KeyMetadata"]["Arn"])

    peers: tuple[tuple[str, ...], tuple[str, ...]] = (
        ("kms_cmk_rotation_enabled",),
        ("kms-cmk-rotation-disabled",),
    )
    still, turning = key("still"), key("turning")
    kms.enable_key_rotation(KeyId=turning)
    tell(lab, "cloud.kms.rotation", still, "does not rotate", bad=True, region=OTHER, peers=peers)
    tell(lab, "cloud.kms.rotation", turning, "rotates", bad=False, region=OTHER, peers=peers)
    peers = (("kms_cmk_not_deleted_unintentionally",), ())
    dying, saved = key("dying"), key("saved")
    for one in (dying, saved):
        kms.schedule_key_deletion(KeyId=one.rpartition("/")[2], PendingWindowInDays=7)
    kms.cancel_key_deletion(KeyId=saved.rpartition("/")[2])
    check = "cloud.kms.pending-deletion"
    tell(lab, check, dying, "waits for its deletion", bad=True, region=OTHER, peers=peers)
    tell(lab, check, saved, "saved, but disabled", bad=False, fools=True, region=OTHER, peers=peers)


def _secret_policies(lab: Lab) -> None:
    client = lab.client("secretsmanager", MAIN)
    own = lab.account
    paths = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-1/*"}}
    denial = statement(
        "*", {"StringNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{own}:role/app"}}, effect="Deny"
    )
    lent = statement({"AWS": f"arn:aws:iam::{STRANGER}:role/app"})
    told: tuple[tuple[str, str, tuple[Raw, ...], bool, bool], ...] = (
        ("policies/open", "public", (statement("*"),), True, False),
        ("policies/paths", "public", (statement("*", paths),), True, True),
        ("policies/closed", "public", (), False, False),
        ("policies/one-role", "public", (statement("*"), denial), False, True),
        ("policies/lent", "outsiders", (lent,), True, False),
        ("policies/kept", "outsiders", (statement({"AWS": own}),), False, False),
    )  # fmt: skip
    for name, check, statements, bad, fools in told:
        arn = client.create_secret(Name=name, SecretString="Planted-Horse-7")["ARN"]
        written = [{"Action": "secretsmanager:GetSecretValue", "Resource": "*", **one} for one in statements]
        if written:
            client.put_resource_policy(SecretId=arn, ResourcePolicy=document(*written))
        tell(lab, f"cloud.secretsmanager.{check}", arn, name, bad=bad, fools=fools, peers=SECRETS)


def _secret_ages(lab: Lab) -> None:
    def told(name: str, changed: int, used: int | None, **more: Any) -> Raw:
        moment = datetime.now(UTC).replace(microsecond=0)

        def before(days: int) -> dict[str, str]:
            return {"$time": (moment - timedelta(days=days)).isoformat()}

        return {
            "ARN": f"arn:aws:secretsmanager:{OTHER}:{lab.account}:secret:policies-{name}-AbCdEf",
            "Name": f"policies-{name}",
            "CreatedDate": before(900),
            "LastChangedDate": before(changed),
            **({"LastAccessedDate": before(used)} if used is not None else {}),
            **more,
        }

    secrets = [
        told("stale", 400, 3),
        told("stuck", 400, 3, RotationEnabled=True),
        told("fresh", 10, 3),
        told("database", 400, 3, OwningService="rds", RotationEnabled=True),
        told("connection", 400, 3, OwningService="events"),
        told("forgotten", 10, 300),
        told("never", 10, None),
        told("copy", 400, None, PrimaryRegion=MAIN),
    ]
    lab.answer("secretsmanager", "ListSecrets", {"SecretList": secrets}, region=OTHER)
    arns = {str(one["Name"]).removeprefix("policies-"): str(one["ARN"]) for one in secrets}
    for one in arns.values():
        lab.answer("secretsmanager", "GetResourcePolicy", {"ARN": one, "Name": "x"}, region=OTHER, about=one)
    peers: tuple[tuple[str, ...], tuple[str, ...]] = (
        ("secretsmanager_secret_rotated_periodically", "secretsmanager_automatic_rotation_enabled"),
        (),
    )
    for name, bad, fools in (
        ("stale", True, False),
        ("stuck", True, True),
        ("connection", True, True),
        ("fresh", False, True),
        ("database", False, True),
    ):
        check = "cloud.secretsmanager.rotation"
        tell(lab, check, arns[name], name, bad=bad, fools=fools, region=OTHER, peers=peers)
    peers = (("secretsmanager_secret_unused",), ())
    for name, bad in (("forgotten", True), ("never", True), ("fresh", False)):
        tell(lab, "cloud.secretsmanager.unused", arns[name], name, bad=bad, region=OTHER, peers=peers)
