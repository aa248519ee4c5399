"""Which names belong to one asset, and which of them becomes its key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

_STRONGEST = ("arn", "aws", "machine-id", "ssh-host-key", "mac")
_WEAK = ("address", "target")
"""Names that move from machine to machine: a lease runs out, a line in a scope file is changed."""


def kind_of(identity: str) -> str:
    """The part before the first colon: `machine-id` of `machine-id:5f…`."""
    return identity.partition(":")[0]


def strength(identity: str) -> tuple[int, str]:
    """Sorts names strongest first; unknown kinds stand between the strong and the weak."""
    kind = kind_of(identity)
    if kind in _STRONGEST:
        return _STRONGEST.index(kind), identity
    if kind in _WEAK:
        return len(_STRONGEST) + 1 + _WEAK.index(kind), identity
    return len(_STRONGEST), identity


def strongest_first(identities: Iterable[str]) -> tuple[str, ...]:
    """The names in the order of their strength, without doubles."""
    return tuple(sorted(set(identities), key=strength))


def together(views: Sequence[Sequence[str]]) -> tuple[tuple[int, ...], ...]:
    """The numbers of the views that show one asset, grouped.

    Two views that share a name are one asset, unless they disagree on a stronger kind of name (cloned
    machines share host keys but no machine id; two machines may answer behind one address). Where a
    name is shared by views of which two disagree, it joins none of them: which one is right is a guess.
    """
    leader = list(range(len(views)))
    names: list[set[str]] = [set(view) for view in views]

    def find(member: int) -> int:
        while leader[member] != member:
            leader[member] = leader[leader[member]]
            member = leader[member]
        return member

    holders: dict[str, list[int]] = defaultdict(list)
    for number, view in enumerate(views):
        for name in dict.fromkeys(view):
            holders[name].append(number)
    for name in strongest_first(holders):
        roots = sorted({find(member) for member in holders[name]})
        if len(roots) < 2 or _any_disagree([names[root] for root in roots], name):
            continue
        first, *others = roots
        for root in others:
            leader[root] = first
            names[first] |= names[root]
    groups: dict[int, list[int]] = defaultdict(list)
    for number in range(len(views)):
        groups[find(number)].append(number)
    return tuple(tuple(groups[root]) for root in sorted(groups))


def keys_of(groups: Sequence[frozenset[str]], known: Mapping[str, str]) -> tuple[str, ...]:
    """The key of each group of names: the one it had in an earlier scan, else its strongest name.

    A strong name claims its earlier key before any weak one does; a weak name claims it only if the
    group's strong names do not contradict those known for that key.
    """
    earlier: dict[str, set[str]] = defaultdict(set)
    for identity, key in known.items():
        earlier[key].add(identity)
        earlier[key].add(key)
    keys = [""] * len(groups)
    taken: set[str] = set()
    claims = sorted(
        (strength(identity), number, known[identity])
        for number, group in enumerate(groups)
        for identity in group
        if identity in known
    )
    for (_, identity), number, key in claims:
        weak = kind_of(identity) in _WEAK
        if keys[number] or key in taken or (weak and _disagree(groups[number], earlier[key], identity)):
            continue
        keys[number] = key
        taken.add(key)
    for number, group in enumerate(groups):
        if not keys[number]:
            free = [name for name in strongest_first(group) if name not in taken]
            keys[number] = free[0] if free else f"{strongest_first(group)[0]}#{number}"
            taken.add(keys[number])
    return tuple(keys)


def _any_disagree(clusters: Sequence[set[str]], name: str) -> bool:
    stronger = {
        kind_of(one) for cluster in clusters for one in cluster if _rank(one) < _rank(name) and not _weak(one)
    }
    for kind in stronger:
        sets = {frozenset(n for n in cluster if kind_of(n) == kind) for cluster in clusters}
        if any(one.isdisjoint(other) for one, other in combinations(sets - {frozenset()}, 2)):
            return True
    return False


def _disagree(one: Iterable[str], other: Iterable[str], name: str) -> bool:
    return _any_disagree([set(one), set(other)], name)


def _rank(identity: str) -> int:
    return strength(identity)[0]


def _weak(identity: str) -> bool:
    return kind_of(identity) in _WEAK
