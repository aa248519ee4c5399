"""Stacks of CloudFormation."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Stack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stack that is there: its state, and which of its parameters and outputs hold a secret, by name.

    `nested` ones are part of another stack, which decides on deletion. `bootstrap` is the release of the
    ground that the CDK laid, 0 for every other stack.
    """

    arn: str
    name: str
    region: str
    status: str
    protected: bool
    nested: bool
    parameters: tuple[str, ...]
    outputs: tuple[str, ...]
    bootstrap: int = 0


class Stacks(Fact, frozen=True, forbid_unknown_fields=True):
    """All stacks that are there."""

    account: str
    regions: tuple[str, ...]
    stacks: tuple[Stack, ...]
