"""Sets every host of a scan beside the others: keys, accounts and rights that are found on several.

`digest` takes from a snapshot the little that this needs, so that thousands of hosts fit into memory; `fleet`
makes one index of all digests; `derivations` tell what the index says about one host.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from checks.facts.host.accounts import Accounts
from checks.facts.host.fleet import (
    FleetAccounts,
    FleetHostKeys,
    FleetKeys,
    FleetSudo,
    KeyUse,
    OtherIds,
    RootUse,
    SharedHostKey,
)
from checks.facts.host.ssh_keys import AuthorizedKeys, HostKeys
from checks.facts.host.sudoers import Sudoers
from checks.facts.snapshot import Fact, Snapshot, Source, source
from checks.facts.untold import UntoldError
from checks.model import Kind
from scanner.collect.collector import Collected
from scanner.derive.derivation import Derivation

SOURCES: tuple[type[Fact], ...] = (AuthorizedKeys, Accounts, Sudoers, HostKeys)
"""The facts of a host that `digest` reads."""
_SHOWN = 20
"""How many places of one key or right are named; all are counted."""
_HOST_KEY = "ssh-host-key:"
_ADDRESS = "address:"


@dataclass(frozen=True, slots=True)
class HostDigest:
    """What one host tells the others: no secret, a few hundred bytes.

    `asset` is its strongest identity and `addresses` its identities by address. A part that was not read is
    None, which counts for nothing: the host is then not among those compared.
    """

    name: str
    asset: str
    addresses: frozenset[str]
    host_keys: frozenset[str]
    keys: tuple[tuple[str, str], ...] | None
    ids: tuple[tuple[str, int], ...] | None
    free_sudo: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Uses:
    """Where one login key opens something: how many hosts, under which names of accounts, and some places."""

    hosts: int
    names: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The index over all hosts: by key, host key, name of account, and holder of root."""

    keys: dict[str, Uses] = field(default_factory=dict)
    host_keys: dict[str, list[str]] = field(default_factory=dict)
    ids: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    free_sudo: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def digest(snapshot: Snapshot) -> HostDigest | None:
    """The digest of a host; None for another kind of target, and for a host that told nothing."""
    keys, accounts = snapshot.get(AuthorizedKeys), snapshot.get(Accounts)
    rules, host_keys = snapshot.get(Sudoers), snapshot.get(HostKeys)
    if snapshot.target.kind is not Kind.HOST or not (keys or accounts or rules or host_keys):
        return None
    own = {one.removeprefix(_HOST_KEY) for one in snapshot.identities if one.startswith(_HOST_KEY)}
    if isinstance(host_keys, HostKeys):
        own |= {key.fingerprint for key in host_keys.keys}
    return HostDigest(
        snapshot.target.name,
        next(iter(snapshot.identities), snapshot.target.spec),
        frozenset(one for one in snapshot.identities if one.startswith(_ADDRESS)),
        frozenset(own),
        keys=tuple({(key.account, key.fingerprint): None for key in keys.keys})
        if isinstance(keys, AuthorizedKeys)
        else None,
        ids=_people(accounts) if isinstance(accounts, Accounts) else None,
        free_sudo=_told(rules) if isinstance(rules, Sudoers) else None,
    )


def _told(rules: Sudoers) -> tuple[str, ...] | None:
    """Who is root for free, unless the snapshot is too old to tell."""
    try:
        return _free(rules)
    except UntoldError:
        return None


