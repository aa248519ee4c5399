"""Collects the file systems of FSx: one call a region, and one more to tell whose keys they are under."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType

from checks.facts.cloud.fsx import FsxKey, FsxKeys, FsxSystem, FsxSystems
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, group, number, text
from scanner.collect.cloud.lists import whole
from scanner.collect.collector import Collected

LIST = Call("fsx", "DescribeFileSystems", (FsxSystems, FsxKeys), key="FileSystems", page=1000)
ALIASES = Call("kms", "ListAliases", (FsxKeys,), key="Aliases", page=100)
_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "WINDOWS": "WindowsConfiguration",
        "LUSTRE": "LustreConfiguration",
        "ONTAP": "OntapConfiguration",
        "OPENZFS": "OpenZFSConfiguration",
    }
)


def file_systems(place: Place) -> Collected:
    """The file systems of the region."""
    listed = [one for one in place.all_of(LIST) if one.get("Lifecycle") not in ("DELETING", "FAILED")]
    found, lost = place.read(listed, LIST, "FileSystemId", partial(_system, place))
    systems = whole(place, LIST, FsxSystems, found)
    if not place.wants(ALIASES):
        return lost + systems
    names = {one.name: one for one in found if not one.scratch}
    used = {names[n]: text(one, "KmsKeyId", "") for one in listed if (n := one.get("FileSystemId")) in names}
    return lost + systems + place.each([(place.where("keys"), ALIASES, partial(_keys, place, used))])


def _keys(place: Place, used: Mapping[FsxSystem, str]) -> Collected:
    # Keys of AWS's own services have an alias that nobody else can give, and only in their own account.
    own_account = [key for key in used.values() if key.split(":")[4:5] == [place.account]]
    aliases = place.all_of(ALIASES) if own_account else ()
    of_aws = {text(a, "TargetKeyId", "") for a in aliases if text(a, "AliasName").startswith("alias/aws/")}
    found = tuple(
        FsxKey(one.arn, one.name, one.region, bool(key) and key.rpartition("/")[2] not in of_aws)
        for one, key in sorted(used.items(), key=lambda pair: pair[0].arn)
    )
    return whole(place, ALIASES if own_account else LIST, FsxKeys, found)


def _system(place: Place, raw: Raw) -> FsxSystem:
    name, kind = text(raw, "FileSystemId"), text(raw, "FileSystemType")
    if kind not in _SETTINGS:
        raise UnreadableError(f"{kind} is no kind of file system that is known here")
    settings = group(raw, _SETTINGS[kind])
    # Lustre leaves the number out where no backups were asked for.
    days = number(settings, "AutomaticBackupRetentionDays", 0 if kind == "LUSTRE" else None)
    arn = text(raw, "ResourceARN", "") or place.arn("fsx", f"file-system/{name}")
    return FsxSystem(arn, name, place.region, kind, text(settings, "DeploymentType"), days)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("fsx file systems", True, (LIST, ALIASES), file_systems)
