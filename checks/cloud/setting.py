"""Checks of one setting of each resource: what differs between them is data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from checks.check import Check, make_check
from checks.facts.snapshot import Fact
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect

Said = str | Callable[[Any], str]


def repair(
    action: str,
    do: str,
    verify: str,
    cli: str = "",
    undo: str = "",
    *,
    terraform: str = "",
    back: str = "The same call with the former value.",
    hours: tuple[float, float] = (0.25, 0.1),
    disruption: Disruption = Disruption.NONE,
    key: str = "",
) -> Fix:
    """A repair: its title, words, check, and commands with their undo. `hours` are (once, for each)."""
    snippets = [Snippet(Language.AWS_CLI, cli, undo)] if cli else []
    snippets += [Snippet(Language.TERRAFORM, terraform)] if terraform else []
    return Fix(
        action=action,
        do=do,
        verify=verify,
        effort=Effort(*hours),
        disruption=disruption,
        undo=back,
        snippets=tuple(snippets),
        key=key,
    )


def setting(
    identifier: str,
    fact: type[Fact],
    held: Callable[[Any], bool | None],
    *,
    title: str,
    why: str,
    severity: Severity,
    bad: Said,
    good: str,
    fix: Fix,
    records: str = "",
    on: str = "arn",
    impact: Impact | None = None,
    exploit: Exploit = Exploit.HARDENING,
    values: Callable[[Any], Mapping[str, str]] | None = None,
    refs: tuple[str, ...] = (),
) -> Check[[Fact]]:
    """A check that holds one setting of every record of a fact.

    `held` says whether the record is as it should be, None where the question makes no sense for it.
    `records` names the list of the fact (default: its only list of records), `on` the field that names
    the record. What a report shows is `bad` or `good`; `@{name}` and `@{id}` are filled from the record,
    and what `values` makes of it.
    """
    listed = records or _only_list(fact)

    def judge(found: Fact) -> Verdicts:
        for record in getattr(found, listed):
            ok = held(record)
            if ok is None:
                continue
            shown = good if ok else bad if isinstance(bad, str) else bad(record)
            yield expect(
                ok,
                on=getattr(record, on),
                where=getattr(record, "region", ""),
                saw=shown,
                want=good,
                values={
                    **_values(record, getattr(found, "account", "")),
                    **(values(record) if values else {}),
                },
            )

    judge.__annotations__["found"] = fact
    judge.__module__ = module_of(identifier)
    check: Check[[Fact]] = make_check(
        judge,
        identifier,
        title=title,
        severity=severity,
        why=why,
        impact=impact,
        exploit=exploit,
        surface=Surface.CONTROL_PLANE,
        fix=fix,
        refs=refs,
    )
    return check


def module_of(identifier: str) -> str:
    """The module that a check belongs to: a table elsewhere may have made it."""
    return f"checks.cloud.{identifier.split('.')[1].replace('-', '_')}"


def _values(record: Any, account: str) -> Mapping[str, str]:
    texts = {
        name: value
        for name in ("name", "id", "arn", "cluster", "parent", "policy", "key")
        if isinstance(value := getattr(record, name, None), str)
    }
    return {"account": account, **texts}


def _only_list(fact: type[Fact]) -> str:
    names = [name for name in fact.__struct_fields__ if name not in ("account", "regions")]
    if len(names) != 1:
        raise TypeError(f"{fact.__name__} has {len(names)} lists; say which one")
    return names[0]


def joined(names: Iterable[str]) -> str:
    """Several names as a report shows them."""
    return ", ".join(sorted(names))
