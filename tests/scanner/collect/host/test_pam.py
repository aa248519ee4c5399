"""The reader of PAM's files, and its fragment on real hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest

from checks.facts.host.pam import Pam, PamRule
from scanner.collect.host import pam
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Host, Lab, lab

PLANT = r"""
mkdir -p /etc/pam.d /etc/security/pwquality.conf.d
cat >/etc/pam.d/own <<'E'
#%PAM-1.0
auth	[success=1 default=ignore]  /lib/security/pam_unix.so nullok \
	try_first_pass # why
-auth optional pam_mysql.so user=root passwd=hunter2
@include own-more
password substack own-more
E
printf 'Password required pam_unix.so sha512\nauth required pam_wheel.so use_uid\n' >/etc/pam.d/own-more
printf 'minlen=8\n # minlen = 9\n' >/etc/security/pwquality.conf.d/a.conf
printf 'minlen = 14\nenforce_for_root\n' >/etc/security/pwquality.conf
printf 'deny = 3 # a\n' >/etc/security/faillock.conf
"""


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture(scope="module", params=["bookworm", "busybox"])
def found(request: pytest.FixtureRequest, net: Lab) -> Pam:
    host: Host = net.host(request.param, plant=PLANT)
    seen = host.look(frozenset({Pam}))
    assert "hunter2" not in json.dumps(msgspec.to_builtins(seen))
    pam = seen.get(Pam)
    assert isinstance(pam, Pam)
    return pam


@pytest.mark.real
def test_stacks_follow_what_they_take_in(found: Pam) -> None:
    assert [(one.control, one.module, one.arguments) for one in found.stack("own", "auth")] == [
        ("[success=1 default=ignore]", "pam_unix", ("nullok", "try_first_pass")),
        ("optional", "pam_mysql", ()),
        ("required", "pam_wheel", ("use_uid",)),
    ]
    words = [(one.file, one.module) for one in found.stack("own", "password")]
    assert words == [("/etc/pam.d/own-more", "pam_unix")] * 2


@pytest.mark.real
def test_settings_are_merged_as_the_module_merges_them(found: Pam) -> None:
    assert found.settings["pwquality"] == {"minlen": "14", "enforce_for_root": ""}
    assert found.settings["faillock"] == {"deny": "3"}


@pytest.mark.real
def test_a_host_without_pam_says_so(net: Lab) -> None:
    seen = net.host("busybox").look(frozenset({Pam}))
    assert [one.fact for one in seen.absences] == ["Pam"]


RULE = "rule\t/etc/pam.d/su\tauth\trequired\tpam_unix\t\n"


def test_a_file_of_the_host_hides_that_of_the_distribution() -> None:
    text = f"rule\t/usr/lib/pam.d/su\tauth\trequired\tpam_deny\t\n{RULE}read\t2\n"
    [fact] = pam.parse(text).facts
    assert isinstance(fact, Pam)
    assert fact.stack("su", "auth") == (PamRule("/etc/pam.d/su", "auth", "required", "pam_unix"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        RULE,
        "read\t1\n",
        f"{RULE}noise\nread\t1\n",
        "rule\t/etc/pam.d/su\tlogin\trequired\tpam_unix\t\nread\t1\n",
        "rule\tsu\tauth\trequired\tpam_unix\t\nread\t1\n",
    ],
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        pam.parse(text)


@pytest.mark.parametrize(
    "name", ["common-auth.dpkg-old", "system-auth.rpmnew", "sshd~", "su.bak", "x.pam-old"]
)
def test_what_lies_beside_a_file_is_no_service(name: str) -> None:
    rule = "rule\t/etc/pam.d/{}\tauth\trequired\tpam_unix\tnullok\n"
    [found] = pam.parse(rule.format("common-auth") + rule.format(name) + "read\t2\n").facts
    assert isinstance(found, Pam)
    assert [file.name for file in found.files] == ["common-auth"]
