"""The readers of accounts, passwords and logins, and their fragments on real hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeVar

import msgspec
import pytest

from checks.facts.host.accounts import Accounts, Groups, Logins, Password, Passwords, PasswordState
from checks.facts.snapshot import Fact, Snapshot
from scanner.collect.host import accounts
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Host, Lab, lab

F = TypeVar("F", bound=Fact)
HASH = "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/"
PLANT = f"""
cat >>/etc/passwd <<'E'
ann:x:1001:1001::/home/ann:/bin/sh
bob:x:1002:1002::/home/bob:/bin/sh
+::::::
E
printf 'ann:x:1001:\\nops:x:1003:ann,bob\\n+:::\\n' >>/etc/group
cat >>/etc/shadow <<'E'
ann:{HASH}:20000:1:365:7:30::
bob:!{HASH}:20001::99999::-1:20100:
cat:{HASH.replace("saltsalt", "othersal")}:20001::99999:::::
+::::::::
E
printf 'passwd: files [NOTFOUND=continue] sss ldap # why\\ngroup: files\\n' >/etc/nsswitch.conf
"""
SHADOW = "password\troot\tlocked\t\t0\t20000\t0\t99999\t7\t\t\n"


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
def test_accounts_and_groups_of_real_hosts(host: Host) -> None:
    seen = host.look(frozenset({Accounts, Groups}))
    found = fact(seen, Accounts)
    assert {"root", "ann", "bob"} <= {one.name for one in found.accounts}
    assert (found.directories, found.included, found.uid_min) == (("sss", "ldap"), ("+",), 1000)
    groups = fact(seen, Groups)
    assert next(one for one in groups.groups if one.name == "ops").members == ("ann", "bob")
    assert groups.included == ("+",)


@pytest.mark.real
def test_no_hash_leaves_a_host_and_equal_ones_are_told(host: Host) -> None:
    seen = host.look(frozenset({Passwords}))
    told = json.dumps(msgspec.to_builtins(seen))
    assert "saltsalt" not in told
    assert HASH[12:30] not in told
    by_name = {one.name: one for one in fact(seen, Passwords).passwords}
    assert by_name["ann"] == Password("ann", PasswordState.SET, "sha512", 1, 20000, 1, 365, 7, 30)
    assert by_name["bob"] == Password(
        "bob", PasswordState.LOCKED, "sha512", 1, 20001, maximum=99999, expires=20100
    )
    assert by_name["cat"].twins == by_name["root"].twins == 0
    assert fact(seen, Passwords).included == ("+",)


@pytest.mark.real
def test_a_host_without_a_record_of_logins_is_a_gap(host: Host) -> None:
    seen = host.look(frozenset({Logins}))
    assert seen.get(Logins) is None
    assert [gap.fact for gap in seen.gaps] == ["Logins"]


@pytest.mark.real
def test_lastlog_of_a_real_host(net: Lab) -> None:
    # One record of lastlog is 292 bytes: the time, then the terminal, then the host.
    write = (
        "import struct; f = open('/var/log/lastlog', 'r+b'); "
        "f.seek(292 * 1001); f.write(struct.pack('<i32s256s', 1767323045, b'pts/0', b'203.0.113.5'))"
    )
    host = net.host("bookworm", plant=f'{PLANT}: >/var/log/lastlog; python3 -c "{write}"')
    found = fact(host.look(frozenset({Logins})), Logins)
    assert (found.record, found.asking) == ("lastlog", "root")
    assert found.last["ann"] == "2026-01-02T03:04:05Z"
    assert found.last["bob"] == ""


def logins(*lines: str) -> Logins:
    [found] = accounts.parse_logins("\n".join((*lines, "end"))).facts
    assert isinstance(found, Logins)
    return found


def test_wtmp_tells_since_when_and_the_last_of_several() -> None:
    found = logins(
        "asking\taudit",
        "record\twtmp",
        "login\tann\tNov\t23\t12:00:00\t2026",
        "login\tann\tNov\t3\t12:00:00\t2026",
        "since\tNov\t1\t00:00:10\t2026",
    )
    assert found.last == {"ann": "2026-11-23T12:00:00Z"}
    assert (found.since, found.asking) == ("2026-11-01T00:00:10Z", "audit")


def test_a_record_without_any_login_proves_nothing() -> None:
    seen = accounts.parse_logins("asking\tx\nrecord\tlastlog\nlogin\troot\t\nend\n")
    assert seen.facts == ()
    assert [gap.fact for gap in seen.gaps] == ["Logins"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "record\tlastlog\nlogin\tann\tNov\t23\t12:00:00\t2026\n",
        "record\tlastlog\nlogin\tann\tNov\t40\t12:00:00\t2026\nend\n",
        "record\tlastlog\nnoise\nend\n",
        "end\n",
    ],
)
def test_a_broken_list_of_logins_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        accounts.parse_logins(text)


@pytest.mark.parametrize(
    "line",
    [
        "password\tann\tset\tsha512\n",
        "password\tann\topen\tsha512\t0\t1\t1\t1\t1\t1\t1\n",
        "password\tann\tset\tsha512\t0\tone\t1\t1\t1\t1\t1\n",
        "password\tann\tset\tsha512\tx\t1\t1\t1\t1\t1\t1\n",
        "password\tann\tset\tsha512\t0\t1\t1\t1\t1\t1\t1\t1\n",
    ],
)
def test_a_broken_shadow_is_refused(line: str) -> None:
    assert accounts.parse_passwords(SHADOW).facts
    with pytest.raises(ParseError):
        accounts.parse_passwords(SHADOW + line)


def test_a_broken_group_hides_no_account() -> None:
    seen = accounts.parse_accounts(
        "account\t7\troot\tshadow\t0\t0\t/\t/bin/sh\ngroup\t4\troot\t0\t\ngroup\t3\todd\t7\ngroup\t4\tx\ty\t\n"
    )
    assert {type(one) for one in seen.facts} == {Accounts, Groups}
    assert [(gap.fact, gap.where) for gap in seen.gaps] == [("Groups", "/etc/group")]


def test_without_groups_there_is_a_gap() -> None:
    seen = accounts.parse_accounts("account\t7\troot\tshadow\t0\t0\t/\t/bin/sh\n")
    assert [gap.fact for gap in seen.gaps] == ["Groups"]
