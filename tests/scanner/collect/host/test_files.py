"""Owners, modes, special rights and keys, read from real hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pytest

from checks.facts.host.files import (
    CapableFile,
    CapableFiles,
    FileModes,
    KeyFile,
    KeyFiles,
    OpenPaths,
    PrivilegedFiles,
    UnownedPaths,
)
from checks.facts.snapshot import Fact, Snapshot
from scanner.collect.host import capabilities, files, keys, walk
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Host, Lab, lab

F = TypeVar("F", bound=Fact)
_KEY = "printf -- '-----BEGIN PRIVATE KEY-----\\nTUlJ\\n'"
PLANT = rf"""
echo x >/srv/ww; chmod 666 /srv/ww; mkdir -m 777 /srv/drop; mkdir -m 1777 /srv/sticky
echo x >"/srv/a
b:c"; chmod 666 "/srv/a
b:c"
echo x >/srv/gone; chown 4711:4712 /srv/gone; ln -s /nowhere /srv/link; chown -h 4711:0 /srv/link
cp /bin/sh /srv/shell; chmod 4755 /srv/shell
mkdir -m 0700 /etc/closed; cp /bin/sh /etc/closed/shell; chmod 2755 /etc/closed/shell
{_KEY} >/etc/open.key; chmod 644 /etc/open.key
{_KEY} >/etc/closed/hidden.pem; chmod 600 /etc/closed/hidden.pem
echo 'no key' >/etc/other.key
mkdir -p /var/lib/docker; echo x >/var/lib/docker/ww; chmod 666 /var/lib/docker/ww
"""
HELD = (FileModes, OpenPaths, UnownedPaths, PrivilegedFiles, KeyFiles)


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
    plant = PLANT if request.param == "bookworm" else f"mkdir -p /srv /etc /var/lib\n{PLANT}"
    return net.host(request.param, plant=plant)


@pytest.mark.real
def test_one_search_finds_all_kinds_and_each_by_itself(host: Host) -> None:
    seen = host.look(frozenset(HELD))
    assert seen.gaps == ()
    opened = {(one.path, one.folder) for one in fact(seen, OpenPaths).paths}
    assert opened == {("/srv/ww", False), ("/srv/drop", True), ("/srv/a?b:c", False)}
    unowned = {(one.path, one.owner, one.group_known) for one in fact(seen, UnownedPaths).paths}
    assert unowned == {("/srv/gone", "4711", False), ("/srv/link", "4711", True)}
    special = {one.path: one for one in fact(seen, PrivilegedFiles).files}
    assert special["/srv/shell"].mode == "4755"
    assert special["/etc/closed/shell"].mode == "2755"
    assert not special["/srv/shell"].packaged
    if "/usr/bin/passwd" in special:
        assert fact(seen, PrivilegedFiles).manager == "dpkg"
        assert {path for path, one in special.items() if not one.packaged} == {
            *("/srv/shell", "/etc/closed/shell"),
        }


@pytest.mark.real
def test_keys_are_told_by_what_they_hold_and_never_shown(host: Host) -> None:
    seen = host.look(frozenset({KeyFiles}))
    found = {one.path: (one.mode, one.read, one.closed) for one in fact(seen, KeyFiles).files}
    assert found == {
        "/etc/open.key": ("0644", True, ""),
        "/etc/closed/hidden.pem": ("0600", True, "/etc/closed"),
    }
    assert all("TUlJ" not in source.excerpt for source in seen.sources)


@pytest.mark.real
def test_modes_are_looked_at_once_and_what_is_not_there_is_told(host: Host) -> None:
    found = fact(host.look(frozenset({FileModes})), FileModes)
    modes = {one.path: one for one in found.files}
    assert modes["/etc/passwd"].mode == "0644"
    assert modes["/root"].kind == "directory"
    assert "/etc/at.allow" in found.missing
    assert found.unread == ()
    patterns = {one for one in found.missing if "*" in one}
    assert {"/etc/audit/*.conf", "/var/log/audit/audit.log*"} <= patterns


HIDE = f"{PLANT}chmod 0750 /etc/sudoers.d; mkdir -m 0700 /etc/audit; echo x >/etc/audit/auditd.conf"


@pytest.mark.real
def test_a_plain_login_says_what_it_did_not_see(net: Lab) -> None:
    seen = net.host("bookworm", plant=HIDE, login="plain").scan(frozenset(HELD))
    gaps = {gap.fact: gap.needs for gap in seen.gaps}
    assert set(gaps) == {"OpenPaths", "UnownedPaths", "PrivilegedFiles", "KeyFiles"}
    assert all(needs.startswith("sudo: /usr/bin/") for needs in gaps.values())
    modes = fact(seen, FileModes)
    assert {"/etc/sudoers.d/*", "/etc/audit/*.conf", "/etc/audit/audit.rules"} <= set(modes.unread)
    assert {one.path: one.mode for one in modes.files}["/etc/sudoers.d"] == "0750"
    assert not {"/etc/shadow", "/etc/audit"} - {one.path for one in modes.files}
    assert {one.path for one in fact(seen, KeyFiles).files} == {"/etc/open.key"}


@pytest.mark.real
def test_with_the_sudo_rules_that_are_printed_a_login_sees_all(net: Lab) -> None:
    seen = net.host("bookworm", plant=HIDE, login="sudo").scan(frozenset(HELD))
    assert seen.gaps == ()
    modes = fact(seen, FileModes)
    assert modes.unread == ()
    assert {"/etc/audit/auditd.conf", "/etc/sudoers.d/README"} <= {one.path for one in modes.files}
    assert "/etc/audit/audit.rules" in modes.missing
    assert "/etc/closed/shell" in {one.path for one in fact(seen, PrivilegedFiles).files}
    assert {one.path: one.read for one in fact(seen, KeyFiles).files} == {
        "/etc/open.key": True,
        "/etc/closed/hidden.pem": False,
    }


@pytest.mark.real
def test_ten_thousand_of_one_kind_do_not_hide_another(net: Lab) -> None:
    many = "mkdir /opt/many; cd /opt/many; seq 10000 | xargs touch; chmod 666 /opt/many/*"
    seen = net.host("bookworm", plant=f"{many}; cp /bin/sh /usr/bin/zz; chmod 4755 /usr/bin/zz").look(
        frozenset(HELD)
    )
    opened = fact(seen, OpenPaths)
    assert (len(opened.paths), opened.more) == (200, True)
    assert "/usr/bin/zz" in {one.path for one in fact(seen, PrivilegedFiles).files}
    assert [gap.fact for gap in seen.gaps] == ["OpenPaths"]


@pytest.mark.real
def test_accounts_of_a_directory_are_asked_for_once(net: Lab) -> None:
    # What a directory service would answer, in the place of one.
    plant = r"""
