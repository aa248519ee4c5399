"""Proves fixes on a real host: what fails is repaired by its own snippet, seen to pass, undone, seen to fail.

All fixes with an undo are run one after another on one host, with one look after the last; then all
undos, the last fix first, and one look more; then the fixes that cannot be undone. So a fix that breaks
another shows, and two hundred proofs take two minutes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from baselines.evaluate import evaluate
from baselines.resolve import Demand, needs
from checks.catalogue import load
from checks.check import Check
from checks.facts.snapshot import Fact, Snapshot
from checks.fix import Language, Snippet
from checks.model import Finding, Kind, Outcome
from tests.lab.hosts import Host

OBJECTS = 3
"""Of one check at most so many objects are repaired: more of the same would prove no more."""

NO_UNDO = "no undo"

_STAND_IN = r"""#!/bin/sh
# Nothing is booted with systemd here: what it would start and stop, the packages' init scripts do.
case $1 in
  start|stop|restart|reload|try-restart|reload-or-restart|force-reload)
    word=$1; shift
    for unit; do
      name=${unit%.service}
      case $name in -*|*.timer|*.socket|*.target|*.mount) continue ;; esac
      [ -x "/etc/init.d/$name" ] || continue
      "/etc/init.d/$name" "$word" || exit 1
    done ;;
  daemon-reload|is-system-running|reset-failed) ;;
  *) case " $* " in
       *" --now "*)
         word=$1; shift
         for unit; do [ "$unit" = --now ] || /usr/bin/systemctl "$word" "$unit"; done
         for unit; do
           case $word in enable) "$0" start "$unit" ;; disable|mask) "$0" stop "$unit" ;; esac
         done ;;
       *) exec /usr/bin/systemctl "$@" ;;
     esac ;;
esac
"""

Key = tuple[str, str]
"""The check and the object that it judged."""


def host_checks() -> dict[str, Check[Any]]:
    """Every check of hosts, by id."""
    return {name: one for name, one in load().checks.items() if one.kind is Kind.HOST}


def demands() -> tuple[Demand, ...]:
    """Every check of hosts with its own thresholds."""
    return tuple(
        Demand(
            one,
            {name: option.default for name, option in one.options.items()},
            one.severity,
            {},
            "proof",
            "level-1",
        )
        for one in host_checks().values()
    )


def facts(checks: Iterable[str] = ()) -> frozenset[type[Fact]]:
    """What these checks, or all, need from a host."""
    chosen = frozenset(checks)
    return needs((one for one in demands() if not chosen or one.check.id in chosen), Kind.HOST)


def judged(snapshot: Snapshot, checks: Iterable[str] = ()) -> dict[Key, Finding]:
    """What these checks, or all, say about the snapshot."""
    chosen = frozenset(checks)
    wanted = [one for one in demands() if not chosen or one.check.id in chosen]
    found = evaluate(wanted, snapshot, now=datetime.now(UTC))
    return {(one.check, one.on): one for one in found}


@dataclass(frozen=True)
class Proof:
    """What became of one finding: its outcome after the fix and after the undo, and what was seen then."""

    check: str
    on: str
    saw: str
    fixed: str
    undone: str
    saw_again: str
    said: str

    @property
    def held(self) -> bool:
        """The fix made it pass, and the undo, where there is one, brought back what was there."""
        return self.fixed == "pass" and self.undone in ("fail", NO_UNDO)

    def __str__(self) -> str:
        again = self.undone if self.saw == self.saw_again else f"{self.undone} ({self.saw_again})"
        words = f"{self.check} on {self.on}: fail ({self.saw}), fixed: {self.fixed}, undone: {again}"
        return f"{words}\n    {self.said}" if self.said and not self.held else words


def shell_proofs(host: Host, checks: Iterable[str]) -> list[Proof]:
    """A proof for each of these checks that fails on this host and has a shell snippet."""
    checks = frozenset(checks)
    wanted = facts(checks)

    def look() -> dict[Key, Finding]:
        return judged(host.look(wanted), checks)

    before = look()
    chosen = [
        (key, one, snippet)
        for key, one in chosen_of(before, Language.SHELL)
        if (snippet := snippet_of(one, Language.SHELL)) is not None
    ]
    undoable = [row for row in chosen if row[2].undo]
    lasting = [row for row in chosen if not row[2].undo]
    said = {key: ran(host, snippet.do, "the fix") for key, _, snippet in undoable}
    after = look()
    for key, _, snippet in reversed(undoable):
        said[key] += ran(host, snippet.undo, "the undo")
    undone = look()
    said |= {key: ran(host, snippet.do, "the fix") for key, _, snippet in lasting}
    last = look() if lasting else {}
    proofs = [
        Proof(
            *key,
            one.saw,
            outcome(after, key),
            outcome(undone, key),
            undone[key].saw if key in undone else "",
            said[key],
        )
        for key, one, _ in undoable
    ]
    return proofs + [
        Proof(*key, one.saw, outcome(last, key), NO_UNDO, "", said[key]) for key, one, _ in lasting
    ]


def chosen_of(found: Mapping[Key, Finding], language: Language) -> list[tuple[Key, Finding]]:
    """The failures to repair in that language; of each check only so many objects."""
    count = Counter[str]()
    chosen = []
    for key, one in found.items():
        if one.outcome is not Outcome.FAIL or snippet_of(one, language) is None:
            continue
        count[one.check] += 1
        if count[one.check] <= OBJECTS:
            chosen.append((key, one))
    return chosen


def snippet_of(finding: Finding, language: Language) -> Snippet | None:
    """Its snippet in that language, or None."""
    return snippet_in(finding.fix.snippets, language)


def snippet_in(snippets: Iterable[Snippet], language: Language) -> Snippet | None:
    """The first of them in that language, or None."""
    return next((one for one in snippets if one.language is language), None)


def ran(host: Host, commands: str, what: str) -> str:
    """Runs commands as a person with a root shell would; what they said when something went wrong."""
    # Into files: a job that a snippet leaves behind would keep a pipe open.
    around = (
        "cat >/run/snippet; "
        "export PATH=/run/lab:$PATH DEBIAN_FRONTEND=noninteractive; "
        "sh /run/snippet >/run/said 2>/run/erred </dev/null; status=$?; "
        "tail -c 300 /run/said; tail -c 300 /run/erred >&2; exit $status"
    )
    if not host.path("/run/lab/systemctl").exists():
        host.run(
            "mkdir -p /run/lab; cat >/run/lab/systemctl; chmod 755 /run/lab/systemctl",
            stdin=_STAND_IN.encode(),
        )
    done = host.run(around, check=False, seconds=60, stdin=commands.encode())
    words = " ".join(f"{done.out} {done.err}".split())
    return f"{what} ended with {done.status}: {words}; " if done.status or done.err.strip() else ""


def outcome(found: Mapping[Key, Finding], key: Key) -> str:
    """The outcome for that object; one that is no longer there counts as a pass if its check knows all."""
    if key in found:
        return str(found[key].outcome)
    same = [one for (check, _), one in found.items() if check == key[0]]
    unsure = [one for one in same if one.outcome in (Outcome.UNKNOWN, Outcome.ERROR)]
    return "pass" if same and not unsure else "unknown"


def by_check(proofs: Iterable[Proof]) -> dict[str, list[Proof]]:
    """The proofs of each check."""
    found: dict[str, list[Proof]] = defaultdict(list)
    for proof in proofs:
        found[proof.check].append(proof)
    return found


def shell_snippet(check: Check[Any]) -> Snippet | None:
    """The shell snippet of a check, if it has one."""
    return snippet_in(check.fix.snippets, Language.SHELL)
