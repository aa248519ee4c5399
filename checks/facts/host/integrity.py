"""Whether the files of a host are what they were."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class IntegrityTools(Fact, frozen=True, forbid_unknown_fields=True):
    """Tools that notice changed files: which are installed, their databases, and what starts them.

    `unseen` are tables of jobs that this login may not read.
    """

    tools: tuple[str, ...]
    databases: tuple[str, ...]
    schedules: tuple[str, ...]
    unseen: tuple[str, ...] = ()


class ChangedProgram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program or library that is not what its package brought; `gone`: it is not there any more."""

    path: str
    gone: bool


class PackagedPrograms(Fact, frozen=True, forbid_unknown_fields=True):
    """The programs and libraries that every login trusts, held against the digests of their packages.

    `checked` is how many were compared. The digests lie on the host itself (`manager` keeps them): who
    changes a program with care changes its digest too. Configuration is not compared.
    """

    manager: str
    checked: int
    changed: tuple[ChangedProgram, ...]
