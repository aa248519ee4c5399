"""File systems in FSx: what is left after a loss, and under whose key they are."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair, setting
from checks.facts.cloud.fsx import FsxKeys, FsxSystem, FsxSystems
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect

_CALL = "aws fsx describe-file-systems --region @{region} --file-system-ids @{name}"
_DAYS = "--query 'FileSystems[0].*.AutomaticBackupRetentionDays | [0]' --output text"
_UPDATE = "aws fsx update-file-system --region @{region} --file-system-id @{name}"


def _set_days(days: str) -> str:
    """The update for the kind that the file system is of: each has an option of its own."""
    return (
        f"kind=$({_CALL} --query 'FileSystems[0].FileSystemType' --output text) &&\n"
        'case "$kind" in\n'
        f'WINDOWS) {_UPDATE} --windows-configuration "AutomaticBackupRetentionDays={days}" ;;\n'
        f'LUSTRE) {_UPDATE} --lustre-configuration "AutomaticBackupRetentionDays={days}" ;;\n'
        f'ONTAP) {_UPDATE} --ontap-configuration "AutomaticBackupRetentionDays={days}" ;;\n'
        f'OPENZFS) {_UPDATE} --open-zfs-configuration "AutomaticBackupRetentionDays={days}" ;;\n'
        "esac"
    )


@check(
    "cloud.fsx.backups",
    title="File systems in FSx are backed up for a week or longer",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Keep automatic backups of file system @{name}",
        "Set the time for which automatic backups are kept; a first one is made in the next window.",
        f"{_CALL} {_DAYS}   # 7 or more",
        f"{_CALL} {_DAYS} > days.before.txt &&\n{_set_days('7')}",
        f'days=$(grep -x "[0-9]*" days.before.txt || echo 0)\n{_set_days("$days")}',
        back="Set the former number of days; what is over it is deleted.",
        terraform="# aws_fsx_windows_file_system, aws_fsx_ontap_file_system, "
        "aws_fsx_openzfs_file_system or\n# aws_fsx_lustre_file_system, whichever has the id @{name}:\n"
        "automatic_backup_retention_days = 7\n",
    ),
    refs=("https://docs.aws.amazon.com/fsx/latest/WindowsGuide/using-backups.html",),
)
def backups(found: FsxSystems, *, days: int = 7) -> Verdicts:
    """Whoever may write can delete or encrypt every file; only a backup brings them back."""
    for one in found.systems:
        if one.scratch:
            continue
        yield expect(
            one.days >= days,
            on=one.arn,
            where=one.region,
            saw=f"automatic backups are kept for {one.days} days" if one.days else "no automatic backups",
            want=f"automatic backups, kept for {days} days or longer",
            values={"name": one.name},
        )


def _zones(one: FsxSystem) -> bool | None:
    """None for Lustre, which is in one zone by its nature."""
    return None if one.kind == "LUSTRE" else one.layout.startswith("MULTI_AZ")


zones = setting(
    "cloud.fsx.zones",
    FsxSystems,
    _zones,
    title="File systems in FSx stand in two zones",
    why="When the zone fails, everything that reads from a file system in one zone stands still.",
    severity=Severity.LOW,
    bad=lambda one: f"one zone ({one.layout})",
    good="two zones",
    fix=repair(
        "Move file system @{name} into two zones",
        "The layout is fixed when a file system is made: restore a backup into a new one with a layout that "
        "begins with MULTI_AZ, in subnets of two zones, and mount that in place of the old one.",
        f"{_CALL} --query 'FileSystems[0].*.DeploymentType'   # MULTI_AZ, for the new one",
        back="Mount the old file system again.",
        hours=(1.0, 4.0),
        key="fsx:zones @{on}",
        terraform="# In a new aws_fsx_windows_file_system, aws_fsx_ontap_file_system or "
        "aws_fsx_openzfs_file_system\n# beside @{name}, of the same kind and filled from its backup. In the "
        'old one this would delete it first.\ndeployment_type = "MULTI_AZ_1"\n',
    ),
    refs=("https://docs.aws.amazon.com/fsx/latest/WindowsGuide/high-availability-multiAZ.html",),
)


own_key = setting(
    "cloud.fsx.own-key",
    FsxKeys,
    lambda one: one.own,
    title="File systems in FSx are encrypted under a key of one's own",
    why="The policy of one's own key says who reads the files, and taking the key away closes them at once.",
    severity=Severity.LOW,
    bad="the key that AWS keeps",
    good="a key of one's own",
    fix=repair(
        "Encrypt file system @{name} under a key of your own",
        "The key is fixed when a file system is made: restore a backup into a new one, and name the "
        "key there.",
        f"{_CALL} --query 'FileSystems[0].KmsKeyId'   # a key of your own, for the new one",
        back="Mount the old file system again.",
        hours=(1.0, 4.0),
        key="fsx:key @{on}",
        terraform="# In a new aws_fsx_windows_file_system, aws_fsx_ontap_file_system, "
        "aws_fsx_openzfs_file_system or\n# aws_fsx_lustre_file_system beside @{name}, of the same kind and "
        "filled from its backup.\n# In the old one this would delete it first.\nkms_key_id = var.key_arn\n",
    ),
    refs=("https://docs.aws.amazon.com/fsx/latest/WindowsGuide/encryption-at-rest.html",),
)
