"""What the banners of a host tell, without their text."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.banners import Banner, Banners
from scanner.collect.host.banners import PROBE, parse
from scanner.collect.host.probe import ParseError
from tests.lab.fragment import answer

NONE = "missing\t/etc/issue.net\nmissing\t/etc/motd\n"


def test_states_of_files() -> None:
    [found] = parse("file\t/etc/issue\nunread\t/etc/issue.net\nmissing\t/etc/motd\n").facts
    assert found == Banners(
        (Banner("/etc/issue", empty=True, escapes=(), words=()),), ("/etc/motd",), ("/etc/issue.net",)
    )


@pytest.mark.parametrize("text", ["", NONE, f"{NONE}file\t/etc/shadow\n", f"{NONE}file\t/etc/issue\nnoise\n"])
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_planted_banners(tmp_path: Path, shell: str) -> None:
    (tmp_path / "issue").write_text("Debian GNU/Linux 12 \\n \\l \\r\n\\S{PRETTY_NAME} hunter2\n")
    (tmp_path / "net").write_text("Authorised use only.\nAn archlinuxesque word, alpinerstrasse.\n")
    (tmp_path / "motd").write_text(" \n\n")
    plant = "\n".join(
        f"mount --bind {tmp_path}/{name} /etc/{target}"
        for name, target in (("issue", "issue"), ("net", "issue.net"), ("motd", "motd"))
    )
    section = answer(PROBE, plant, tmp_path, shell)
    assert section.status == 0
    assert "hunter2" not in section.text
    [found] = parse(section.text).facts
    assert isinstance(found, Banners)
    by_path = {one.path: one for one in found.banners}
    assert by_path["/etc/issue"].escapes == ("\\S", "\\r")
    assert set(by_path["/etc/issue"].words) == {"debian", "gnu/linux"}
    assert by_path["/etc/issue.net"] == Banner("/etc/issue.net", empty=False, escapes=(), words=())
    assert by_path["/etc/motd"].empty
