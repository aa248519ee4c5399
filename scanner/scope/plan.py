"""What a scan will touch: the words of a person held against the scope, address by address."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path

import msgspec

from checks.fix import printable
from scanner.addresses import AddressSet, literal
from scanner.scope.guard import Guard, ScopeError
from scanner.scope.inside import FLAG, Inside, Outside, Rule
from scanner.scope.load import Scope
from scanner.scope.planned import AwsScope, Draft, HostScope, NetworkDraft, Plan, PlannedTarget
from scanner.scope.ways import ExcludedError, RefusedError
from scanner.targets import (
    FILE_BYTES,
    AnyTarget,
    TargetError,
    merge_targets,
    parse_target,
    parse_target_file,
)

_OWN_MACHINE = "this machine only; no authorisation is needed"


def plan(
    scope: Scope,
    words: Sequence[str],
    *,
    now: datetime,
    authorised: bool = False,
    identity: str = "",
    public: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Plan:
    """What these words mean in this scope; no words mean the whole scope, `@FILE` is a list of words.

    Without a scope file only this machine is scanned, unless the person called `identity` says to be
    `authorised`; networks of the internet then also need `public`. With one, the flag changes nothing.

    Raises:
        TargetError: words that are no targets, one line each.
        ScopeError: all that is refused, one line each and in `refused`; too many addresses; nothing is left;
            the authorisation has ended.

    """
    guard = scope.guard
    if guard.expired(now):
        raise scope.error(("authorisation", "until"), f"the authorisation ended on {guard.until}; renew it")
    if not scope.given and not words:
        raise ScopeError(
            "nothing to scan: name a target such as local, or write a scope file (bartizan init)"
        )
    if not scope.given:
        drafts, notes = _said(_read_words(words, scope), Outside(authorised, public), "")
        guard = _opened(guard, drafts)
    elif words:
        drafts, notes = _said(_read_words(words, scope), Inside(scope, guard, environ), str(scope.path))
    else:
        drafts, notes = _whole(Inside(scope, guard, environ))
    return Plan(
        targets=_listed(scope, drafts),
        notes=(*notes, *_left_out(drafts)),
        guard=guard,
        authorisation=_authorisation(scope, identity, authorised=authorised),
    )


def _read_words(words: Iterable[str], scope: Scope) -> tuple[AnyTarget, ...]:
    limit = scope.file.limits.addresses
    found: list[AnyTarget] = []
    bad: list[str] = []
    for word in words:
        try:
            if word.startswith("@"):
                found.extend(parse_target_file(_read(word[1:]), word[1:], limit=limit))
            else:
                found.append(parse_target(word, limit=limit))
        except TargetError as error:
            bad.append(str(error))
    if bad:
        raise TargetError("\n".join(bad))
    return tuple(found)


def _read(name: str) -> bytes:
    path = Path(name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise TargetError(f"@{printable(name)}: this is no file")
        with path.open("rb") as file:
            return file.read(FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, TargetError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TargetError(f"@{printable(name)}: {reason}; after the @ stands a file with targets") from None


def _said(said: Iterable[AnyTarget], rule: Rule, path: str) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
    refused: list[str] = []
    targets, notes = merge_targets(one for target in said for one in rule.expand(target))
    drafts: list[Draft] = []
    for target in targets:
        try:
            drafts.extend(rule.find(target))
        except RefusedError as error:
            refused.append(f"{target.spec}: {error}")
    if refused:
        where = f" by {printable(path)}" if path else ""
        many = f"{len(refused):,} targets are refused{where}:\n" if len(refused) > 1 else ""
        raise ScopeError(many + "\n".join(refused), tuple(refused))
    joined, more = _joined(drafts)
    return joined, (*notes, *more)


def _whole(rule: Inside) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
    """Everything in the scope; what it excludes again is left out and noted."""
    file = rule.scope.file
    drafts: list[Draft] = [rule.local()] if file.local is not None else []
    notes: list[str] = []
    networks, _ = merge_targets(rule.networks())
    for network in networks:
        try:
            drafts.extend(rule.find(network))
        except ExcludedError as error:
            notes.append(f"{network.spec} is left out: {error}")
    for host in file.hosts:
        try:
            drafts.append(rule.host(host))
        except ExcludedError as error:
            notes.append(f"{host.name} is left out: {error}")
    drafts.extend(rule.account(entry) for entry in file.aws)
    if not drafts:
        reason = "it excludes all that it names" if notes else "add networks, hosts, aws or local"
        raise rule.scope.error((), f"the scope leaves nothing to scan; {reason}")
    joined, more = _joined(drafts)
    return joined, (*notes, *more)


def _joined(drafts: Iterable[Draft]) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
    """One draft a target: repetitions go, and the regions of one account come together."""
    kept: dict[object, Draft] = {}
    notes: list[str] = []
    for draft in drafts:
        access = None if isinstance(draft, NetworkDraft) else draft.access
        key: object = draft.target.spec
        if isinstance(access, AwsScope):
            key = (access.profile, access.account, access.organization)
        first = kept.setdefault(key, draft)
        if first is draft:
            continue
        notes.append(f"{draft.target.name} is named twice; it is scanned once")
        if (
            isinstance(first, PlannedTarget)
            and isinstance(first.access, AwsScope)
            and isinstance(access, AwsScope)
        ):
            kept[key] = _both(first, first.access, access)
    return tuple(kept.values()), tuple(dict.fromkeys(notes))


def _both(first: PlannedTarget, one: AwsScope, other: AwsScope) -> PlannedTarget:
    # No regions means all of them.
    regions = tuple(sorted({*one.regions, *other.regions})) if one.regions and other.regions else ()
    access = replace(one, regions=regions)
    return PlannedTarget(msgspec.structs.replace(first.target, spec=access.spec), access)


def _listed(scope: Scope, drafts: Sequence[Draft]) -> tuple[PlannedTarget, ...]:
    limit = scope.file.limits.addresses
    total = sum(draft.addresses.size for draft in drafts if isinstance(draft, NetworkDraft))
    if total > limit:
        raise ScopeError(
            f"{total:,} addresses are more than the {limit:,} allowed in one scan; "
            "name fewer networks, or raise limits.addresses in the scope file"
        )
    rate, fragile = scope.file.rate, AddressSet.of(scope.file.fragile)
    return tuple(d.listed(rate, fragile) if isinstance(d, NetworkDraft) else d for d in drafts)


def _left_out(drafts: Iterable[Draft]) -> tuple[str, ...]:
    return tuple(
        f"{d.target.spec}: {d.excluded:,} excluded address{'es are' if d.excluded > 1 else ' is'} left out"
        for d in drafts
        if isinstance(d, NetworkDraft) and d.excluded
    )


def _opened(guard: Guard, drafts: Iterable[Draft]) -> Guard:
    """The guard that also lets through what a person named without a scope file."""
    allowed, names = guard.allowed, set(guard.open_names)
    for draft in drafts:
        if isinstance(draft, NetworkDraft):
            allowed |= draft.addresses
        elif isinstance(draft.access, HostScope):
            address = literal(draft.access.host)
            if address is not None:
                allowed |= AddressSet.of([ip_network(address)])
            elif draft.access.host != "localhost":
                names.add(draft.access.host)
    return replace(guard, allowed=allowed, open_names=frozenset(names))


def _authorisation(scope: Scope, identity: str, *, authorised: bool) -> str:
    given = scope.file.authorisation
    if given is not None:
        return printable(f"{given.by} ({given.reference}), until {given.until}")
    if authorised and not scope.given:
        return printable(f"{FLAG}, said by {identity or 'somebody who gave no name'}")
    return _OWN_MACHINE
