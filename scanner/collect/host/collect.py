"""Looks at a host: one script, one run, one snapshot. Offline, it reads what a person ran by hand."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TypedDict

from checks.facts.snapshot import Fact, Gap, Snapshot, source
from checks.model import Target
from scanner.collect.collector import Collected, CollectError, Context, Failure, Permission, snapshot
from scanner.collect.host import (
    accounts,
    audit,
    banners,
    boot,
    capabilities,
    certificates,
    containers,
    core_dumps,
    files,
    firewall,
    homes,
    identity,
    integrity,
    interfaces,
    keys,
    listening,
    logging,
    login_rules,
    mandatory,
    modules,
    mounts,
    packages,
    pam,
    platform,
    reboot,
    saved_firewall,
    scheduled,
    service_configs,
    software,
    sources,
    ssh_keys,
    sshd,
    sudoers,
    sysctl,
    system,
    timekeeping,
    units,
    updates,
    upkeep,
    walk,
)
from scanner.collect.host import (
    secrets as host_secrets,
)
from scanner.collect.host.identity import Identity
from scanner.collect.host.probe import NEEDS_ROOT, ParseError, Probe
from scanner.collect.host.script import compose
from scanner.collect.host.sections import Answers, NotOursError, Section, split
from scanner.transport.local import run_local
from scanner.transport.ssh import SshAccess, run_script

PROBES: tuple[Probe, ...] = (
    system.PROBE,
    sshd.PROBE,
    accounts.ACCOUNTS,
    accounts.PASSWORDS,
    accounts.LOGINS,
    login_rules.RULES,
    login_rules.PATH,
    pam.PROBE,
    scheduled.ACCESS,
    scheduled.JOBS,
    sudoers.PROBE,
    ssh_keys.PROBE,
    sysctl.PROBE,
    mandatory.PROBE,
    platform.PROBE,
    boot.PROBE,
    modules.PROBE,
    core_dumps.PROBE,
    mounts.PROBE,
    interfaces.PROBE,
    banners.PROBE,
    timekeeping.PROBE,
    listening.PROBE,
    firewall.PROBE,
    saved_firewall.PROBE,
    service_configs.PROBE,
    containers.PROBE,
    files.MODES,
    reboot.PROBE,
    sources.PROBE,
    upkeep.STATE,
    upkeep.AUTOMATIC,
    software.BACKUPS,
    software.UNPACKAGED,
    units.UNITS,
    units.PROCESSES,
    upkeep.STALE,
    packages.PROBE,
    homes.PROBE,
    host_secrets.HISTORIES,
    updates.PROBE,
    audit.PROBE,
    logging.PROBE,
    certificates.PROBE,
    integrity.TOOLS,
    keys.PROBE,
    capabilities.PROBE,
    integrity.PROGRAMS,
    walk.PROBE,
    host_secrets.APPLICATIONS,
)
"""All probes of a host, the quick ones first: what a cut connection leaves is then as much as can be."""

_STOPPED = (124, 137, 143)
_FRAMES = 65_536
_LOOPBACK = ("127.0.0.1", "::1")


def collect(
    target: Target, wanted: frozenset[type[Fact]], access: SshAccess | None, context: Context
) -> Snapshot:
    """The snapshot of a host over SSH, or of this machine where `access` is None.

    Raises:
        CollectError: the host as a whole gave nothing.

    """
    context.check()
    context.progress(0, 1)
    probes = _probes(wanted)
    nonce = secrets.token_hex(16)
    script = compose(probes, nonce)
    limit = _FRAMES + sum(probe.limit for probe in probes)
    at = context.now()
    if access is None:
        result = run_local(script, limit_bytes=limit, context=context)
    else:
        result = run_script(access, script, limit_bytes=limit, context=context)
    try:
        answers = split(result.stdout, nonce)
    except NotOursError as error:
        said = (result.stdout or result.stderr).decode("utf-8", "replace").strip().partition("\n")[0]
        message = f"{error}; the login ended with status {result.exit_status} and said {said[:160]!r}"
        raise CollectError(Failure.PROTOCOL, message, "a login whose shell runs `sh -s`") from None
    context.progress(1, 1)
    seen = _seen(probes, wanted, answers, at)
    key, addresses = result.host_key_fingerprint, _LOOPBACK if access is None else ()
    return snapshot(target, seen, at=at, **_names(target, answers, key, addresses))


def parse_output(target: Target, wanted: frozenset[type[Fact]], output: bytes, at: str) -> Snapshot:
    """The snapshot from the output of `script_for(...)` that somebody ran by hand at that time.

    Raises:
        CollectError: the output is not that of the script.

    """
    try:
        answers = split(output)
    except NotOursError as error:
        raise CollectError(Failure.PROTOCOL, str(error), "the whole output of the printed script") from None
    seen = _seen(_probes(wanted), wanted, answers, at)
    return snapshot(target, seen, at=at, **_names(target, answers))


def script_for(wanted: frozenset[type[Fact]]) -> str:
    """The script that answers for these facts, to print, to read, and to run by hand."""
    return compose(_probes(wanted), secrets.token_hex(16))


def permissions(wanted: frozenset[type[Fact]]) -> tuple[Permission, ...]:
    """The commands that are run through sudo where the login is not root, for these facts."""
    names = {fact.__name__ for fact in wanted}
    return tuple(
        Permission("sudo", command, tuple(sorted({f.__name__ for f in probe.facts} & names)))
        for probe in _probes(wanted)
        for command in probe.privileges
    )


def _probes(wanted: frozenset[type[Fact]]) -> tuple[Probe, ...]:
    return (identity.PROBE, *(probe for probe in PROBES if not wanted.isdisjoint(probe.facts)))


def _seen(
    probes: Iterable[Probe], wanted: frozenset[type[Fact]], answers: Answers, at: str
) -> list[Collected]:
    known = {fact for probe in PROBES for fact in probe.facts}
    foreign = sorted(fact.__name__ for fact in wanted - known)
    gaps = tuple(Gap(name, "no collector of hosts gives this fact") for name in foreign)
    return [*(_read(probe, wanted, answers, at) for probe in probes if probe.facts), Collected(gaps=gaps)]


class _Names(TypedDict):
    identities: tuple[str, ...]
    addresses: tuple[str, ...]


def _names(
    target: Target, answers: Answers, host_key: str = "", more_addresses: tuple[str, ...] = ()
) -> _Names:
    who = _identity(answers)
    names = [*who.names, *([f"ssh-host-key:{host_key}"] if host_key else [])]
    names += [f"address:{target.zone}/{address}" for address in who.outer]
    return _Names(
        identities=tuple(dict.fromkeys(names)) or (f"target:{target.spec}",),
        addresses=(*who.addresses, *more_addresses),
    )


def _identity(answers: Answers) -> Identity:
    section = answers.sections.get(identity.PROBE.topic)
    if section is None or section.status != 0:
        return Identity()
    try:
        return identity.read(section.text)
    except ParseError:
        # Without names of its own the asset goes by the name that the scope gives it.
        return Identity()


def _read(probe: Probe, wanted: frozenset[type[Fact]], answers: Answers, at: str) -> Collected:
    """What one section says about the wanted facts."""
    asked = [fact.__name__ for fact in probe.facts if fact in wanted]
    section = answers.sections.get(probe.topic)
    reason, needs = _hindrance(probe, section, answers)
    if section is None or reason:
        return Collected(gaps=tuple(Gap(name, reason, needs=needs) for name in asked))
    try:
        seen = probe.parse(section.text)
    except ParseError as error:
        reason = f"the answer to `{probe.how}` is not understood: {error}"
        return Collected(gaps=tuple(Gap(name, reason) for name in asked))
    facts = tuple(fact for fact in seen.facts if type(fact) in wanted)
    absences = tuple(one for one in seen.absences if one.fact in asked)
    shown = [type(fact).__name__ for fact in facts] + [one.fact for one in absences]
    return Collected(
        facts,
        tuple(gap for gap in seen.gaps if gap.fact in asked),
        absences,
        tuple(source(name, probe.how, at, section.text) for name in dict.fromkeys(shown)),
    )


def _hindrance(probe: Probe, section: Section | None, answers: Answers) -> tuple[str, str]:
    """Why a section may not be parsed, and what would help; empty if it may."""
    asked = f"`{probe.how}`"
    if section is None:
        cut = probe.topic in answers.begun
        return f"the answer to {asked} was cut off" if cut else f"the answer ended before {asked}", ""
    if section.size > probe.limit:
        return f"the answer to {asked} is larger than {probe.limit:,} bytes", ""
    if section.status in _STOPPED:
        return f"{asked} was stopped after {probe.seconds} s", ""
    if section.status == NEEDS_ROOT:
        return f"{asked} needs root; the login has {answers.ran_as}", probe.needs
    return f"{asked} ended with status {section.status}" if section.status else "", ""
