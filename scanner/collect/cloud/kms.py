"""Collects encryption keys and whether AWS rotates them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.kms import KeyRotation, KmsKey, KmsKeyRotation, KmsKeys
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import flag, group, text
from scanner.collect.collector import Collected

KEYS = Call("kms", "ListKeys", (KmsKeys, KmsKeyRotation), key="Keys", page=1000)
KEY = Call("kms", "DescribeKey", (KmsKeys, KmsKeyRotation))
ROTATION = Call("kms", "GetKeyRotationStatus", (KmsKeyRotation,))


def keys(place: Place) -> Collected:
    """The keys, and the rotation of those that can rotate."""
    arns = sorted(text(one, "KeyArn") for one in place.all_of(KEYS))
    described = place.each([(place.where(arn), KEY, partial(_key, place, arn)) for arn in arns])
    found = [key for fact in described.facts if isinstance(fact, KmsKeys) for key in fact.keys]
    fact = KmsKeys(place.account, (place.region,), tuple(found))
    whole = place.found(fact, KEY, found, names=[k.arn for k in found])
    whole += Collected(gaps=described.gaps, absences=described.absences)
    if not place.wants(ROTATION):
        return whole
    turning = [(place.where(k.arn), ROTATION, partial(_rotation, place, k)) for k in found if k.can_rotate]
    return whole + Collected(facts=(KmsKeyRotation(place.account, ()),)) + place.each(turning)


def _key(place: Place, arn: str) -> Collected:
    raw = group(place.one(KEY, KeyId=arn), "KeyMetadata")
    multi = text(group(raw, "MultiRegionConfiguration"), "MultiRegionKeyType", "")
    key = KmsKey(
        arn=text(raw, "Arn"),
        id=text(raw, "KeyId"),
        region=place.region,
        manager=text(raw, "KeyManager"),
        spec=text(raw, "KeySpec", "") or text(raw, "CustomerMasterKeySpec"),
        origin=text(raw, "Origin"),
        state=text(raw, "KeyState"),
        replica=multi == "REPLICA",
    )
    return Collected(facts=(KmsKeys(place.account, (), (key,)),))


def _rotation(place: Place, key: KmsKey) -> Collected:
    answer = place.one(ROTATION, KeyId=key.arn)
    record = KeyRotation(key.arn, place.region, flag(answer, "KeyRotationEnabled"))
    return place.found(KmsKeyRotation(place.account, (record,)), ROTATION, (record,), where=key.arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("kms keys", True, (KEYS, KEY, ROTATION), keys)
