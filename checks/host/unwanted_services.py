"""Servers that a host should not offer unless that is its role."""

from __future__ import annotations

from dataclasses import dataclass

from checks.check import Check, make_check
from checks.facts.host.packages import Packages
from checks.facts.host.services import Listener, ListeningServices
from checks.facts.host.units import Processes, Units
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.fixes import disable_unit, remove_package
from checks.host.unwanted_table import UNWANTED, Unwanted
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, unknown

_STARTERS = frozenset({"", "systemd", "inetd", "xinetd"})
"""Programs that listen in the place of another, or that could not be seen."""
_SEES_PROGRAMS = "sudo: /usr/bin/ss -lntup"


_GUARD = (
    "package=@{package}\n"
    "[ \"$package\" ] || { echo 'no package brought it: stop and delete it by hand' >&2; exit 1; }\n"
    "with=/root/removed-with-$package\n"
)
_NOTE = (
    "# What depends on the package goes with it: the undo brings that back, too.\n"
    "if command -v apt-get >/dev/null; then\n"
    '  apt-get -s remove "$package" | awk \'$1 == "Remv" { print $2 }\' >"$with"\nfi\n'
)
_BACK = (
    'if [ -s "$with" ]; then\n'
    '  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(cat "$with") &&\n'
    '    rm -f "$with"\n'
    "else\n"
)


def _guarded(snippets: tuple[Snippet, ...]) -> tuple[Snippet, ...]:
    return tuple(
        Snippet(one.language, f"{_GUARD}{_NOTE}{one.do}", f"{_GUARD}{_BACK}{one.undo}\nfi")
        if one.language is Language.SHELL
        else one
        for one in snippets
    )


_REMOVE = _guarded(remove_package())
_SWITCH = disable_unit()


@dataclass(frozen=True, slots=True)
class _Use:
    """What shows that the server is in use: in words, through which port, and whether that is sure."""

    words: tuple[str, ...]
    port: str
    unseen: bool


def _made(row: Unwanted) -> Check[[Packages, Units, ListeningServices, Processes]]:
    def judge(
        packages: Packages,
        units: Units,
        listening: ListeningServices,
        processes: Processes,
        *,
        allowed: frozenset[str] = frozenset(),
    ) -> Verdicts:
        installed = sorted(packages.names.intersection(row.packages))
        use = _use(row, units, listening, processes, bool(installed))
        unpackaged = _unpackaged(row, processes, use) if not installed else []
        for name in installed or unpackaged:
            words = ", ".join(("installed" if installed else "no package", *use.words))
            kept = name in allowed or (row.switch and not use.words)
            yield expect(
                kept,
                on=name,
                saw=f"{words}; the role of the host asks for it" if name in allowed else words,
                want="not running and not started at boot" if row.switch else "not installed",
                port=use.port,
                severity=row.severity if use.words else row.idle,
                confidence=Confidence.LIKELY if use.unseen else Confidence.CONFIRMED,
                values={"package": name if installed else "", "unit": _unit(row, units), "name": row.name},
            )
        if not installed and not unpackaged:
            yield _nothing(row, use)

    return make_check(
        judge,
        f"host.unwanted-services.{row.id}",
        title=f"No {row.name} {'runs' if row.switch else 'is installed'} without need",
        why=row.why,
        severity=row.severity,
        impact=Impact.SERIOUS if row.severity.rank >= Severity.HIGH.rank else Impact.MINOR,
        exploit=Exploit.NO_EXPLOIT_NEEDED if row.severity is Severity.CRITICAL else Exploit.HARDENING,
        surface=Surface.SERVICE if row.ports else Surface.LOCAL,
        fix=_fix(row),
    )


def _nothing(row: Unwanted, use: _Use) -> Verdict:
    if use.unseen:
        reason = f"something listens on {use.port}, and its program could not be seen"
        return unknown(row.name, reason, needs=_SEES_PROGRAMS, port=use.port)
    return expect(True, on=row.name, saw="not installed, not running", want="not installed")


def _use(
    row: Unwanted, units: Units, listening: ListeningServices, processes: Processes, installed: bool
) -> _Use:
    runs = [f"{one.program} runs" for one in processes.running(*row.programs)]
    # A package that was removed leaves its unit behind, which starts nothing.
    units_here = [one for one in units.starts(*row.units) if installed or one.active == "active"]
    starts = [f"{one.name} {_state(one.active, one.enabled)}" for one in units_here]
    named: list[Listener] = []
    unseen: list[Listener] = []
    for one in listening.listeners:
        if not one.loopback:
            if row.programs and one.program and one.program in {p[:15] for p in row.programs}:
                named.append(one)
            elif one.name in row.ports and one.program in _STARTERS:
                (unseen if not one.program else named).append(one)
    if row.switch:
        # The package's unit may be enabled and yet not start without its configuration.
        starts = [words for words in starts if words.endswith("runs")]
        named += [one for one in listening.listeners if one.name in row.ports and not one.loopback]
    seen: list[Listener] = named or (unseen if installed else [])
    words = [*dict.fromkeys(runs), *starts, *dict.fromkeys(f"listens on {one.name}" for one in seen)]
    shown = [*named, *unseen]
    return _Use(tuple(words), shown[0].name if shown else "", bool(unseen and not named and not runs))


def _state(active: str, enabled: str) -> str:
    return "runs" if active == "active" else f"is {enabled}"


def _unpackaged(row: Unwanted, processes: Processes, use: _Use) -> list[str]:
    """What to call a server that no package brought: its programs, else what it is."""
    running = sorted({one.program for one in processes.running(*row.programs)})
    return running or ([row.name] if use.words and not use.unseen else [])


def _unit(row: Unwanted, units: Units) -> str:
    known = units.starts(*row.units) or units.find(*row.units)
    return known[0].name if known else f"{row.id}.service"


def _fix(row: Unwanted) -> Fix:
    if row.switch:
        do = f"Stop the {row.name} (`@{{unit}}`) and keep the next boot from starting it."
        return Fix(
            action=f"Switch the {row.name} off",
            do=do,
            verify="systemctl is-active @{unit}   # inactive",
            effort=Effort(setup=0.5, each=0.1),
            disruption=Disruption.OUTAGE,
            undo="Start the unit again, now and at boot.",
            snippets=_SWITCH,
            key=f"unwanted:{row.id}:@{{unit}}",
        )
    return Fix(
        action=f"Remove the {row.name} where no role needs it",
        do="See who uses `@{on}` (@{name}) and which packages go with it, then remove it; where it is the "
        "host's role, name it in the threshold `allowed`.",
        verify="dpkg -s @{package} 2>/dev/null || rpm -q @{package}   # not installed",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.OUTAGE if row.units else Disruption.NONE,
        undo="Install the package again; its configuration was kept.",
        snippets=_REMOVE,
        key=f"unwanted:{row.id}:@{{package}}",
    )


SERVERS = tuple(_made(row) for row in UNWANTED)
"""One check for each row of the table."""
