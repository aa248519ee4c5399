"""Pages from which something is administered, and remote management of Windows."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from checks.facts.snapshot import Fact


class Guard(StrEnum):
    """How an interface received a stranger."""

    NONE = "none"
    """It answered a request that needs a login where things are in order."""
    LOGIN = "login"
    UNDECIDED = "undecided"
    """It is there; the answer to the request decides nothing, or none came."""
    NOT_ASKED = "not-asked"
    """It is there; no request that would decide it is known."""


class Console(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One page of administration: what it administers, and how it received a stranger.

    `known_by` are the words by which it was recognised, `answer` is the deciding part of the reply, or why
    there is none.
    """

    port: str
    product: str
    guard: Guard
    known_by: str
    answer: str
    tls: bool = False


class Consoles(Fact, frozen=True, forbid_unknown_fields=True):
    """The pages of administration of the address; `looked` are the HTTP ports whose front page was read."""

    looked: tuple[str, ...]
    consoles: tuple[Console, ...]


class RemoteManagement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One listener of Windows remote management; `schemes` are the logins that it offers, in lower case."""

    port: str
    tls: bool
    schemes: tuple[str, ...]
    answer: str


class RemoteManagements(Fact, frozen=True, forbid_unknown_fields=True):
    """The listeners of Windows remote management (WinRM) of the address."""

    listeners: tuple[RemoteManagement, ...]
