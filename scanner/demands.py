"""What is demanded of each kind of target: the names of baselines, as people write them, resolved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from baselines.load import Loaded, library, load
from baselines.resolve import Demand, merge, resolve
from baselines.text import TextError
from checks.catalogue import Catalogue
from checks.model import Kind

DEFAULT_BASELINES: Mapping[Kind, str] = {
    Kind.HOST: "linux-server",
    Kind.NETWORK: "network-exposure",
    Kind.AWS: "aws-foundations",
}
_ZONES = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}(,[A-Za-z][A-Za-z0-9._-]{0,63})*")


def resolve_baselines(names: Iterable[str], catalogue: Catalogue) -> tuple[Demand, ...]:
    """The demands of these baselines: `id`, `id:profile`, a file, or `file:profile`, joined.

    `@ZONE,ZONE` behind one narrows it to the targets of these zones.

    Raises:
        TextError: an unknown baseline or profile, or a mistake in a file.
    """
    return merge(_resolve(name, catalogue) for name in names)


def lasting_name(name: str) -> str:
    """The name with the whole path of a file, so that it means the same in every folder."""
    plain, zones = split_zones(name)
    head, profile = split_name(plain)
    if not _is_file(head):
        return name
    return zoned_name(f"{Path(head).absolute()}{':' + profile if profile else ''}", zones)


def zoned_name(name: str, zones: Iterable[str]) -> str:
    """The name of a baseline that is for these zones only (none: for all)."""
    text = ",".join(zones)
    return f"{name}@{text}" if text else name


def split_zones(name: str) -> tuple[str, tuple[str, ...]]:
    """(the name without its zones, the zones); an @ in the path of a file is part of the path."""
    head, _, zones = name.rpartition("@")
    if not head or not _ZONES.fullmatch(zones) or _is_file(name):
        return name, ()
    return head, tuple(zones.split(","))


def split_name(name: str) -> tuple[str, str]:
    """(id or file, profile or nothing); a colon in the path of a file is part of the path."""
    if _is_file(name):
        return name, ""
    head, _, profile = name.rpartition(":")
    if not _is_file(head):
        head, _, profile = name.partition(":")
    return head, profile


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _resolve(name: str, catalogue: Catalogue) -> tuple[Demand, ...]:
    plain, zones = split_zones(name)
    head, profile = split_name(plain)
    known = dict(library())
    if _is_file(head):
        try:
            loaded = load(Path(head).read_bytes(), head)
        except OSError as error:
            raise TextError(f"{head}: {error.strerror}") from None
    elif head in known:
        loaded = known[head]
    else:
        raise _unknown_baseline(head, known)
    demands = resolve(loaded, profile, catalogue, known)
    return tuple(replace(one, zones=frozenset(zones)) for one in demands) if zones else demands


def _unknown_baseline(name: str, known: Mapping[str, Loaded]) -> TextError:
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known)}, or a path to a .yaml file"
    return TextError(f"there is no baseline {name}; {hint}")
