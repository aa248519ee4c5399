"""The reader of homes, and its fragment on real hosts, as root, through sudo and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeVar

import msgspec
import pytest

from checks.facts.host.homes import Homes
from checks.facts.host.secrets import CredentialFiles
from checks.facts.snapshot import Fact, Snapshot
from scanner.collect.host import homes
from scanner.collect.host.probe import ParseError, as_sudoers
from tests.lab.hosts import Host, Lab, lab

F = TypeVar("F", bound=Fact)
BOTH: frozenset[type[Fact]] = frozenset({Homes, CredentialFiles})
PLANT = r"""
cat >>/etc/passwd <<'E'
ann:x:1001:1001::/home/ann:/bin/sh
far:x:1002:1002::/srv/far away:/bin/sh
gone:x:1003:1003::/home/gone:/bin/sh
svc:x:1004:1004::/home/svc:/usr/sbin/nologin
E
mkdir -p /home/ann/.aws /home/ann/.config/gh /home/ann/plain/.aws '/srv/far away' /home/svc
cd /home/ann
echo 'machine x login y password hunter2' >.netrc; chmod 644 .netrc
echo 'aws_secret_access_key = hunter2' >.aws/credentials; chmod 600 .aws/credentials
echo 'aws_secret_access_key = hunter2' >plain/.aws/credentials
printf 'github.com:\n  oauth_token: hunter2\n' >.config/gh/hosts.yml; chmod 600 .config/gh/hosts.yml
echo 'registry=http://x' >.npmrc; chmod 600 .npmrc
echo x >.open; chmod 666 .open; echo x >.closed; chmod 644 .closed; echo x >.forward; chmod 600 .forward
mkdir -m 777 .folder
echo x >.foreign; chmod 644 .foreign
printf x >'.line
item:777:ann:ann:regular file:/home/ann/.forged'; chmod 666 '.line
item:777:ann:ann:regular file:/home/ann/.forged'
printf 'db:5432:x:y:hunter2\n' >'/srv/far away/.pgpass'; chmod 600 '/srv/far away/.pgpass'
chown -R 1001:1001 /home/ann; chown 1003 .foreign
chown -R 1002:1002 '/srv/far away'; chmod 700 '/srv/far away'
"""


def fact(snapshot: Snapshot, kind: type[F]) -> F:
    found = snapshot.get(kind)
    assert isinstance(found, kind)
    return found


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.mark.real
@pytest.mark.parametrize("kind", ["bookworm", "busybox"])
def test_homes_of_real_hosts(net: Lab, kind: str) -> None:
    seen = net.host(kind, plant=PLANT).look(BOTH)
    found = fact(seen, Homes)
    paths = {one.path for one in found.homes}
    assert {"/root", "/home/ann", "/srv/far away"} <= paths
    assert "/home/svc" not in paths
    assert (found.missing, found.unseen, found.unsearched) == (("/home/gone",), (), ())
    dots = {one.path.rpartition("/")[2] for one in found.dots if one.path.startswith("/home/ann/")}
    assert {".open", ".forward", ".folder", ".foreign"} <= dots
    assert ".closed" not in dots
    files = fact(seen, CredentialFiles)
    assert {one.path for one in files.files} == {
        "/home/ann/.netrc",
        "/home/ann/.aws/credentials",
        "/home/ann/.config/gh/hosts.yml",
        "/srv/far away/.pgpass",
    }
    assert (files.unopened, files.unsearched) == ((), ())
    assert "hunter2" not in json.dumps(msgspec.to_builtins(seen))


@pytest.mark.real
def test_sudo_searches_root_and_home_and_nothing_else(net: Lab) -> None:
    host: Host = net.host("bookworm", plant=PLANT, login="sudo")
    seen = host.scan(BOTH)
    assert {one.path for one in fact(seen, CredentialFiles).files} == {
        "/home/ann/.netrc",
        "/home/ann/.aws/credentials",
        "/home/ann/.config/gh/hosts.yml",
    }
    assert fact(seen, Homes).unsearched == ("/srv/far away",)


@pytest.mark.real
def test_an_ordinary_login_names_what_it_could_not_search(net: Lab) -> None:
    seen = net.host("bookworm", plant=PLANT, login="plain").scan(BOTH)
    found, files = fact(seen, Homes), fact(seen, CredentialFiles)
    assert {"/root", "/srv/far away"} <= set(found.unsearched)
    assert [one.path for one in files.files] == ["/home/ann/.netrc"]
    assert "/home/ann/.aws/credentials" in {one.path for one in files.unopened}


@pytest.mark.real
def test_a_sudo_rule_that_is_missing_searches_nothing(net: Lab) -> None:
    host = net.host("bookworm", plant=f"{PLANT}\nsed -i '/\\/home\\//d' /etc/sudoers.d/*", login="sudo")
    found = fact(host.scan(BOTH), Homes)
    assert {"/root", "/home/ann"} <= set(found.unsearched)


@pytest.mark.parametrize(
    "text",
    ["", "home:700:root:root:directory:/root\nsearch\n", "noise\nsearched\n", "home:9:r:r:d:/x\nsearched\n"],
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        homes.parse(text)


def test_behind_the_limit_both_facts_have_a_gap() -> None:
    seen = homes.parse("home:700:root:root:directory:/root\nsearch\nmore\n")
    assert {gap.fact for gap in seen.gaps} == {"Homes", "CredentialFiles"}


@pytest.mark.parametrize(
    ("argument", "written"),
    [("*/.a", r"\*/.a"), ("a:b,c=d", r"a\:b\,c\=d"), ("[^ ]?!#", r"\[^ \]\?\!\#"), ("(a|b)+", "(a|b)+")],
)
def test_arguments_as_sudoers_writes_them(argument: str, written: str) -> None:
    assert as_sudoers(argument) == written
