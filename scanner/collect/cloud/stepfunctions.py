"""Collects state machines: a list, then one call for each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from checks.facts.cloud.stepfunctions import StateMachine, StateMachines, StateMachineText, StateMachineTexts
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, text
from scanner.collect.cloud.variables import secret_names
from scanner.collect.collector import Collected
from scanner.transport.aws_errors import Because, Refused

_BOTH = (StateMachines, StateMachineTexts)
LIST = Call(
    "stepfunctions", "ListStateMachines", _BOTH, action="states:ListStateMachines", key="stateMachines",
    page=1000,
)  # fmt: skip
MACHINE = Call("stepfunctions", "DescribeStateMachine", _BOTH, action="states:DescribeStateMachine")
TEXT = Call("stepfunctions", "DescribeStateMachine", (StateMachineTexts,), action="kms:Decrypt")
"""The same call where the key of the definition is not ours to use: only the text is hidden."""

_EXPRESSION = re.compile(
    r"\{%\s*(?:(?P<quote>[\"'])(?P<text>[^\"']*)(?P=quote)\s*|(?:(?!%\}).)*)%\}", re.DOTALL
)
"""JSONata; where it is nothing but a text, that is its value."""


def machines(place: Place) -> Collected:
    """The state machines."""
    arns = sorted(text(one, "stateMachineArn") for one in place.all_of(LIST))
    here = (place.region,)
    empty = Collected(facts=tuple(f for f in (StateMachines(place.account, here, ()),
        StateMachineTexts(place.account, here, ())) if type(f) in place.wanted))  # fmt: skip
    return empty + place.each([(arn, MACHINE, partial(_machine, place, arn)) for arn in arns])


def _machine(place: Place, arn: str) -> Collected:
    hidden = Collected()
    try:
        raw = place.one(MACHINE, stateMachineArn=arn)
    except NotRead as lost:
        if not lost.refused.code.startswith("Kms"):
            raise
        hidden = place.lost(TEXT, _of_the_key(lost.refused), arn)
        raw = place.one(MACHINE, stateMachineArn=arn, includedData="METADATA_ONLY")
    logging = group(raw, "loggingConfiguration")
    record = StateMachine(
        arn=arn,
        name=text(raw, "name"),
        region=place.region,
        express=text(raw, "type") == "EXPRESS",
        level=text(logging, "level", "OFF"),
        data=flag(logging, "includeExecutionData", False),
        key=text(group(raw, "encryptionConfiguration"), "type", "AWS_OWNED_KEY") != "AWS_OWNED_KEY",
    )
    found = place.found(
        StateMachines(place.account, (place.region,), (record,)), MACHINE, (record,), where=arn
    )
    return found + (hidden if hidden.gaps else _text(place, raw, arn))


def _of_the_key(refused: Refused) -> Refused:
    """Why the definition is hidden: AWS answers with 400 where the key may not be used."""
    if refused.code == "KmsAccessDeniedException":
        return Refused(Because.DENIED, "its key may not be used", refused.code)
    return refused


def _text(place: Place, raw: Raw, arn: str) -> Collected:
    try:
        states = json.loads(text(raw, "definition"))
    except (ValueError, RecursionError):
        raise UnreadableError("the definition is no JSON") from None
    record = StateMachineText(arn, text(raw, "name"), place.region, tuple(sorted(set(_secrets(states)))))
    fact = StateMachineTexts(place.account, (place.region,), (record,))
    return place.found(fact, MACHINE, (record,), where=arn)


def _secrets(value: Any, name: str = "") -> Iterator[str]:
    """The names of the fields that hold a secret; `State.Parameters.Password`."""
    todo = [(name, value)]
    while todo:
        at, one = todo.pop()
        match one:
            case dict():
                todo += [(f"{at}.{key}" if at else str(key), part) for key, part in one.items()]
            case list():
                todo += [(at, part) for part in one]
            # A name that ends in .$ takes its value from the input.
            case str() if not at.endswith(".$") and _held(at.rpartition(".")[2], one):
                yield at


def _held(name: str, value: str) -> bool:
    """Whether the field holds a secret: what is computed, or taken from the input, is none."""
    if computed := _EXPRESSION.fullmatch(value):
        value = computed["text"] or ""
    return not value.startswith("$.") and bool(secret_names({name: value}))


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("step functions", True, (LIST, MACHINE), machines)
