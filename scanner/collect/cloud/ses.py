"""Collects the identities that mail is sent from: of each its signature and its policies in one call."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.policy import Policy
from checks.facts.cloud.resource_policies import ResourcePolicy, SendingPolicies
from checks.facts.cloud.ses import Sender, Senders
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, text
from scanner.collect.cloud.lists import by_token
from scanner.collect.cloud.policies import parse
from scanner.collect.collector import Collected
from scanner.transport.aws_errors import Because, Refused

_BOTH = (Senders, SendingPolicies)
LIST = Call(
    "sesv2", "ListEmailIdentities", _BOTH, action="ses:ListEmailIdentities", key="EmailIdentities"
)  # fmt: skip
SENDER = Call("sesv2", "GetEmailIdentity", _BOTH, action="ses:GetEmailIdentity")
_POLICIES = Call("sesv2", "GetEmailIdentity", (SendingPolicies,), action="ses:GetEmailIdentity")


def senders(place: Place) -> Collected:
    """The identities, and whom their policies let send in their name."""
    names = sorted(text(one, "IdentityName") for one in by_token(place, LIST, PageSize=1000))
    empty = (Senders(place.account, (place.region,), ()), SendingPolicies(place.account, ()))
    things = [(place.where(name), SENDER, partial(_sender, place, name)) for name in names]
    return Collected(facts=tuple(f for f in empty if type(f) in place.wanted)) + place.each(things)


def _sender(place: Place, name: str) -> Collected:
    told = place.one(SENDER, EmailIdentity=name)
    arn = place.arn("ses", f"identity/{name}")
    whole = _policies(place, arn, name, group(told, "Policies"))
    if not flag(told, "VerifiedForSendingStatus", False):
        # Nobody can send from it yet, so how its mail is signed is no question.
        return whole
    signature = group(told, "DkimAttributes")
    sender = Sender(
        arn=arn,
        name=name,
        region=place.region,
        domain=text(told, "IdentityType").endswith("DOMAIN"),
        signs=flag(signature, "SigningEnabled", False) and text(signature, "Status", "") == "SUCCESS",
    )
    fact = Senders(place.account, (place.region,), (sender,))
    return whole + place.found(fact, SENDER, (sender,), where=arn)


def _policies(place: Place, arn: str, name: str, written: Raw) -> Collected:
    try:
        parts = [parse(written[key]) for key in sorted(written)]
    except UnreadableError as error:
        return place.lost(_POLICIES, Refused(Because.UNREADABLE, str(error)), place.where(name))
    policy = Policy(tuple(statement for part in parts for statement in part.statements))
    record = ResourcePolicy(arn, name, place.region, policy)
    fact = SendingPolicies(place.account, (record,))
    return place.found(fact, SENDER, policy.statements or (record,), where=arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("ses senders", True, (LIST, SENDER), senders)
