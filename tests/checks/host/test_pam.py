"""What PAM does with wrong, old and empty passwords, judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.login_rules import LoginDefs
from checks.facts.host.pam import Pam, PamFile, PamRule
from checks.host import pam, pam_quality
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

DEFS = LoginDefs(True, {"ENCRYPT_METHOD": "YESCRYPT"}, {})
AUTH, PASSWORD = "/etc/pam.d/common-auth", "/etc/pam.d/common-password"
UNIX = {"auth": "auth required pam_unix", "password": "password required pam_unix yescrypt"}


def files(lines: Mapping[str, list[str]]) -> tuple[PamFile, ...]:
    """Files of PAM from lines such as `auth required pam_unix nullok`."""
    return tuple(
        PamFile(name, tuple(_rule(f"/etc/pam.d/{name}", *line.split()) for line in every))
        for name, every in lines.items()
    )


def _rule(file: str, kind: str, control: str, module: str, *arguments: str) -> PamRule:
    return PamRule(file, "" if control == "@include" else kind, control, module, arguments)


def host(
    auth: tuple[str, ...] = (UNIX["auth"],),
    password: tuple[str, ...] = (UNIX["password"],),
    settings: Mapping[str, Mapping[str, str]] | None = None,
    **more: list[str],
) -> Pam:
    stacks = {"common-auth": list(auth), "common-password": list(password), **more}
    return Pam(files(stacks), settings or {}, profiles="pam-auth-update")


@pytest.mark.parametrize("check", checks_of(pam, pam_quality))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize("check", [one for one in checks_of(pam, pam_quality) if one is not pam.su_restrict])
def test_a_host_without_a_known_stack_is_not_judged(check: Check[Any]) -> None:
    facts = (Pam((PamFile("cron", ()),), {}), DEFS)
    [finding] = judged(check, *facts[: len(check.needs)])
    assert finding.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("check", checks_of(pam, pam_quality))
def test_a_file_that_may_not_be_read_is_unknown(check: Check[Any]) -> None:
    found = Pam(host(su=["auth required pam_wheel"]).files, {}, unread=("/etc/pam.d/secret",))
    findings = judged(check, found, *[DEFS][: len(check.needs) - 1])
    named = [one for one in findings if one.on == "/etc/pam.d/secret"]
    assert [one.outcome for one in named] == ([] if check is pam.su_restrict else [Outcome.UNKNOWN])


@pytest.mark.parametrize(
    ("lines", "bad"),
    [
        (["auth sufficient pam_rootok", "auth required pam_wheel use_uid"], []),
        (["auth requisite pam_wheel group=sugroup"], []),
        (["auth sufficient pam_rootok"], ["su"]),
        (["auth sufficient pam_wheel trust"], ["su"]),
        (["auth required pam_wheel deny group=nosu"], ["su"]),
        (["account required pam_wheel"], ["su"]),
        (["x @include common-su"], []),
    ],
)
def test_su(lines: list[str], bad: list[str]) -> None:
    found = Pam(files({"su": lines, "common-su": ["auth required pam_wheel"]}), {})
    assert failing(pam.su_restrict, found) == bad


def test_without_a_file_for_su_nothing_is_known_of_it() -> None:
    [finding] = judged(pam.su_restrict, host())
    assert finding.outcome is Outcome.UNKNOWN


PRE, FAIL = "auth requisite pam_faillock preauth", "auth [default=die] pam_faillock authfail"


@pytest.mark.parametrize(
    ("lines", "settings", "bad"),
    [
        ((PRE, FAIL), {"deny": "5", "unlock_time": "900"}, False),
        ((PRE, FAIL), {"unlock_time": "0"}, False),
        ((PRE, FAIL), {}, True),
        ((PRE, FAIL), {"deny": "6", "unlock_time": "900"}, True),
        ((PRE, FAIL), {"deny": "0", "unlock_time": "900"}, True),
        ((PRE,), {"unlock_time": "900"}, True),
        ((f"{PRE} unlock_time=900", f"{FAIL} unlock_time=900"), {}, False),
        ((PRE, f"{FAIL} deny=50"), {"unlock_time": "900"}, True),
        (("auth required pam_tally2 deny=5",), {}, False),
        (("auth required pam_tally2 deny=5 unlock_time=60",), {}, True),
        (("auth required pam_tally2",), {}, True),
        ((), {}, True),
    ],
)
def test_lockout(lines: tuple[str, ...], settings: dict[str, str], bad: bool) -> None:
    found = host(auth=(*lines, UNIX["auth"]), settings={"faillock": settings})
    assert failing(pam.lockout, found) == ([AUTH] if bad else [])


def test_both_stacks_of_the_rhel_family_are_judged() -> None:
    found = Pam(files({"system-auth": [UNIX["auth"], PRE, FAIL], "password-auth": [UNIX["auth"]]}), {})
    assert failing(pam.lockout, found, seconds=600) == ["/etc/pam.d/password-auth"]


def test_a_service_with_rules_of_its_own_is_judged_where_nothing_is_shared() -> None:
    assert failing(pam.lockout, Pam(files({"sshd": [UNIX["auth"]]}), {})) == ["/etc/pam.d/sshd"]


@pytest.mark.parametrize(
    ("lines", "settings", "bad"),
    [
        (("password required pam_pwhistory remember=24",), {}, False),
        (("password required pam_pwhistory",), {"remember": "24"}, False),
        (("password required pam_pwhistory",), {}, True),
        (("password required pam_pwhistory remember=5",), {"remember": "24"}, True),
        (("password required pam_unix yescrypt remember=24",), {}, False),
        ((), {}, True),
    ],
)
def test_history(lines: tuple[str, ...], settings: dict[str, str], bad: bool) -> None:
    found = host(password=(*lines, UNIX["password"]), settings={"pwhistory": settings})
    assert failing(pam.history, found) == ([PASSWORD] if bad else [])


@pytest.mark.parametrize(
    ("line", "method", "saw", "bad"),
    [
        ("pam_unix yescrypt", "DES", "yescrypt", False),
        ("pam_unix sha512 shadow", "DES", "sha512", False),
        ("pam_unix", "SHA512", "sha512", False),
        ("pam_unix md5", "SHA512", "md5", True),
        ("pam_unix", "DES", "des", True),
        ("pam_unix", "", "des", True),
    ],
)
def test_hash(line: str, method: str, saw: str, bad: bool) -> None:
    defs = LoginDefs(True, {"ENCRYPT_METHOD": method} if method else {}, {})
    found = host(password=(f"password required {line}",))
    [finding] = judged(pam.hash, found, defs)
    assert (finding.saw, finding.outcome is Outcome.FAIL) == (saw, bad)


def test_nullok_fails_in_the_file_that_has_it() -> None:
    found = host(auth=("auth required pam_unix nullok",), vsftpd=["auth required pam_unix nullok_secure"])
    assert failing(pam.nullok, found) == [AUTH, "/etc/pam.d/vsftpd"]
    assert failing(pam.nullok, host()) == []


QUALITY = "password requisite pam_pwquality retry=3"


@pytest.mark.parametrize(
    ("lines", "settings", "bad"),
    [
        ((QUALITY,), {}, False),
        ((QUALITY,), {"enforcing": "0"}, True),
        (("password requisite pam_cracklib",), {}, False),
        ((), {}, True),
    ],
)
def test_quality_module(lines: tuple[str, ...], settings: dict[str, str], bad: bool) -> None:
    found = host(password=(*lines, UNIX["password"]), settings={"pwquality": settings})
    assert failing(pam_quality.module, found) == ([PASSWORD] if bad else [])


@pytest.mark.parametrize(
    ("line", "settings", "bad"),
    [
        (QUALITY, {"minlen": "14"}, False),
        (QUALITY, {"minlen": "12"}, True),
        (QUALITY, {}, True),
        (f"{QUALITY} minlen=16", {"minlen": "8"}, False),
        (f"{QUALITY} minlen=8", {"minlen": "16"}, True),
        # Without a word about it pam_cracklib lets four kinds of characters count for one more each.
        ("password requisite pam_cracklib minlen=15", {"minlen": "8"}, True),
        ("password requisite pam_cracklib minlen=18", {"minlen": "8"}, False),
        ("password requisite pam_cracklib minlen=14 dcredit=-1 ucredit=0 lcredit=-1 ocredit=0", {}, False),
        (QUALITY, {"minlen": "14", "dcredit": "3"}, True),
        (QUALITY, {"minlen": "17", "dcredit": "3"}, False),
    ],
)
def test_length(line: str, settings: dict[str, str], bad: bool) -> None:
    found = host(password=(line, UNIX["password"]), settings={"pwquality": settings})
    assert failing(pam_quality.length, found) == ([PASSWORD] if bad else [])


def test_what_pam_passwdqc_weighs_is_not_guessed() -> None:
    [finding] = judged(
        pam_quality.length, host(password=("password requisite pam_passwdqc", UNIX["password"]))
    )
    assert finding.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("settings", "bad"),
    [
        ({}, False),
        ({"dictcheck": "0"}, True),
        ({"dictcheck": "0", "minclass": "3"}, False),
        ({"dictcheck": "0", "dcredit": "-1", "ucredit": "-1", "lcredit": "-1"}, False),
    ],
)
def test_variety(settings: dict[str, str], bad: bool) -> None:
    found = host(password=(QUALITY, UNIX["password"]), settings={"pwquality": settings})
    assert failing(pam_quality.variety, found) == ([PASSWORD] if bad else [])


@pytest.mark.parametrize(
    ("line", "settings", "bad"),
    [(QUALITY, {}, True), (QUALITY, {"difok": "2"}, False), ("password requisite pam_cracklib", {}, False)],
)
def test_difference(line: str, settings: dict[str, str], bad: bool) -> None:
    found = host(password=(line, UNIX["password"]), settings={"pwquality": settings})
    assert failing(pam_quality.difference, found) == ([PASSWORD] if bad else [])


@pytest.mark.parametrize("check", [pam_quality.length, pam_quality.variety, pam_quality.difference])
def test_a_missing_module_is_one_failure_and_not_four(check: Check[Any]) -> None:
    [finding] = judged(check, host())
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert failing(pam_quality.module, host()) == [PASSWORD]
    assert failing(pam_quality.length, host(password=("password required pam_unix minlen=14",))) == []


def test_files_that_take_each_other_in_end() -> None:
    found = Pam(files({"common-auth": ["x @include login"], "login": ["x @include common-auth"]}), {})
    assert found.stack("common-auth", "auth") == ()


@pytest.mark.parametrize(
    ("login_shell", "bad"),
    [
        (["auth sufficient pam_rootok", "auth include common-auth"], ["su-l"]),
        (["auth sufficient pam_rootok", "auth required pam_wheel use_uid"], []),
        (["auth include su", "session optional pam_keyinit"], []),
    ],
)
def test_su_with_a_login_shell_may_have_rules_of_its_own(login_shell: list[str], bad: list[str]) -> None:
    found = host(**{"su": ["auth required pam_wheel use_uid"], "su-l": login_shell})  # type: ignore[arg-type]
    assert failing(pam.su_restrict, found) == bad


def test_one_change_is_one_finding_where_su_is_taken_in() -> None:
    found = host(**{"su": ["auth sufficient pam_rootok"], "su-l": ["auth include su"]})  # type: ignore[arg-type]
    assert failing(pam.su_restrict, found) == ["su"]


def test_the_last_word_about_the_hash_stands() -> None:
    weak = host(password=("password required pam_unix sha512 md5",))
    assert [one.saw for one in judged(pam.hash, weak, DEFS)] == ["md5"]
    good = host(password=("password required pam_unix md5 yescrypt rounds=8",))
    assert failing(pam.hash, good, DEFS) == []


def test_a_module_that_is_optional_refuses_nothing() -> None:
    found = host(password=("password optional pam_pwquality minlen=14", UNIX["password"]))
    assert failing(pam_quality.module, found) == [PASSWORD]


def test_a_lock_that_never_opens_by_itself_is_long_enough() -> None:
    lines = ("auth required pam_faillock preauth", "auth [default=die] pam_faillock authfail", UNIX["auth"])
    found = host(auth=lines, settings={"faillock": {"deny": "3", "unlock_time": "never"}})
    assert failing(pam.lockout, found) == []


def test_a_service_with_rules_beside_the_shared_ones_is_judged_too() -> None:
    counted = ("auth required pam_faillock preauth", UNIX["auth"], "auth [default=die] pam_faillock authfail")
    conf = {"faillock": {"deny": "3", "unlock_time": "900"}}
    own = host(auth=counted, settings=conf, sshd=["auth sufficient pam_unix", "account required pam_unix"])
    assert failing(pam.lockout, own) == ["/etc/pam.d/sshd"]
    shared = host(auth=counted, settings=conf, sshd=["x @include common-auth"])
    assert failing(pam.lockout, shared) == []
