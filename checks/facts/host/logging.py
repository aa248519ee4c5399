"""What a host writes down about itself, for how long, and whether it leaves the host."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.snapshot import Fact


class Journald(Fact, frozen=True, forbid_unknown_fields=True):
    """The journal of systemd: whether it is installed, its settings with drop-ins applied, in small letters.

    `folder` says that /var/log/journal is there, which the default setting of Storage asks for.
    """

    installed: bool
    settings: Mapping[str, str]
    folder: bool


class LogForward(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule that sends logs elsewhere: by which program, to which host, and from which file it is.

    `protocol` is udp, tcp, relp or https.
    """

    program: str
    file: str
    target: str
    protocol: str
    encrypted: bool


class LogForwards(Fact, frozen=True, forbid_unknown_fields=True):
    """All rules of rsyslog, syslog-ng and systemd-journal-upload that send logs to another host."""

    forwards: tuple[LogForward, ...]


class LogRotation(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether logrotate is there with its configuration, and the files that start it regularly."""

    program: bool
    configuration: bool
    schedules: tuple[str, ...]


class LogActivity(Fact, frozen=True, forbid_unknown_fields=True):
    """The system log that was written last, and how many minutes ago by the host's own clock.

    `newest` is empty where there is none; `minutes` is below 0 where the log is from the future.
    """

    newest: str
    minutes: int
