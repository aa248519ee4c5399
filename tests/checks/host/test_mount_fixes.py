"""Fixes of mounts on a real host: in force at once, kept in the table of mounts, and taken back exactly."""

from __future__ import annotations

import pytest

from baselines.evaluate import evaluate
from baselines.resolve import Demand
from checks.check import Check
from checks.facts.host.mounts import Mounts
from checks.fix import Language
from checks.host import filesystems
from checks.model import Finding, Outcome
from tests.checks.host.judging import NOW
from tests.lab.hosts import Host, lab

PLACES = {check.id.rpartition(".")[2]: check for check in filesystems.PLACES}
MOUNTED = "mount -t tmpfs -o size=4m,nosuid tmpfs /tmp"
LISTED = (
    "printf '# c\\ntmpfs /tmp tmpfs size=4m,nosuid 0 0\\nx /tmp2 none noauto 0 0\\n' >/etc/fstab; mount /tmp"
)
STATE = "cat /etc/fstab; grep -v ' /run ' /proc/self/mounts; ls -la --time-style=+ /tmp /tmp/*"


def judged(host: Host, check: Check[[Mounts]]) -> Finding:
    options = {name: option.default for name, option in check.options.items()}
    [finding] = evaluate(
        [Demand(check, options, check.severity, {}, "test", "level-1")],
        host.look(frozenset({Mounts})),
        now=NOW,
    )
    return finding


def fixed(host: Host, check: Check[[Mounts]]) -> None:
    before, bad = host.run(STATE, check=False).out, judged(host, check)
    assert bad.outcome is Outcome.FAIL
    [shell] = [one for one in bad.fix.snippets if one.language is Language.SHELL]
    host.run(shell.do)
    good = judged(host, check)
    assert good.outcome is Outcome.PASS, good.saw
    # What the next boot would mount is the same.
    host.run(f"umount -l {bad.on} && mount {bad.on}")
    assert judged(host, check).outcome is Outcome.PASS
    host.run(shell.undo)
    again = judged(host, check)
    assert (again.outcome, again.saw) == (Outcome.FAIL, bad.saw)
    if "size=" not in before:
        assert host.run(STATE, check=False).out == before


@pytest.mark.real
@pytest.mark.parametrize(
    ("kind", "plant"),
    [
        ("bookworm", "echo kept >/tmp/kept"),
        ("bookworm", MOUNTED),
        ("bookworm", LISTED),
        ("busybox", MOUNTED),
        ("busybox", LISTED),
    ],
)
def test_options_of_a_mount(kind: str, plant: str) -> None:
    with lab() as net:
        host = net.host(kind, plant=plant)
        fixed(host, PLACES["tmp-options"])


@pytest.mark.real
def test_a_bind_that_would_not_last_is_refused() -> None:
    with lab() as net:
        host = net.host("busybox")
        before = host.run(STATE, check=False).out
        bad = judged(host, PLACES["tmp-options"])
        refused = host.run(bad.fix.snippets[0].do, check=False)
        assert (refused.status, "a filesystem of its own" in refused.err) == (1, True)
        own = judged(host, filesystems.tmp_separate)
        host.run(own.fix.snippets[0].do)
        assert judged(host, PLACES["tmp-options"]).outcome is Outcome.PASS
        host.run(own.fix.snippets[0].undo)
        assert host.run(STATE, check=False).out == before


@pytest.mark.real
def test_both_fixes_of_one_folder_in_a_row() -> None:
    with lab() as net:
        host = net.host("bookworm", plant="echo kept >/tmp/kept; echo '/dev/x / ext4 ro 0 1' >/etc/fstab")
        before = host.run(STATE).out
        options, own = judged(host, PLACES["tmp-options"]), judged(host, filesystems.tmp_separate)
        assert options.fix_key == own.fix_key
        host.run(options.fix.snippets[0].do)
        host.run(own.fix.snippets[0].do)
        assert judged(host, filesystems.tmp_separate).outcome is Outcome.PASS
        assert judged(host, PLACES["tmp-options"]).outcome is Outcome.PASS
        assert host.run("cat /tmp/kept").out == "kept\n"
        host.run(own.fix.snippets[0].undo)
        host.run(options.fix.snippets[0].undo)
        assert host.run(STATE).out == before
