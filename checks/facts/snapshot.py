"""What was seen of one target: facts, where each came from, and what could not be seen."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import msgspec

from checks.facts.untold import mark
from checks.model import Target

FORMAT = 1
"""Version of the stored form of a snapshot."""

EXCERPT_LIMIT = 16_384
"""Characters of a source that are kept; its digest covers the whole."""


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One topic of one target, as the system names it. Subclass it; the class name is its name.

    A field never holds `None` for "could not look": that is a `Gap`. A fact never holds a secret.

    A fact with `derived_from` is not collected: it is computed when a snapshot is judged, from those facts
    and from what is known beside the snapshot (feeds, the other hosts), and never stored. What it is
    `aided_by` is collected for it, too, but it can be made without.
    """

    derived_from: ClassVar[tuple[type[Fact], ...]] = ()
    aided_by: ClassVar[tuple[type[Fact], ...]] = ()


class Gap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that could not be read, as small as it is.

    `fact` is the class name; `where` the region, the resource or `region/resource`, empty for the whole
    fact; `needs` the IAM action, sudo command or network path that would close the gap.
    """

    fact: str
    reason: str
    where: str = ""
    needs: str = ""


class Absence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A topic that the target does not have, as seen and not as assumed (no sshd is installed)."""

    fact: str
    reason: str
    where: str = ""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a fact came from: the command, API call or probe, when (RFC 3339, UTC), and its answer."""

    fact: str
    how: str
    at: str
    excerpt: str = ""
    digest: str = ""
    where: str = ""


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that one collection saw of one target.

    `identities` are strong names of the asset, strongest first (`machine-id:…`, `ssh-host-key:…`,
    `aws:account`, `mac:…`, `address:zone/ip`); `addresses` its IP addresses as text. `facts` is keyed
    by the class name of the fact.
    """

    target: Target
    taken_at: str
    identities: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = msgspec.field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    absences: tuple[Absence, ...] = ()
    sources: tuple[Source, ...] = ()
    collector: str = ""

    def get(self, fact: type[Fact]) -> Fact | None:
        """The fact of that type, or None where there is none (a gap, an absence, or never asked)."""
        return self.facts.get(fact.__name__)


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    """The stored form: facts stay raw until their types are known."""

    format: int
    target: Target
    taken_at: str
    identities: tuple[str, ...]
    addresses: tuple[str, ...]
    facts: dict[str, msgspec.Raw]
    gaps: tuple[Gap, ...]
    absences: tuple[Absence, ...]
    sources: tuple[Source, ...]
    collector: str


def source(fact: type[Fact] | str, how: str, at: str, answer: str, where: str = "") -> Source:
    """A source whose digest covers the whole answer and whose excerpt is cut at the limit."""
    name = fact if isinstance(fact, str) else fact.__name__
    digest = hashlib.sha256(answer.encode("utf-8", "surrogatepass")).hexdigest()
    # Half a surrogate pair has no UTF-8, and one such byte of a target would unmake the whole snapshot.
    excerpt = answer[:EXCERPT_LIMIT].encode("utf-8", "backslashreplace").decode()
    return Source(name, how, at, excerpt, digest, where)


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as JSON; equal snapshots give equal bytes."""
    fields = {name: getattr(snapshot, name) for name in snapshot.__struct_fields__}
    fields["facts"] = dict(sorted(snapshot.facts.items()))
    return msgspec.json.encode({"format": FORMAT, **fields}, order="sorted")


def decode(data: bytes, types: Mapping[str, type[Fact]], only: Collection[str] | None = None) -> Snapshot:
    """The snapshot that `encode` wrote; `types` names the known facts.

    A fact of an unknown type (written by a plug-in that is not here) or of another form (written by
    another version) becomes a gap; a field that was not in its form yet is `Untold`. With `only`, all
    about other facts than these is left out: facts, gaps, absences and sources.

    Raises:
        msgspec.DecodeError: not JSON, or not of this form.
        ValueError: written by a newer version of the form.

    """
    wire = msgspec.json.decode(data, type=_Wire)
    if wire.format > FORMAT:
        raise ValueError(f"snapshot format {wire.format} is newer than this version reads ({FORMAT})")
    facts: dict[str, Fact] = {}
    gaps = [gap for gap in wire.gaps if only is None or gap.fact in only]
    for name, raw in wire.facts.items():
        if only is not None and name not in only:
            continue
        if name not in types:
            gaps.append(Gap(name, f"no installed package defines the fact {name}"))
            continue
        try:
            fact = msgspec.json.decode(raw, type=types[name])
            mark(fact, bytes(raw))
            facts[name] = fact
        except msgspec.ValidationError as error:
            # One topic whose form has changed since must not make a whole old snapshot unreadable.
            gaps.append(Gap(name, f"stored in a form that this version does not read: {error}"))
    return Snapshot(
        target=wire.target,
        taken_at=wire.taken_at,
        identities=wire.identities,
        addresses=wire.addresses,
        facts=facts,
        gaps=tuple(gaps),
        absences=tuple(one for one in wire.absences if only is None or one.fact in only),
        sources=tuple(one for one in wire.sources if only is None or one.fact in only),
        collector=wire.collector,
    )


def json_schema(types: Mapping[str, type[Fact]]) -> dict[str, Any]:
    """JSON Schema (2020-12) of a stored snapshot with the given facts."""
    ordered = sorted(types)
    facts, components = msgspec.json.schema_components(
        [types[name] for name in ordered], ref_template="#/$defs/{name}"
    )
    [envelope], more = msgspec.json.schema_components([_Wire], ref_template="#/$defs/{name}")
    components = {**components, **more}
    root = components.pop("_Wire", envelope)
    root["properties"]["facts"] = {
        "type": "object",
        "properties": dict(zip(ordered, facts, strict=True)),
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "title": "Bartizan snapshot",
        "$defs": components,
    }
