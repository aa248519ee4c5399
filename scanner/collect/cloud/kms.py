"""Collects the account's own encryption keys: whether AWS rotates them, and whom their policies let in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from checks.facts.cloud.kms import KeyRotation, KmsKey, KmsKeyRotation, KmsKeys
from checks.facts.cloud.resource_policies import KeyPolicies, ResourcePolicy
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import flag, group, text
from scanner.collect.cloud.lists import details, policy_of
from scanner.collect.collector import Collected

_ALL = (KmsKeys, KmsKeyRotation, KeyPolicies)
KEYS = Call("kms", "ListKeys", _ALL, key="Keys", page=1000)
ALIASES = Call("kms", "ListAliases", _ALL, key="Aliases", page=100)
KEY = Call("kms", "DescribeKey", _ALL)
ROTATION = Call("kms", "GetKeyRotationStatus", (KmsKeyRotation,))
POLICY = Call("kms", "GetKeyPolicy", (KeyPolicies,))


def keys(place: Place) -> Collected:
    """The keys that the account manages, and the wanted settings of each."""
    # Keys of AWS's own services have an alias that nobody else can give: they need no further call.
    aliases = place.all_of(ALIASES)
    aws_own = {text(a, "TargetKeyId", "") for a in aliases if text(a, "AliasName").startswith("alias/aws/")}
    listed = [one for one in place.all_of(KEYS) if text(one, "KeyId") not in aws_own]
    arns = sorted(text(one, "KeyArn") for one in listed)
    described = place.each([(place.where(arn), KEY, partial(_key, place, arn)) for arn in arns])
    found = [key for fact in described.facts if isinstance(fact, KmsKeys) for key in fact.keys]
    fact = KmsKeys(place.account, (place.region,), tuple(found))
    whole = place.found(fact, KEY, found, names=[k.arn for k in found])
    whole += Collected(gaps=described.gaps, absences=described.absences)
    return whole + _rotations(place, found) + _policies(place, found)


def _rotations(place: Place, found: Sequence[KmsKey]) -> Collected:
    if not place.wants(ROTATION):
        return Collected()
    turning = [(place.where(k.arn), ROTATION, partial(_rotation, place, k)) for k in found if k.can_rotate]
    return Collected(facts=(KmsKeyRotation(place.account, ()),)) + place.each(turning)


def _policies(place: Place, found: Sequence[KmsKey]) -> Collected:
    own = [key for key in found if key.manager == "CUSTOMER"]
    return details(place, POLICY, own, _policy)


def _policy(place: Place, key: KmsKey) -> ResourcePolicy:
    return policy_of(place, POLICY, key, (), "Policy", KeyId=key.arn, PolicyName="default")


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
    yield Collector("kms keys", True, (KEYS, ALIASES, KEY, ROTATION, POLICY), keys)