cat >/usr/bin/getent <<'END'
#!/bin/sh
echo "$*" >>/asked
[ "$1 $2" = "passwd 4711" ] && echo 'far:x:4711:4712::/home/far:/bin/sh'
[ "$1 $2" = "group 4712" ] && echo 'far:x:4712:'
END
touch /srv/one /srv/two /srv/three; chown 4711:4712 /srv/one /srv/two; chown 4999:0 /srv/three
"""
    host = net.host("bookworm", plant=plant)
    found = fact(host.look(frozenset({UnownedPaths})), UnownedPaths)
    assert [(one.path, one.owner, one.group) for one in found.paths] == [("/srv/three", "4999", "root")]
    assert sorted(host.path("/asked").read_text().split("\n")[:-1]) == [
        *("group 4712", "passwd 4711", "passwd 4999"),
    ]


STOPPED = r"""
rm -rf /srv/*; for name in one two six; do touch /srv/$name; chmod 666 /srv/$name; done
mv /usr/bin/find /usr/bin/find.real
cat >/usr/bin/find <<'END'
#!/bin/sh
# The real one, without the last bytes that it tells, and stopped after them as timeout does it.
case "$*" in */dev/null*) {probed} ;; esac
find.real "$@" >/tmp/told
head -c -{lost} /tmp/told
exit 124
END
chmod 755 /usr/bin/find
"""
FORMS = {"gnu": 'exec find.real "$@"', "busybox": "exit 1"}


@pytest.mark.real
@pytest.mark.parametrize(("lost", "fewest"), [(0, 3), (2, 2), (4, 2)])
@pytest.mark.parametrize("probed", FORMS.values(), ids=FORMS)
def test_a_search_that_is_stopped_keeps_what_it_told_in_whole(
    net: Lab, probed: str, lost: int, fewest: int
) -> None:
    plant = STOPPED.format(lost=lost, probed=probed)
    seen = net.host("bookworm", plant=plant).look(frozenset({OpenPaths}))
    paths = {one.path for one in fact(seen, OpenPaths).paths}
    assert len(paths) >= fewest
    assert paths <= {"/srv/one", "/srv/two", "/srv/six"}
    assert [gap.reason for gap in seen.gaps] == ["the search was stopped after 15 s"]


@pytest.mark.real
def test_capabilities_of_files(net: Lab) -> None:
    plant = "cp /bin/sh /usr/local/bin/odd; setcap cap_net_raw,cap_setuid=ep /usr/local/bin/odd"
    host = net.host("bookworm", plant=plant)
    found = fact(host.look(frozenset({CapableFiles})), CapableFiles)
    assert CapableFile("/usr/local/bin/odd", "cap_setuid,cap_net_raw=ep") in found.files
    assert "/usr/local" in found.searched
    [gap] = net.host("busybox").look(frozenset({CapableFiles})).gaps
    assert "no getcap" in gap.reason


# --- the readers alone ---


@pytest.mark.parametrize(
    "line", ["9x4:root:root:file:/etc/passwd", "644:root:root:file", "644:root:root:file:relative"]
)
def test_a_broken_line_of_stat_is_refused(line: str) -> None:
    with pytest.raises(ParseError):
        files.parse_modes(line)


KINDS = "kinds:file folder unowned suid\n"


@pytest.mark.parametrize(("ended", "gaps"), [("0", 0), ("1", 3), ("124", 3), ("126", 3)])
def test_a_search_says_where_it_did_not_get(ended: str, gaps: int) -> None:
    seen = walk.parse(f"{KINDS}file:/a\nended:{ended}\nmanager:asked\n")
    assert len(seen.facts) == 3
    assert len(seen.gaps) == gaps


@pytest.mark.parametrize(
    "text",
    [
        "file:/a\nended:0\n",
        f"{KINDS}file:/a\n",
        f"{KINDS}file:a\nended:0\n",
        f"{KINDS}suid:755:root:/a\nended:0\n",
        f"{KINDS}suid:4755:root:root:relative\nended:0\n",
        f"{KINDS}bad:x\nended:0\n",
        f"{KINDS}ended:0\nmanager:brew\n",
        f"{KINDS}more:all\nended:0\n",
        "kinds:file\nended:0\n",
    ],
)
def test_a_broken_search_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        walk.parse(text)


def test_a_database_knows_a_program_by_either_path() -> None:
    text = (
        f"{KINDS}suid:4755:root:root:/usr/bin/su\nsuid:4755:root:root:/sbin/x\nsuid:4755:root:root:/usr/x\n"
        "ended:0\nmanager:rpm\nowned:/bin/su\nowned:/usr/sbin/x\n"
    )
    [_, _, found] = walk.parse(text).facts
    assert isinstance(found, PrivilegedFiles)
    assert [one.packaged for one in found.files] == [True, True, False]
    [_, _, none] = walk.parse(f"{KINDS}suid:4755:root:root:/a\nended:0\nmanager:none\n").facts
    assert isinstance(none, PrivilegedFiles)
    assert none.manager == ""


@pytest.mark.parametrize(
    ("line", "path", "text"),
    [
        ("/usr/bin/ping cap_net_raw=ep", "/usr/bin/ping", "cap_net_raw=ep"),
        ("/usr/bin/ping = cap_net_raw+ep", "/usr/bin/ping", "cap_net_raw+ep"),
        ("/opt/a b = c cap_net_raw,cap_setuid=ep", "/opt/a b = c", "cap_net_raw,cap_setuid=ep"),
        ("/opt/all =ep", "/opt/all", "=ep"),
        ("/opt/two cap_a=p cap_b+ei", "/opt/two", "cap_a=p cap_b+ei"),
        ("/opt/n cap_net_raw=ep [rootid=1000]", "/opt/n", "cap_net_raw=ep"),
    ],
)
def test_lines_of_getcap(line: str, path: str, text: str) -> None:
    [found] = capabilities.parse(f"searched\t/usr/bin /opt\n{line}\nended\n").facts
    assert isinstance(found, CapableFiles)
    assert found.files == (CapableFile(path, text),)


@pytest.mark.parametrize(
    "text", ["searched\t/usr\n", "ended\n", "searched\t/usr\nnoise\nended\n", "searched\t/usr\n/a\nended\n"]
)
def test_a_broken_getcap_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        capabilities.parse(text)


def test_getcap_that_was_cut_says_so() -> None:
    lines = "".join(f"/opt/{number} cap_net_raw=ep\n" for number in range(201))
    seen = capabilities.parse(f"searched\t/opt\n{lines}")
    [found] = seen.facts
    assert isinstance(found, CapableFiles)
    assert (len(found.files), found.more, len(seen.gaps)) == (200, True, 1)


def test_a_closed_folder_far_above_is_in_the_way() -> None:
    seen = keys.parse(
        "ended:0\nkey:644:root:root:/etc/a/b/c.key\nfolder:755:root:root:/etc\n"
        "folder:700:root:root:/etc/a\nfolder:755:root:root:/etc/a/b\n"
    )
    [found] = seen.facts
    assert isinstance(found, KeyFiles)
    assert [one.closed for one in found.files] == ["/etc/a"]


def test_keys_that_may_not_be_read_are_kept_apart() -> None:
    seen = keys.parse("ended:1\nkey:644:root:root:/etc/a.key\nclosed:640:root:x:regular file:/etc/b:c.key\n")
    assert seen.facts == (
        KeyFiles(
            (
                KeyFile("/etc/a.key", "0644", "root", "root", True),
                KeyFile("/etc/b:c.key", "0640", "root", "x", False),
            ),
            more=False,
        ),
    )
    assert seen.gaps[0].needs.startswith("sudo: /usr/bin/find /etc ")
    cut = keys.parse("key:644:root:root:/etc/a.key\n")
    assert "only the first" in cut.gaps[0].reason


@pytest.mark.parametrize("text", ["", "ended:x\n", "ended:0\nkey:644:root:/etc/a\n", "ended:0\nended:0\n"])
def test_a_broken_list_of_keys_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        keys.parse(text)
