"""Collects stacks: one list says whether there are any, another tells them with parameters and outputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial

from checks.facts.cloud.cloudformation import Stack, Stacks
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, some, text
from scanner.collect.cloud.variables import secret_names
from scanner.collect.collector import Collected

LIST = Call("cloudformation", "ListStacks", (Stacks,), key="StackSummaries")
"""Asked first because AWS wants this permission too before it describes stacks that are not named."""
STACKS = Call("cloudformation", "DescribeStacks", (Stacks,), key="Stacks")

_GONE = ("DELETE_COMPLETE", "DELETE_IN_PROGRESS")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def stacks(place: Place) -> Collected:
    """The stacks, without those that are deleted or about to be."""
    listed = place.all_of(LIST)
    there = [one for one in listed if one.get("StackStatus") not in _GONE]
    raw = [one for one in place.all_of(STACKS) if one.get("StackStatus") not in _GONE] if there else []
    found, lost = place.read(raw, STACKS, "StackName", partial(_stack, place.region))
    fact = Stacks(place.account, (place.region,), found)
    return lost + place.found(fact, STACKS, found, names=[one.arn for one in found])


def _stack(region: str, raw: Raw) -> Stack:
    outputs = {text(o, "OutputKey"): text(o, "OutputValue", "") for o in some(raw, "Outputs")}
    parameters = {
        # A parameter that names one of the parameter store shows what it was resolved to beside it.
        text(one, "ParameterKey"): text(one, "ResolvedValue", text(one, "ParameterValue", ""))
        for one in some(raw, "Parameters")
    }
    return Stack(
        arn=text(raw, "StackId"),
        name=text(raw, "StackName"),
        region=region,
        status=text(raw, "StackStatus"),
        protected=flag(raw, "EnableTerminationProtection", False),
        nested=bool(text(raw, "ParentId", "")),
        parameters=_secret(parameters),
        outputs=_secret(outputs),
        bootstrap=_bootstrap(outputs, parameters),
    )


def _secret(values: Mapping[str, str]) -> tuple[str, ...]:
    """Which names hold a secret; names are written DatabasePassword here, not DATABASE_PASSWORD."""
    held = (name for name, value in values.items() if secret_names({_HUMP.sub("_", name): value}))
    return tuple(sorted(held))


def _bootstrap(outputs: Mapping[str, str], parameters: Mapping[str, str]) -> int:
    """The release of the CDK's ground: only that stack has both its version and this parameter."""
    version = outputs.get("BootstrapVersion", "")
    return int(version) if version.isdecimal() and "FileAssetsBucketName" in parameters else 0


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("cloudformation stacks", True, (LIST, STACKS), stacks)
