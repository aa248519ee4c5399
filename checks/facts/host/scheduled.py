"""What runs as root at set times, and who may set such times."""

from __future__ import annotations

import msgspec

from checks.facts.host.files import FileMode
from checks.facts.snapshot import Fact


class ScheduledProgram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A path in a job of root: the job's file, the path as the job names it, and where its links lead.

    `first` says that the job's command begins with it. `called` is the program before it on the line
    (`bash`, `run-parts`), which may take it as a script.
    """

    job: str
    path: str
    target: str
    first: bool
    called: str = ""


class ScheduledJobs(Fact, frozen=True, forbid_unknown_fields=True):
    """The programs that root's jobs run: cron's tables and folders, and units made on the host itself.

    `steps` are all existing paths among them and all folders above them. What the login may not look at is
    in neither; `unread` are tables and folders of jobs that may not be read. The commands themselves stay
    on the host, for they may hold passwords.
    """

    jobs: int
    programs: tuple[ScheduledProgram, ...]
    steps: tuple[FileMode, ...]
    unread: tuple[str, ...] = ()


class Allowed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may use one scheduler (`cron`, `at`).

    `installed` says that the program is there. `allow` and `deny` are the names in the files, `None` where
    there is no such file: with an allow file only its names may, and the deny file counts for nothing.
    """

    scheduler: str
    installed: bool
    allow: tuple[str, ...] | None
    deny: tuple[str, ...] | None
    unread: bool = False
    asks: bool = True


class ScheduleAccess(Fact, frozen=True, forbid_unknown_fields=True):
    """Who may schedule jobs on the host."""

    schedulers: tuple[Allowed, ...]
