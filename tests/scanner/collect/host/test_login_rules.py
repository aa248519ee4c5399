"""The readers of the rules for logins, and their fragments on real hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pytest

from checks.facts.host.login_rules import LoginDefs, PathEntry, RootPath, ShellSetting, ShellStart
from checks.facts.snapshot import Fact, Snapshot
from scanner.collect.host import login_rules
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Host, Lab, lab

F = TypeVar("F", bound=Fact)
PLANT = r"""
mkdir -p /etc/default /etc/profile.d /etc/pam.d /opt/tools/bin /root/bin
printf '# PASS_MAX_DAYS 1\nPASS_MAX_DAYS\t99999\nUMASK 022\n' >/etc/login.defs
echo 'ENV_SUPATH PATH=/usr/sbin:/opt/none' >>/etc/login.defs
printf '# INACTIVE=-1\nINACTIVE="30"\n' >/etc/default/useradd
printf 'if [ `umask` -eq 0 ]; then umask 022; fi # umask 777\nexport PATH="$HOME/bin:$PATH"\n' >/etc/profile
cat >/etc/profile.d/a.sh <<'E'
# TMOUT=1
umask u=rwx,g=rx,o=
declare -xr TMOUT="600"
PATH=/opt/tools/bin${PATH:+:$PATH}:; pathmunge /usr/local/sbin after
PATH=$JAVA_HOME/bin:.:$1:$PATH
E
cat >/etc/profile.d/b.sh <<'E'
if [ x ]; then umask 027; else umask "002"; fi
TMOUT=900; TMOUT=0
PATH=/opt/first; PATH+=:/opt/second
E
mkdir -p /var/spool/cron/crontabs; echo 'PATH=/opt/cronpath' >/var/spool/cron/crontabs/root
printf 'session optional pam_umask.so umask=077\n#session optional pam_umask.so\n' >/etc/pam.d/common-session
echo 'PATH=relative:/secret/token' >/root/.profile
chmod 777 /opt/tools
"""


def fact(snapshot: Snapshot, kind: type[F]) -> F:
    found = snapshot.get(kind)
    assert isinstance(found, kind)
    return found


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture(scope="module", params=["bookworm", "busybox"])
def host(request: pytest.FixtureRequest, net: Lab) -> Host:
    return net.host(request.param, plant=PLANT)


@pytest.mark.real
def test_the_rules_of_real_hosts(host: Host) -> None:
    seen = host.look(frozenset({LoginDefs, ShellStart}))
    defs = fact(seen, LoginDefs)
    assert defs.present
    assert defs.settings == {"PASS_MAX_DAYS": "99999", "UMASK": "022"}
    assert defs.useradd["INACTIVE"] == "30"
    shells = fact(seen, ShellStart)
    assert shells.umasks == (
        ShellSetting("/etc/profile", "022"),
        ShellSetting("/etc/profile.d/a.sh", "u=rwx,g=rx,o="),
        ShellSetting("/etc/profile.d/b.sh", "027"),
        ShellSetting("/etc/profile.d/b.sh", "002"),
    )
    assert shells.timeouts == (
        ShellSetting("/etc/profile.d/a.sh", "600"),
        ShellSetting("/etc/profile.d/b.sh", "900"),
        ShellSetting("/etc/profile.d/b.sh", "0"),
    )
    assert shells.fixed
    assert ShellSetting("/etc/pam.d/common-session", "077") in shells.pam_umask


@pytest.mark.real
def test_the_search_path_of_root(host: Host) -> None:
    found = fact(host.look(frozenset({RootPath})), RootPath)
    entries = {(one.file, one.folder) for one in found.entries}
    own = "/etc/profile.d/a.sh"
    assert entries >= {
        ("/etc/login.defs", "/usr/sbin"),
        ("/etc/login.defs", "/opt/none"),
        ("/etc/profile", "/root/bin"),
        (own, "/opt/tools/bin"),
        (own, ""),
        (own, "/usr/local/sbin"),
        (own, "$JAVA_HOME/bin"),
        (own, "."),
        ("/root/.profile", "relative"),
        ("/etc/profile.d/b.sh", "/opt/first"),
        ("/etc/profile.d/b.sh", "/opt/second"),
        ("/var/spool/cron/crontabs/root", "/opt/cronpath"),
    }
    assert ("/etc/profile.d/b.sh", "") not in entries
    assert not [folder for _, folder in entries if "@" in folder or folder == "$1"]
    folders = {one.path: one for one in found.folders}
    assert folders["/opt/tools"].mode == "0777"
    assert {"/", "/opt", "/opt/tools/bin"} <= set(folders)
    assert {"/opt/none", "/secret/token"} <= set(found.absent)


@pytest.mark.real
def test_an_ordinary_login_is_told_which_files_it_could_not_read(net: Lab) -> None:
    host = net.host("bookworm", login="plain")
    found = fact(host.scan(frozenset({RootPath})), RootPath)
    assert {"/root/.profile", "/etc/sudoers"} <= set(found.unread)
    allowed = net.host("bookworm", login="sudo")
    assert fact(allowed.scan(frozenset({RootPath})), RootPath).unread == ()


@pytest.mark.parametrize("parse", [login_rules.parse_rules, login_rules.parse_path])
@pytest.mark.parametrize("text", ["", "noise\nend\n", "entry\tx\ty\nend\n", "folder:9:r:r:d:/\nend\n"])
def test_broken_answers_are_refused(parse: object, text: str) -> None:
    assert callable(parse)
    with pytest.raises(ParseError):
        parse(text)


def test_an_answer_that_was_cut_is_refused() -> None:
    with pytest.raises(ParseError):
        login_rules.parse_rules("present\t/etc/login.defs\ndefs\tUMASK\t027\n")
    with pytest.raises(ParseError):
        login_rules.parse_path("entry\t/etc/profile\t/bin\n")
    [found] = login_rules.parse_path("entry\t/etc/profile\t\nend\n").facts
    assert isinstance(found, RootPath)
    assert found.entries == (PathEntry("/etc/profile", ""),)
