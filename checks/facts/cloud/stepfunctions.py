"""State machines of Step Functions."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class StateMachine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state machine: what it logs (`OFF`, `FATAL`, `ERROR`, `ALL`), and whether its data with that.

    `express` ones keep no history but their log.
    """

    arn: str
    name: str
    region: str
    express: bool
    level: str
    data: bool
    key: bool


class StateMachines(Fact, frozen=True, forbid_unknown_fields=True):
    """All state machines."""

    account: str
    regions: tuple[str, ...]
    machines: tuple[StateMachine, ...]


class StateMachineText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The secrets in the definition of a state machine: kind and line, never the value."""

    arn: str
    name: str
    region: str
    secrets: tuple[str, ...]


class StateMachineTexts(Fact, frozen=True, forbid_unknown_fields=True):
    """What the definitions hold that could be read."""

    account: str
    regions: tuple[str, ...]
    machines: tuple[StateMachineText, ...]
