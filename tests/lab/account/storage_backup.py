"""File systems, backup vaults and archives: who gets in, and what is left after a loss."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.account.storage_volumes import protected
from tests.lab.account_data import STRANGER
from tests.lab.account_storage import with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab


def plant(lab: Lab) -> None:
    """Builds them; what the emulator has not got, it is told to answer."""
    first = len(lab.planted)
    _file_systems(lab)
    _vaults(lab)
    _archives(lab)
    _fsx(lab)
    with_peers(lab, first)


def _policy(action: str, principal: object = "*", **more: Any) -> dict[str, Any]:
    given = {"Sid": "S", "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    return {**given, **more}


def _written(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


_ORGANIZATION = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}
_PLAIN = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}


def _file_systems(lab: Lab) -> None:
    efs = lab.client("efs", MAIN)

    def made(name: str, *statements: dict[str, Any], encrypted: bool = True, backup: str = "") -> str:
        one = efs.create_file_system(CreationToken=name, Encrypted=encrypted)
        if statements:
            efs.put_file_system_policy(FileSystemId=one["FileSystemId"], Policy=_written(*statements))
        if backup:
            told = {"BackupPolicy": {"Status": backup}}
            lab.answer("efs", "DescribeBackupPolicy", told, region=MAIN, about=one["FileSystemId"])
        return str(one["FileSystemArn"])

    mount = "elasticfilesystem:ClientMount"
    bare = made("storage-bare", encrypted=False)
    fine = made("storage-fine", _policy("elasticfilesystem:*", **_PLAIN), backup="ENABLED")
    planned = made("storage-planned", _policy(mount, **_ORGANIZATION), backup="DISABLED")
    opened = made("storage-open", _policy(mount), _policy("elasticfilesystem:ClientWrite", **_PLAIN))
    given = made("storage-given", _policy(mount, {"AWS": f"arn:aws:iam::{STRANGER}:root"}))
    protected(lab, [
        {"ResourceArn": arn, "ResourceType": "EFS", "LastBackupTime": {"$time": when}}
        for arn, when in ((planned, "2026-11-22T03:00:00Z"), (opened, "2026-09-01T03:00:00Z"))
    ])  # fmt: skip
    topic = "cloud.efs"
    lab.problem(f"{topic}.encryption", bare, "plain", region=MAIN)
    lab.clean(f"{topic}.encryption", fine, "encrypted", region=MAIN)
    lab.problem(f"{topic}.backup", bare, "never asked for", region=MAIN)
    lab.problem(f"{topic}.backup", opened, "the last one is months old", region=MAIN, fools=True)
    lab.clean(f"{topic}.backup", fine, "every day", region=MAIN)
    lab.clean(f"{topic}.backup", planned, "off, and taken by a plan", region=MAIN, fools=True)
    lab.problem(f"{topic}.public", opened, "everybody mounts it", region=MAIN)
    lab.clean(f"{topic}.public", planned, "the organisation alone", region=MAIN, fools=True)
    lab.problem(f"{topic}.tls-only", bare, "no policy", region=MAIN)
    lab.problem(f"{topic}.tls-only", opened, "only writing is refused", region=MAIN, fools=True)
    lab.clean(f"{topic}.tls-only", fine, "every action but mounting too", region=MAIN, fools=True)
    lab.problem(f"{topic}.outsiders", given, "a stranger mounts it", region=MAIN)
    lab.clean(f"{topic}.outsiders", fine, "nobody else", region=MAIN)


def _vaults(lab: Lab) -> None:
    copy = "backup:CopyIntoBackupVault"
    vaults = (
        ("storage-loose", False, 4, _policy(copy)),
        ("storage-locked", True, 9, _policy(copy, **_ORGANIZATION)),
        ("storage-idle", False, 0, None),
        ("storage-partner", True, 1, _policy(copy, {"AWS": STRANGER})),
    )
    listed = []
    for name, locked, points, statement in vaults:
        arn = f"arn:aws:backup:{MAIN}:{lab.account}:backup-vault:{name}"
        listed.append({"BackupVaultName": name, "BackupVaultArn": arn, "Locked": locked,
                       "NumberOfRecoveryPoints": points})  # fmt: skip
        if statement:
            told = {"BackupVaultName": name, "BackupVaultArn": arn, "Policy": _written(statement)}
            lab.answer("backup", "GetBackupVaultAccessPolicy", told, region=MAIN, about=name)
        else:
            error = (404, "ResourceNotFoundException", "no policy")
            lab.answer("backup", "GetBackupVaultAccessPolicy", region=MAIN, about=name, error=error)
    lab.answer("backup", "ListBackupVaults", {"BackupVaultList": listed}, region=MAIN)
    lab.answer("backup", "ListBackupVaults", {"BackupVaultList": []}, region=OTHER)
    loose, locked_, idle, partner = (str(one["BackupVaultArn"]) for one in listed)
    topic = "cloud.backup"
    lab.problem(f"{topic}.vault-lock", loose, "whoever may deletes what is in it", region=MAIN)
    lab.clean(f"{topic}.vault-lock", locked_, "locked", region=MAIN)
    lab.problem(f"{topic}.public", loose, "everybody copies into it", region=MAIN)
    lab.clean(f"{topic}.public", locked_, "the organisation alone", region=MAIN, fools=True)
    lab.clean(f"{topic}.public", idle, "no policy", region=MAIN)
    lab.problem(f"{topic}.outsiders", partner, "a stranger by its bare number", region=MAIN)
    lab.clean(f"{topic}.outsiders", idle, "nobody else", region=MAIN)


def _archives(lab: Lab) -> None:
    glacier = lab.client("glacier", MAIN)
    read = "glacier:InitiateJob"
    policies = {
        "storage-archive-open": _policy(read),
        "storage-archive-net": _policy(read, Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        "storage-archive-ours": _policy(read, {"AWS": f"arn:aws:iam::{lab.account}:root"}),
        "storage-archive-given": _policy(read, {"AWS": f"arn:aws:iam::{STRANGER}:root"}),
    }
    arns = {}
    for name, statement in policies.items():
        glacier.create_vault(vaultName=name)
        arns[name] = f"arn:aws:glacier:{MAIN}:{lab.account}:vaults/{name}"
        told = {"policy": {"Policy": _written(statement)}}
        lab.answer("glacier", "GetVaultAccessPolicy", told, region=MAIN, about=name)
    glacier.create_vault(vaultName="storage-archive-bare")
    lab.answer("glacier", "GetVaultAccessPolicy", region=MAIN, about="storage-archive-bare",
               error=(404, "ResourceNotFoundException", "no policy"))  # fmt: skip
    topic = "cloud.glacier"
    lab.problem(f"{topic}.public", arns["storage-archive-open"], "everybody reads it", region=MAIN)
    lab.problem(f"{topic}.public", arns["storage-archive-net"], "every address", region=MAIN, fools=True)
    lab.clean(f"{topic}.public", arns["storage-archive-ours"], "the own account", region=MAIN, fools=True)
    lab.problem(f"{topic}.outsiders", arns["storage-archive-given"], "a stranger reads it", region=MAIN)
    lab.clean(f"{topic}.outsiders", arns["storage-archive-ours"], "nobody else", region=MAIN)


def _fsx(lab: Lab) -> None:
    kms = lab.client("kms", MAIN)
    own = kms.create_key(Description="storage")["KeyMetadata"]["Arn"]
    aws = kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]

    def told(kind: str, name: str, layout: str, days: int | None, key: str) -> dict[str, Any]:
        settings: dict[str, Any] = {"DeploymentType": layout}
        if days is not None:
            settings["AutomaticBackupRetentionDays"] = days
        field = {"OPENZFS": "OpenZFSConfiguration"}.get(kind, f"{kind.capitalize()}Configuration")
        arn = f"arn:aws:fsx:{MAIN}:{lab.account}:file-system/{name}"
        more = {"KmsKeyId": key} if key else {}
        return {"FileSystemId": name, "FileSystemType": kind, "ResourceARN": arn, "Lifecycle": "AVAILABLE",
                field: settings, **more}  # fmt: skip

    far = f"arn:aws:kms:{MAIN}:{STRANGER}:key/0a1b2c3d-storage-far"
    systems = [
        told("WINDOWS", "fs-0storagebare", "SINGLE_AZ_2", 0, aws),
        told("ONTAP", "fs-0storagefine", "MULTI_AZ_1", 30, own),
        told("LUSTRE", "fs-0storagefast", "PERSISTENT_2", None, far),
        told("LUSTRE", "fs-0storagescratch", "SCRATCH_2", None, ""),
        told("OPENZFS", "fs-0storageshort", "MULTI_AZ_1", 3, own),
    ]
    gone = {**told("WINDOWS", "fs-0storagegone", "SINGLE_AZ_2", 0, aws), "Lifecycle": "DELETING"}
    lab.answer("fsx", "DescribeFileSystems", {"FileSystems": [*systems, gone]}, region=MAIN)
    lab.answer("fsx", "DescribeFileSystems", {"FileSystems": []}, region=OTHER)
    bare, fine, fast, _, short = (str(one["ResourceARN"]) for one in systems)
    topic = "cloud.fsx"
    lab.problem(f"{topic}.backups", bare, "none", region=MAIN)
    lab.problem(f"{topic}.backups", fast, "nobody asked for any", region=MAIN, fools=True)
    lab.problem(f"{topic}.backups", short, "three days", region=MAIN, fools=True)
    lab.clean(f"{topic}.backups", fine, "a month", region=MAIN)
    lab.problem(f"{topic}.zones", bare, "one zone", region=MAIN)
    lab.clean(f"{topic}.zones", short, "two zones", region=MAIN)
    lab.problem(f"{topic}.own-key", bare, "the key that AWS keeps", region=MAIN)
    lab.clean(f"{topic}.own-key", fine, "a key of the account", region=MAIN)
    lab.clean(f"{topic}.own-key", fast, "a key of another account is somebody's own", region=MAIN, fools=True)
