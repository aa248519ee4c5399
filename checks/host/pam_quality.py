"""What a new password must be like."""

from __future__ import annotations

from collections.abc import Mapping

from checks.check import check
from checks.facts.host.pam import Pam, PamRule
from checks.fix import Effort, Fix
from checks.host.fixes import install_package, setting
from checks.host.pam_stacks import REFERENCE, first, none, stacks, unread, value
from checks.model import Severity
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_NO_MODULE = "no module that this setting is for checks passwords here, which is a failure of its own"
_QUALITY = ("pam_pwquality", "pam_cracklib", "pam_passwdqc")


def _no_module(on: str) -> Verdict:
    """One cause is one finding: a missing module fails `host.pam-quality.module` alone."""
    return not_applicable(on, _NO_MODULE)


@check(
    "host.pam-quality.module",
    title="New passwords are checked for their quality",
    severity=Severity.MEDIUM,
    fix=Fix(
        action="Install the module that checks the quality of passwords",
        do="Install `@{package}` and let the password rules use pam_pwquality: pam-auth-update does so by "
        "itself, authselect's profiles have it; elsewhere put it before pam_unix in @{on}.",
        verify="grep -l pam_pwquality @{on}   # the file",
        effort=Effort(setup=0.5, each=0.05),
        undo="Remove the package again.",
        snippets=install_package(),
        key="pam:quality",
    ),
    refs=(REFERENCE,),
)
def module(found: Pam) -> Verdicts:
    """Without it people choose the name of the firm and the year, which is what attackers try first."""
    there = list(stacks(found, "password"))
    for on, rules in there:
        rule = first(rules, *_QUALITY)
        # With enforcing=0 the module only complains.
        idle = rule is not None and value(rule, found.settings.get("pwquality", {}), "enforcing", 1) == 0
        saw = (
            f"{rule.module} with enforcing = 0"
            if rule and idle
            else rule.module
            if rule
            else "no such module"
        )
        if rule is not None and rule.control == "optional":
            idle, saw = True, f"{rule.module} is optional: what it refuses is taken all the same"
        package = "libpam-pwquality" if found.profiles == "pam-auth-update" else "libpwquality"
        yield expect(
            rule is not None and not idle,
            on=on,
            saw=saw,
            want="pam_pwquality, pam_cracklib or pam_passwdqc",
            values={"package": package},
        )
    yield from unread(found)
    if not there:
        yield none("password")


_LENGTH = Fix(
    action="Demand long passwords",
    do="Set @{key} to @{good} in /etc/security/pwquality.conf (pam_cracklib takes it as an argument). An "
    "argument of the module in @{on} would overrule it: take such an argument out.",
    verify="grep -E '^(minlen|difok)' /etc/security/pwquality.conf   # the value that was set",
    effort=Effort(setup=0.25, each=0.05),
    undo="Take the line out, and the comment sign before the former one.",
    snippets=setting("/etc/security/pwquality.conf", between=" = "),
    key="pam:quality",
)


@check(
    "host.pam-quality.length",
    title="New passwords are long",
    severity=Severity.MEDIUM,
    fix=_LENGTH,
    refs=(REFERENCE,),
)
def length(found: Pam, *, least: int = 14) -> Verdicts:
    """The length decides how long guessing takes: each further character multiplies it, whatever the hash."""
    there = list(stacks(found, "password"))
    for on, rules in there:
        rule = first(rules, "pam_pwquality", "pam_cracklib")
        unix = first(rules, "pam_unix")
        settings = found.settings.get("pwquality", {}) if rule and rule.module == "pam_pwquality" else {}
        own = value(unix, {}, "minlen", 0)
        credit = _credit(rule, settings) if rule else 0
        number = max(value(rule, settings, "minlen", 8) - credit if rule else 0, own)
        if rule is None and own < least and not first(rules, "pam_passwdqc"):
            yield _no_module(on)
            continue
        if first(rules, "pam_passwdqc"):
            yield unknown(on, "pam_passwdqc weighs length and classes together; its rule is not read here")
            continue
        yield expect(
            number >= least,
            on=on,
            saw=f"{number} characters",
            want=f"{least} characters or more",
            values={"key": "minlen", "good": str(least + credit)},
        )
    yield from unread(found)
    if not there:
        yield none("password")


def _credit(rule: PamRule, settings: Mapping[str, str]) -> int:
    """By how many characters a password may be shorter because it has digits, capitals and the like."""
    default = 0 if rule.module == "pam_pwquality" else 1
    return sum(max(0, value(rule, settings, f"{one}credit", default)) for one in "dulo")


@check(
    "host.pam-quality.variety",
    title="New passwords are no words of a dictionary",
    severity=Severity.LOW,
    fix=Fix(
        action="Refuse passwords that stand in a dictionary",
        do="Set dictcheck to 1 in /etc/security/pwquality.conf, or demand several classes with minclass.",
        verify="grep dictcheck /etc/security/pwquality.conf   # dictcheck = 1",
        effort=Effort(setup=0.25, each=0.05),
        undo="Take the line out, and the comment sign before the former one.",
        snippets=setting("/etc/security/pwquality.conf", between=" = "),
        key="pam:quality",
    ),
    refs=(REFERENCE,),
)
def variety(found: Pam, *, classes: int = 3) -> Verdicts:
    """A long word with a number behind it is long and still among the first million that are tried."""
    there = list(stacks(found, "password"))
    for on, rules in there:
        rule = first(rules, *_QUALITY)
        settings = found.settings.get("pwquality", {})
        if rule is None:
            yield _no_module(on)
            continue
        if rule.module == "pam_pwquality":
            asked_for = [value(rule, settings, f"{one}credit", 0) for one in "dulo"]
            asked = max(value(rule, settings, "minclass", 0), sum(one < 0 for one in asked_for))
            words = value(rule, settings, "dictcheck", 1)
            held = words != 0 or asked >= classes
            saw = f"dictcheck {words}, {asked} classes"
        else:
            held, saw = True, f"{rule.module} looks into its dictionary"
        yield expect(
            held,
            on=on,
            saw=saw,
            want=f"dictcheck, or {classes} classes",
            values={"key": "dictcheck", "good": "1"},
        )
    yield from unread(found)
    if not there:
        yield none("password")


@check(
    "host.pam-quality.difference",
    title="A new password differs from the old one",
    severity=Severity.LOW,
    fix=_LENGTH,
    refs=(REFERENCE,),
)
def difference(found: Pam, *, least: int = 2) -> Verdicts:
    """Who knew the old password tries it with the next number behind it."""
    there = list(stacks(found, "password"))
    for on, rules in there:
        rule = first(rules, "pam_pwquality", "pam_cracklib")
        if rule is None:
            yield _no_module(on)
            continue
        pwquality = rule.module == "pam_pwquality"
        settings = found.settings.get("pwquality", {}) if pwquality else {}
        number = value(rule, settings, "difok", 1 if pwquality else 5)
        yield expect(
            number >= least,
            on=on,
            saw=f"{number} characters",
            want=f"{least} characters or more",
            values={"key": "difok", "good": str(least)},
        )
    yield from unread(found)
    if not there:
        yield none("password")