def fleet(digests: Iterable[HostDigest]) -> Fleet:
    """The index over these hosts. A host that is scanned under two names counts once."""
    places: dict[str, list[tuple[str, str]]] = defaultdict(list)
    host_keys: dict[str, list[str]] = defaultdict(list)
    ids: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    free: dict[str, list[str]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for one in _once(digests):
        for account, fingerprint in one.keys or ():
            places[fingerprint].append((one.name, account))
        for fingerprint in one.host_keys:
            host_keys[fingerprint].append(one.name)
        for name, uid in one.ids or ():
            ids[name][uid].append(one.name)
        for who in one.free_sudo or ():
            free[who].append(one.name)
        counts["keys"] += one.keys is not None
        counts["host keys"] += bool(one.host_keys)
        counts["ids"] += one.ids is not None
        counts["sudo"] += one.free_sudo is not None
    return Fleet(
        {fingerprint: _uses(found) for fingerprint, found in places.items()},
        dict(host_keys),
        {n: dict(by) for n, by in ids.items()},
        dict(free),
        dict(counts),
    )


def derivations(among: Fleet) -> tuple[Derivation, ...]:
    """How each fact about a host among the others is made; each needs but one fact of the host."""

    def of(fact: type[Fact], compute: Callable[[Snapshot], Fact | None]) -> Derivation:
        def made(snapshot: Snapshot) -> Collected:
            found = compute(snapshot)
            return Collected((found,), sources=(_source(found, snapshot.taken_at),)) if found else Collected()

        return Derivation((fact,), made)

    return (
        of(FleetKeys, lambda seen: _keys(seen, among)),
        of(FleetHostKeys, lambda seen: _host_keys(seen, among)),
        of(FleetAccounts, lambda seen: _accounts(seen, among)),
        of(FleetSudo, lambda seen: _sudo(seen, among)),
    )


def _once(digests: Iterable[HostDigest]) -> Iterable[HostDigest]:
    """Each machine once. Clones share their machine-id and keys but no address: those are two machines."""
    seen: dict[str, list[HostDigest]] = defaultdict(list)
    for one in digests:
        same = [
            other
            for other in seen[one.asset]
            if not one.addresses or not other.addresses or one.addresses & other.addresses
        ]
        if not same:
            seen[one.asset].append(one)
            yield one


def _uses(places: list[tuple[str, str]]) -> Uses:
    return Uses(
        len({host for host, _ in places}),
        tuple(sorted({account for _, account in places}))[:_SHOWN],
        tuple(f"{host}: {account}" for host, account in places[:_SHOWN]),
    )


def _people(found: Accounts) -> tuple[tuple[str, int], ...]:
    return tuple(
        (one.name, one.uid) for one in found.accounts if one.uid >= found.uid_min and one.name != "nobody"
    )


def _free(found: Sudoers) -> tuple[str, ...]:
    """Who may run everything as root without being asked: by a tag, or by a setting for them or for all."""
    off = {one.scope for one in found.defaults if one.setting == "!authenticate"}
    everybody = "" in off
    names = {name for scope in off if scope.startswith(":") for name in scope[1:].split(",")}
    holders: dict[str, None] = {}
    for rule in found.rules:
        whole = [one for one in rule.commands if one.command == "ALL" and one.as_root]
        for user in rule.users if whole else ():
            free = everybody or user in names or any(one.no_password for one in whole)
            if free and user not in ("root", "#0") and not user.startswith("!"):
                holders[user] = None
    return tuple(holders)


def _keys(snapshot: Snapshot, among: Fleet) -> FleetKeys | None:
    found = snapshot.get(AuthorizedKeys)
    if not isinstance(found, AuthorizedKeys):
        return None
    here: dict[str, dict[str, None]] = defaultdict(dict)
    comments: dict[str, str] = {}
    for key in found.keys:
        here[key.fingerprint][key.account] = None
        comments.setdefault(key.fingerprint, key.comment)
    keys = []
    for fingerprint, accounts in here.items():
        uses = among.keys.get(fingerprint) or _uses([(snapshot.target.name, one) for one in accounts])
        where = (uses.hosts, uses.names, uses.places)
        keys.append(KeyUse(fingerprint, comments[fingerprint], tuple(accounts), *where))
    return FleetKeys(tuple(keys), among.counts.get("keys", 0))


def _host_keys(snapshot: Snapshot, among: Fleet) -> FleetHostKeys | None:
    found, name = snapshot.get(HostKeys), snapshot.target.name
    if not isinstance(found, HostKeys):
        return None
    shared = []
    for key in found.keys:
        hosts = among.host_keys.get(key.fingerprint, [])
        if len(hosts) > 1:
            others = tuple(islice((one for one in hosts if one != name), _SHOWN))
            shared.append(SharedHostKey(key.path, key.fingerprint, key.kind, others or (name,)))
    return FleetHostKeys(tuple(shared), among.counts.get("host keys", 0))


def _accounts(snapshot: Snapshot, among: Fleet) -> FleetAccounts | None:
    found = snapshot.get(Accounts)
    if not isinstance(found, Accounts):
        return None
    differing = []
    for name, uid in _people(found):
        others = {other: hosts for other, hosts in among.ids.get(name, {}).items() if other != uid}
        if others:
            count = sum(len(hosts) for hosts in others.values())
            example = next(iter(others.values()))[0]
            differing.append(OtherIds(name, uid, tuple(sorted(others))[:_SHOWN], count, example))
    return FleetAccounts(tuple(differing), among.counts.get("ids", 0))


def _sudo(snapshot: Snapshot, among: Fleet) -> FleetSudo | None:
    found = snapshot.get(Sudoers)
    if not isinstance(found, Sudoers):
        return None
    free = []
    for who in _free(found):
        hosts = among.free_sudo.get(who, [])
        free.append(RootUse(who, len(hosts) or 1, tuple(hosts[:_SHOWN])))
    return FleetSudo(tuple(free), among.counts.get("sudo", 0))


def _source(fact: Fact, at: str) -> Source:
    """The evidence of a comparison: one line for each thing that is found on several hosts."""
    match fact:
        case FleetKeys():
            lines = [f"{one.fingerprint}\t{', '.join(one.places)}" for one in fact.keys if one.hosts > 1]
        case FleetHostKeys():
            lines = [f"{one.fingerprint}\t{one.path}\t{', '.join(one.others)}" for one in fact.shared]
        case FleetAccounts():
            lines = [f"{one.name}\t{one.uid}\t{one.others}" for one in fact.differing]
        case FleetSudo():
            lines = [f"{one.who}\t{', '.join(one.places)}" for one in fact.free]
        case _:
            lines = []
    hosts = getattr(fact, "hosts", 0)
    return source(
        type(fact), f"what {hosts} hosts of the scan tell, set beside each other", at, "\n".join(lines)
    )
