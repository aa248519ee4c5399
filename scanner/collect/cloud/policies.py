"""Reads policy documents, in each of the forms that AWS accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from checks.facts.cloud.policy import Condition, Policy, Statement
from scanner.collect.cloud.fields import UnreadableError

MAX_CHARACTERS = 256 * 1024


def parse(document: str | Mapping[str, Any]) -> Policy:
    """The statements of a policy document, given as JSON text or as already decoded.

    Raises:
        UnreadableError: it is no policy document, or holds something that cannot be understood.

    """
    if isinstance(document, str):
        if len(document) > MAX_CHARACTERS:
            raise UnreadableError(f"the policy has more than {MAX_CHARACTERS:,} characters")
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            raise UnreadableError("the policy is not JSON") from None
    if not isinstance(document, Mapping):
        raise UnreadableError("the policy is not a JSON object")
    written = document.get("Statement")
    statements = [written] if isinstance(written, Mapping) else written
    if not isinstance(statements, list):
        raise UnreadableError("the policy has no statements")
    return Policy(tuple(_statement(one) for one in statements))


def _statement(raw: object) -> Statement:
    if not isinstance(raw, Mapping):
        raise UnreadableError("a statement of the policy is not a JSON object")
    effect = raw.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise UnreadableError("a statement of the policy neither allows nor denies")
    return Statement(
        allow=effect == "Allow",
        sid=str(raw.get("Sid", "")),
        principals=_principals(raw.get("Principal")),
        not_principals=_principals(raw.get("NotPrincipal")),
        actions=_texts(raw.get("Action")),
        not_actions=_texts(raw.get("NotAction")),
        resources=_texts(raw.get("Resource")),
        not_resources=_texts(raw.get("NotResource")),
        conditions=_conditions(raw.get("Condition")),
    )


def _principals(raw: object) -> tuple[str, ...]:
    if raw is None:
        return ()
    if raw == "*":
        return ("*",)
    if not isinstance(raw, Mapping):
        raise UnreadableError("a principal of the policy has an unknown form")
    found = []
    for kind, names in raw.items():
        for name in _texts(names):
            found.append("*" if (kind, name) == ("AWS", "*") else f"{kind}:{name}")
    return tuple(found)


def _conditions(raw: object) -> tuple[Condition, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise UnreadableError("a condition of the policy has an unknown form")
    found = []
    for operator, tests in raw.items():
        if not isinstance(tests, Mapping):
            raise UnreadableError("a condition of the policy has an unknown form")
        for key, values in tests.items():
            found.append(Condition(str(operator), str(key), _texts(values)))
    return tuple(found)


def _texts(raw: object) -> tuple[str, ...]:
    if raw is None:
        return ()
    values = raw if isinstance(raw, Sequence) and not isinstance(raw, str) else [raw]
    found = []
    for value in values:
        if isinstance(value, bool):
            found.append("true" if value else "false")
        elif isinstance(value, str | int | float):
            found.append(str(value))
        else:
            raise UnreadableError("a value of the policy has an unknown form")
    return tuple(found)
