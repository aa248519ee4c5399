"""Every topic that Lynis and OpenSCAP tell of the bad host, and whether Bartizan tells of it, too."""

from __future__ import annotations

import re
from collections import Counter

from checks.model import Outcome
from tests.benchmarks.peers import PACKAGES as PEERS
from tests.benchmarks.peers import PROFILES, fit, lynis, oscap
from tests.benchmarks.topics import LYNIS, OSCAP, missing
from tests.lab.hosts import Host, lab
from tests.lab.planted import PLANTINGS, bad_host, clean_host
from tests.lab.planting import PACKAGES
from tests.proofs.proving import facts, judged

_RULE = re.compile(r"Rule\s+xccdf_org\.ssgproject\.content_rule_(\S+)\s.*?Result\s+(\w+)", re.DOTALL)
_HINT = re.compile(r"^(?:suggestion|warning)\[\]=([\w-]+)\|[^|]*\|(\w*)")


def told_by_lynis(host: Host) -> frozenset[str]:
    """The names of its tests that warned or suggested; of SSH with the option."""
    lynis(host)
    found = set()
    for line in host.path("/var/log/lynis-report.dat").read_text("utf-8", "replace").splitlines():
        if hint := _HINT.match(line):
            found.add(f"{hint[1]} {hint[2]}" if hint[1] == "SSH-7408" else hint[1])
    return frozenset(found)


def told_by_oscap(host: Host) -> frozenset[str]:
    """The rules that failed in one of the profiles."""
    fit(host)
    return frozenset(
        name
        for profile in PROFILES
        for name, result in _RULE.findall(oscap(host, profile).out)
        if result == "fail"
    )


def main() -> None:
    """Prints what each peer and Bartizan tell of the bad host, and what fails on the clean one."""
    with lab() as net:
        host = bad_host(net, packages=(*PACKAGES, *PEERS))
        found = judged(host.look(facts()))
        failing = frozenset(one.check for one in found.values() if one.outcome is Outcome.FAIL)
        expected = {one.expects for one in PLANTINGS}
        print(
            f"bad host: {len(PLANTINGS)} things planted, "
            f"{len(expected & failing)} of {len(expected)} checks tell"
        )
        if expected - failing:
            print(f"  not told: {', '.join(sorted(expected - failing))}")
        for name, told, table in (
            ("Lynis", told_by_lynis(host), LYNIS),
            ("OpenSCAP", told_by_oscap(host), OSCAP),
        ):
            gap = missing(told, table, failing)
            print(
                f"{name} tells {len(told)} topics; "
                f"Bartizan tells {gap.told} of them, leaves out {gap.left_out}"
            )
            print(f"  no check of ours: {', '.join(gap.unmapped) or 'none'}")
            print(f"  a check of ours, and it did not fail: {', '.join(gap.silent) or 'none'}")
            heard = frozenset(check for one in told for check in table.get(one, ()))
            print(f"  planted and not told by {name}: {len(expected - heard)} of {len(expected)}")
        clean = judged(clean_host(net).look(facts()))
        counted = Counter(str(one.outcome) for one in clean.values())
        print(f"clean host: {', '.join(f'{n} {word}' for word, n in counted.most_common())}")
        for one in clean.values():
            if one.outcome is Outcome.FAIL:
                print(f"  fails: {one.check} on {one.on}: {one.saw[:80]}")
