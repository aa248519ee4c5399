"""Collects documents with whom they are shared, parameters by their names, and what is managed how well."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial

from checks.facts.cloud.ssm import (
    Document,
    Documents,
    DocumentShareBlock,
    DocumentShareBlocks,
    ManagedInstance,
    ManagedInstances,
    Parameter,
    Parameters,
    PatchState,
    PatchStates,
    SessionLog,
    SessionLogs,
)
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import (
    Raw,
    UnreadableError,
    group,
    number,
    some,
    text,
    time_of,
    time_or_never,
)
from scanner.collect.cloud.lists import listing, whole
from scanner.collect.cloud.ssm_names import of_a_secret
from scanner.collect.collector import Collected

DOCUMENTS = Call("ssm", "ListDocuments", (Documents,), key="DocumentIdentifiers", page=50)
SHARED = Call("ssm", "DescribeDocumentPermission", (Documents,))
PARAMETERS = Call("ssm", "DescribeParameters", (Parameters,), key="Parameters", page=50)
MANAGED = Call(
    "ssm",
    "DescribeInstanceInformation",
    (ManagedInstances, PatchStates),
    key="InstanceInformationList",
    page=50,
)
PATCHES = Call("ssm", "DescribeInstancePatchStates", (PatchStates,), key="InstancePatchStates", page=50)
SESSIONS = Call("ssm", "GetDocument", (SessionLogs,))
SHARING = Call("ssm", "GetServiceSetting", (DocumentShareBlocks,))
PREFERENCES = "SSM-SessionManagerRunShell"
"""The document that holds the preferences of Session Manager; it holds no secrets."""
PUBLIC_SHARING = "/ssm/documents/console/public-sharing-permission"
AT_ONCE = 50
"""Machines whose patches AWS tells in one call."""


def documents(place: Place) -> Collected:
    """The own documents, and with whom each is shared."""
    own = place.all_of(DOCUMENTS, Filters=[{"Key": "Owner", "Values": ["Self"]}])
    names = sorted(text(one, "Name") for one in own)
    empty = Collected(facts=(Documents(place.account, ()),))
    return empty + place.each([(place.where(name), SHARED, partial(_shared, place, name)) for name in names])


def _shared(place: Place, name: str) -> Collected:
    told = place.one(SHARED, Name=name, PermissionType="Share")
    shared = tuple(sorted(map(str, some(told, "AccountIds"))))
    record = Document(place.arn("ssm", f"document/{name}"), name, place.region, shared)
    return place.found(Documents(place.account, (record,)), SHARED, (record,), where=record.arn)


def _parameter(place: Place, raw: Raw) -> Parameter:
    name = text(raw, "Name")
    return Parameter(
        arn=text(raw, "ARN", "") or place.arn("ssm", f"parameter/{name.lstrip('/')}"),
        name=name,
        region=place.region,
        secure=text(raw, "Type") == "SecureString",
        suspect=of_a_secret(name) and text(raw, "DataType", "text") == "text",
    )


def managed(place: Place) -> Collected:
    """The managed machines, and their patches, fifty in a call."""
    listed = place.all_of(MANAGED)
    own = Call("ssm", MANAGED.operation, (ManagedInstances,))
    found, lost = place.read(listed, own, "InstanceId", partial(_managed, place))
    known = lost + whole(place, MANAGED, ManagedInstances, found)
    if not place.wants(PATCHES):
        return known
    names = sorted(text(one, "InstanceId") for one in listed)
    some_of = [names[at : at + AT_ONCE] for at in range(0, len(names), AT_ONCE)]
    jobs = [(place.region, PATCHES, partial(_patches, place, few)) for few in some_of]
    # The region counts as read only with the answers themselves.
    read = place.each(jobs)
    empty = () if read.gaps else (place.region,)
    return known + Collected(facts=(PatchStates(place.account, empty, ()),)) + read


def _managed(place: Place, raw: Raw) -> ManagedInstance:
    return ManagedInstance(
        id=text(raw, "InstanceId"),
        region=place.region,
        kind=text(raw, "ResourceType", "EC2Instance"),
        online=text(raw, "PingStatus") == "Online",
        seen=time_or_never(raw, "LastPingDateTime"),
    )


def _patches(place: Place, names: list[str]) -> Collected:
    states = place.all_of(PATCHES, InstanceIds=names)
    found, lost = place.read(states, PATCHES, "InstanceId", partial(_patch, place))
    fact = PatchStates(place.account, (), found)
    return lost + place.found(fact, PATCHES, found, names=[one.id for one in found])


def _patch(place: Place, raw: Raw) -> PatchState:
    return PatchState(
        id=text(raw, "InstanceId"),
        region=place.region,
        looked=time_of(raw, "OperationEndTime"),
        # What the agent found none of it does not report.
        critical=number(raw, "CriticalNonCompliantCount", 0),
        security=number(raw, "SecurityNonCompliantCount", 0),
        missing=number(raw, "MissingCount", 0),
        failed=number(raw, "FailedCount", 0),
        waiting=number(raw, "InstalledPendingRebootCount", 0),
    )


def session_logs(place: Place) -> Collected:
    """Where sessions on machines are recorded: nowhere, where nobody has set preferences."""
    inputs: Raw = {}
    try:
        written = text(place.one(SESSIONS, Name=PREFERENCES), "Content")
    except NotRead as error:
        if error.refused.code != "InvalidDocument":
            raise
    else:
        inputs = _inputs(written)
    record = SessionLog(
        region=place.region,
        bucket=text(inputs, "s3BucketName", ""),
        log_group=text(inputs, "cloudWatchLogGroupName", ""),
        key=text(inputs, "kmsKeyId", ""),
    )
    return place.found(SessionLogs(place.account, (record,)), SESSIONS, (record,))


def _inputs(written: str) -> Raw:
    try:
        document = json.loads(written)
    except (ValueError, RecursionError):
        raise UnreadableError("the preferences of Session Manager are not JSON") from None
    if not isinstance(document, Mapping):
        raise UnreadableError("the preferences of Session Manager are not a JSON object")
    return group(document, "inputs")


def share_block(place: Place) -> Collected:
    """Whether the region refuses to share documents with everybody."""
    told = group(
        place.one(SHARING, SettingId="/ssm/documents/console/public-sharing-permission"), "ServiceSetting"
    )
    record = DocumentShareBlock(place.region, text(told, "SettingValue").lower() == "disable")
    return place.found(DocumentShareBlocks(place.account, (record,)), SHARING, (record,))


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("ssm documents", True, (DOCUMENTS, SHARED), documents)
    yield listing("ssm parameters", PARAMETERS, _parameter, named="Name")
    yield Collector("ssm machines", True, (MANAGED, PATCHES), managed)
    yield Collector("ssm sessions", True, (SESSIONS,), session_logs)
    yield Collector("ssm sharing", True, (SHARING,), share_block)
