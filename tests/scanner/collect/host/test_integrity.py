"""Integrity tools and packaged programs, read from answers and from real hosts."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.facts.host.integrity import ChangedProgram, IntegrityTools, PackagedPrograms
from checks.facts.snapshot import Fact
from scanner.collect.host import integrity
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Lab, lab
from tests.lab.parts import program


def programs(*lines: str) -> PackagedPrograms:
    [found] = integrity.parse_programs("\n".join((*lines, "ended"))).facts
    assert isinstance(found, PackagedPrograms)
    return found


def test_digests_of_dpkg() -> None:
    found = programs(
        "manager\tdpkg",
        "OK\t/usr/bin/bash",
        "FAILED\t/usr/sbin/sshd",
        "FAILED\t/bin/sh",
        "diverted\t/bin/sh",
        "diverted\tdash",
    )
    assert found == PackagedPrograms("dpkg", 2, (ChangedProgram("/usr/sbin/sshd", gone=False),))
    seen = integrity.parse_programs("manager\tdpkg\nOK\t/bin/ls\nFAILED open or read\t/bin/su\nended\n")
    assert [(gap.fact, gap.where) for gap in seen.gaps] == [("PackagedPrograms", "/bin/su")]


def test_digests_of_rpm() -> None:
    found = programs(
        "manager\trpm",
        "package\tbash",
        "package\tsudo",
        "package\tcronie",
        "rpm\tpackage cronie is not installed",
        "rpm\tS.5....T.  c /etc/sudoers",
        "rpm\tS.5....T.    /usr/sbin/sshd",
        "rpm\tmissing     /usr/bin/ps",
        "rpm\tmissing   d /usr/share/doc/x",
        "rpm\t.......T.    /usr/bin/ls",
        "rpm\t.M.......  g /run/sudo",
    )
    assert found.checked == 2
    assert found.changed == (
        ChangedProgram("/usr/sbin/sshd", gone=False),
        ChangedProgram("/usr/bin/ps", gone=True),
    )
    seen = integrity.parse_programs(
        "manager\trpm\npackage\tsudo\nrpm\t..?......    /usr/bin/sudo (Permission denied)\nended\n"
    )
    assert [gap.where for gap in seen.gaps] == ["/usr/bin/sudo"]


def _digest(text: str) -> tuple[str, str]:
    one = hashlib.sha1(text.encode())
    return base64.b64encode(one.digest()).decode(), one.hexdigest()


def test_digests_of_apk() -> None:
    (good, good_hex), (other, _) = _digest("a"), _digest("b")
    found = programs(
        "manager\tapk",
        f"apk\t{good}\t/bin/busybox",
        f"apk\t{other}\t/sbin/apk",
        f"apk\t{good}\t/bin/gone",
        "gone\t/bin/gone",
        f"sha1\t{good_hex}  /bin/busybox",
        f"sha1\t{good_hex}  /sbin/apk",
    )
    assert found.checked == 3
    assert set(found.changed) == {ChangedProgram("/sbin/apk", False), ChangedProgram("/bin/gone", True)}
    seen = integrity.parse_programs(
        f"manager\tapk\napk\t{good}\t/a\napk\t{good}\t/b\nsha1\t{good_hex}  /a\nended\n"
    )
    assert [gap.where for gap in seen.gaps] == ["/b"]


def test_nothing_compared_is_no_fact() -> None:
    for text in ("none\n", "manager\tdpkg\nended\n", "manager\trpm\nended\n"):
        seen = integrity.parse_programs(text)
        assert seen.facts == ()
        assert [gap.fact for gap in seen.gaps] == ["PackagedPrograms"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "manager\tdpkg\nOK\t/bin/ls\n",
        "manager\tbrew\nended\n",
        "OK\t/bin/ls\nended\n",
        "manager\tdpkg\nFINE\t/bin/ls\nended\n",
        "manager\trpm\npackage\tbash\nrpm\terror: db\nended\n",
        "manager\tapk\napk\t!!\t/a\nended\n",
        "manager\tapk\nsha1\tshort  /a\nended\n",
    ],
)
def test_a_broken_comparison_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        integrity.parse_programs(text)


@pytest.mark.parametrize("text", ["", "tool\taide\n", "tool\nasked\n", "noise\tx\nasked\n"])
def test_a_broken_answer_about_tools_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        integrity.parse_tools(text)


def test_a_hidden_database_matters_only_with_a_tool() -> None:
    assert integrity.parse_tools("hidden\t/var/lib/aide\nasked\n").facts == (IntegrityTools((), (), ()),)
    seen = integrity.parse_tools("tool\taide\nhidden\t/var/lib/aide\nasked\n")
    assert seen.facts == ()
    assert seen.gaps[0].needs.startswith("sudo: /usr/bin/stat ")


# --- real hosts ---


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as started:
        yield started


KINDS: frozenset[type[Fact]] = frozenset({IntegrityTools, PackagedPrograms})


@pytest.mark.real
def test_a_changed_program_is_seen_and_changed_settings_are_none(net: Lab) -> None:
    host = net.host(
        "bookworm", plant="printf x >>/usr/bin/ssh; rm /usr/bin/passwd; printf x >>/etc/ssh/sshd_config"
    )
    seen = host.look(KINDS)
    found = seen.get(PackagedPrograms)
    assert isinstance(found, PackagedPrograms)
    assert set(found.changed) == {
        ChangedProgram("/usr/bin/ssh", gone=False),
        ChangedProgram("/usr/bin/passwd", gone=True),
    }
    assert found.checked > 60
    assert seen.gaps == ()
    clean = net.host("bookworm").look(KINDS)
    whole = clean.get(PackagedPrograms)
    assert isinstance(whole, PackagedPrograms)
    assert whole.changed == ()
    assert clean.gaps == ()


AIDE = r"""
printf '#!/bin/sh\n' >/usr/bin/aide; chmod 755 /usr/bin/aide
mkdir -p -m 0700 /var/lib/aide; touch /var/lib/aide/aide.db
printf '# aide --check\n5 4 * * * root /usr/bin/aide.wrapper --check\n' >/etc/cron.d/own
printf '# aide --check\n' >/etc/cron.d/other
"""


@pytest.mark.real
@pytest.mark.parametrize("login", ["sudo", "plain"])
def test_aide_is_found_with_its_database_and_its_start(net: Lab, login: str) -> None:
    host = net.host("bookworm", plant=AIDE, login="sudo" if login == "sudo" else "plain")
    seen = host.scan(KINDS)
    if login == "sudo":
        found = seen.get(IntegrityTools)
        assert isinstance(found, IntegrityTools)
        assert (found.tools, found.databases, found.schedules) == (
            ("aide",),
            ("/var/lib/aide/aide.db",),
            ("/etc/cron.d/own",),
        )
        # Root's own table lies in a folder that only root enters.
        assert found.unseen == (() if login == "root" else ("/var/spool/cron/crontabs/root",))
    else:
        assert [gap.fact for gap in seen.gaps] == ["IntegrityTools"]


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_the_database_of_apk_is_read_on_every_shell(shell: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "sbin").mkdir()
    (root / "bin" / "busybox").write_text("a")
    (root / "bin" / "ls").symlink_to("busybox")
    (root / "sbin" / "apk").write_text("changed")
    database = root / "lib" / "apk" / "db" / "installed"
    database.parent.mkdir(parents=True)
    good, other = _digest("a")[0], _digest("b")[0]
    database.write_text(
        f"P:busybox\nF:bin\nR:busybox\na:0:0:755\nZ:Q1{good}\nR:ls\nZ:Q1{other}\nF:etc\nR:x.conf\nZ:Q1{other}\n\n"
        f"P:apk-tools\nF:sbin\nR:apk\nZ:Q1{other}\n\nP:sudo\nF:usr/bin\nR:sudo\nZ:Q1{good}\n\n"
    )
    link = tmp_path / "ash"
    link.symlink_to(program("busybox"))
    # The same paths, below a folder: the fragment itself asks for those of the root.
    script = (
        integrity.PROGRAMS.script.replace("/var/lib/dpkg/status", f"{root}/none")
        .replace("/var/lib/rpm /usr/lib/sysimage/rpm /usr/share/rpm", f"{root}/none")
        .replace("/lib/apk/db/installed /usr/lib/apk/db/installed", str(database))
        .replace('folder = "/"', f'folder = "{root}/"')
        .replace('"^/$wanted"', f'"^{root}/$wanted"')
    )
    run = [str(link) if shell == "busybox" else program(shell), "-c", script]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd="/")
    [found] = integrity.parse_programs(done.stdout).facts
    assert isinstance(found, PackagedPrograms)
    assert (found.manager, found.checked) == ("apk", 3)
    assert set(found.changed) == {
        ChangedProgram(f"{root}/sbin/apk", gone=False),
        ChangedProgram(f"{root}/usr/bin/sudo", gone=True),
    }
