"""What becomes of core dumps."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.kernel import CoreDumps
from scanner.collect.host.core_dumps import PROBE, parse
from scanner.collect.host.probe import ParseError
from tests.lab.fragment import answer

ETC = "/etc/systemd/coredump.conf"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("handler\t\n", CoreDumps("", "", "")),
        ("handler\t\nlimit\t/a\t0\nlimit\t/b\tunlimited\n", CoreDumps("unlimited", "", "")),
        (
            f"handler\tsystemd-coredump\nstorage\t{ETC}\tNone\n",
            CoreDumps("", "none", "systemd-coredump"),
        ),
        (
            f"handler\tsystemd-coredump\nstorage\t{ETC}.d/a.conf\texternal\nstorage\t{ETC}\tnone\n",
            CoreDumps("", "external", "systemd-coredump"),
        ),
        (
            f"handler\tx\nstorage\t{ETC}.d/b.conf\tnone\nstorage\t/usr/lib/systemd/coredump.conf.d/c.conf\tjournal\n",
            CoreDumps("", "journal", "x"),
        ),
    ],
)
def test_which_line_holds(lines: str, expected: CoreDumps) -> None:
    assert parse(f"{lines}ended\n").facts == (expected,)


def test_what_could_not_be_read_is_a_gap() -> None:
    for text in ("ended\n", "handler\t\nunread\t/etc/security/limits.d/a.conf\nended\n"):
        seen = parse(text)
        assert seen.facts == ()
        assert [gap.fact for gap in seen.gaps] == ["CoreDumps"]


@pytest.mark.parametrize("text", ["", "handler\t\n", "noise\nended\n"])
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_planted_limits(tmp_path: Path, shell: str) -> None:
    (tmp_path / "pattern").write_text("|/usr/lib/systemd/systemd-coredump %P %u hunter2\n")
    plant = f"""
    mount -t tmpfs tmpfs /etc/security
    mkdir /etc/security/limits.d
    printf '# * hard core 5\\n* soft core 0\\nbob hard core 7\\n* hard nofile 9\\n' >/etc/security/limits.conf
    printf '*\\thard\\tcore\\t0\\n' >/etc/security/limits.d/a.conf
    printf '* - core 100\\n' >/etc/security/limits.d/b.conf.old
    mount --bind {tmp_path}/pattern /proc/sys/kernel/core_pattern
    """
    section = answer(PROBE, plant, tmp_path, shell)
    assert section.status == 0
    assert "hunter2" not in section.text
    assert parse(section.text).facts == (CoreDumps("0", "", "systemd-coredump"),)
