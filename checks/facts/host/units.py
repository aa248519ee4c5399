"""What the host starts by itself, and which programs run on it."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One service, socket or timer, with its suffix (`ssh.service`; services of other init systems too).

    `enabled` is what the next boot does, in systemd's words (enabled, disabled, static, masked, ...), empty
    where only a running unit was seen. `active` is active, inactive or failed, empty where the host does not
    tell.
    """

    name: str
    enabled: str
    active: str


class Units(Fact, frozen=True, forbid_unknown_fields=True):
    """The units of the init system. `manager` is systemd, openrc or sysv.

    `booted` says that this manager runs the machine now: without it (containers, rescue systems) no
    unit's `active` is known.
    """

    manager: str
    booted: bool
    units: tuple[Unit, ...]

    def find(self, *names: str) -> tuple[Unit, ...]:
        """The units of these names (without a suffix: the service), in the order of the names."""
        known = {unit.name: unit for unit in self.units}
        wanted = (name if "." in name else f"{name}.service" for name in names)
        return tuple(known[name] for name in wanted if name in known)

    def starts(self, *names: str) -> tuple[Unit, ...]:
        """Those of these units that run now, or that the next boot starts."""
        return tuple(
            unit
            for unit in self.find(*names)
            if unit.active == "active" or unit.enabled in ("enabled", "enabled-runtime")
        )


class Process(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program (its short name, at most 15 characters) that runs under a user id."""

    program: str
    uid: int


class Processes(Fact, frozen=True, forbid_unknown_fields=True):
    """Which programs run, each once per user id; without kernel threads and what runs in containers."""

    processes: tuple[Process, ...]

    def running(self, *programs: str) -> tuple[Process, ...]:
        """The processes of these programs; names are compared at the length that the kernel keeps."""
        short = {name[:15] for name in programs}
        return tuple(one for one in self.processes if one.program in short)
