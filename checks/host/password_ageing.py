"""How long passwords live: the rules for new accounts, and those that the existing ones have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from checks.check import Check, check, make_check
from checks.facts.host.accounts import Password, Passwords, PasswordState
from checks.facts.host.login_rules import LoginDefs
from checks.fix import Effort, Fix, Language, Snippet
from checks.host.fixes import setting
from checks.model import Severity
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule about the age of passwords, for new accounts and for existing ones.

    `flag` is chage's letter; `least` and `most` bound the good values, `good` is the one to set.
    """

    id: str
    key: str
    flag: str
    what: str
    why: str
    read: Callable[[Password], int | None]
    least: int
    most: int
    good: int


_RULES = (
    _Rule(
        "maximum",
        "PASS_MAX_DAYS",
        "M",
        "the longest life of a password",
        "A password that never ends stays good for whoever read it years ago in a leaked file or a mail.",
        lambda one: one.maximum,
        1,
        365,
        365,
    ),
    _Rule(
        "minimum",
        "PASS_MIN_DAYS",
        "m",
        "the shortest life of a password",
        "Without a shortest life one changes the password often enough in a row to be back at the old one.",
        lambda one: one.minimum,
        1,
        365,
        1,
    ),
    _Rule(
        "warning",
        "PASS_WARN_AGE",
        "W",
        "the warning before a password ends",
        "People who are warned too late choose the next password in a hurry, or are locked out at night.",
        lambda one: one.warning,
        7,
        365,
        7,
    ),
    _Rule(
        "inactive",
        "INACTIVE",
        "I",
        "the days until an ended password locks the account",
        "An account that nobody uses any more stays open for whoever knows its ended password.",
        lambda one: one.inactive,
        0,
        45,
        45,
    ),
)
_NEW = {
    "maximum": "New accounts get passwords that end",
    "minimum": "New passwords stay for a day at least",
    "warning": "New accounts are warned before their password ends",
    "inactive": "New accounts are locked when their password has ended",
}
_EXISTING = {
    "maximum": "The passwords of existing accounts end",
    "minimum": "The passwords of existing accounts stay for a day at least",
    "warning": "Existing accounts are warned before their password ends",
    "inactive": "Existing accounts are locked when their password has ended",
}


def _default_fix(rule: _Rule) -> Fix:
    file, between = ("/etc/default/useradd", "=") if rule.key == "INACTIVE" else ("/etc/login.defs", " ")
    return Fix(
        action="Set the ageing of passwords for new accounts",
        do="Set @{key} to @{good} in @{file}: it holds for accounts that are made from now on.",
        verify="key=@{key}; file=@{file}\n"
        'sed -n "s/^$key[[:space:]=]*//p" "$file"   # the value that was set',
        effort=Effort(setup=0.25, each=0.02),
        undo="Take the line out, and the comment sign before the former one.",
        snippets=setting(file, between=between),
        key="password-ageing:defaults",
    )


_USER_FIX = Fix(
    action="Give existing passwords the ageing of the policy",
    do="Set @{what} of `@{on}` to @{good} days with chage. A password that is older than its new longest "
    "life must be renewed at the next login, also by those who log in with a key, and until then the "
    "account's cron jobs may stand still: renew old passwords first.",
    verify="chage -l -- @{on}   # the days that were set",
    effort=Effort(setup=0.25, each=0.1),
    undo="Set the former number with chage: @{saw}.",
    snippets=(
        Snippet(
            Language.SHELL,
            "user=@{on}\nflag=@{flag}\ndays=@{good}\n"
            "today=$(( $(date +%s) / 86400 ))\n"
            'set -- $(getent shadow "$user" |\n'
            '  awk -F: \'{ print ($3 == "" ? 0 : $3), ($5 == "" ? 99999 : $5) }\')\n'
            'most=$2; [ "$flag" != M ] || most=$days\n'
            "# Never lock anybody out: a password that would have ended is renewed first.\n"
            'if [ "$flag" = M ] || [ "$flag" = I ]; then\n'
            '  if [ $(( $1 + most )) -lt "$today" ]; then\n'
            '    echo "the password of $user is too old: renew it first" >&2; exit 1\n'
            "  fi\nfi\n"
            'chage "-$flag" "$days" -- "$user"',
            'user=@{on}\nflag=@{flag}\nbefore=@{before}\nchage "-$flag" "$before" -- "$user"',
        ),
    ),
    key="password-ageing:accounts",
)


def _default(rule: _Rule) -> Check[[LoginDefs]]:
    def judge(found: LoginDefs, *, least: int = rule.least, most: int = rule.most) -> Verdicts:
        useradd = rule.key == "INACTIVE"
        file = "/etc/default/useradd" if useradd else "/etc/login.defs"
        on = f"{rule.key} in {file}"
        if not found.present:
            yield not_applicable(on, "the host has no /etc/login.defs: its account tools know no ageing")
            return
        if file in found.unread:
            yield unknown(on, f"{file} may not be read", needs=f"sudo: cat {file}")
            return
        text = (found.useradd if useradd else found.settings).get(rule.key, "")
        value = int(text) if text.isascii() and text.isdigit() else -1
        yield expect(
            least <= value <= most,
            on=on,
            saw=text or "not set",
            want=_range(least, most),
            values={"key": rule.key, "good": str(_within(rule.good, least, most)), "file": file},
            cite=rule.key,
        )

    return make_check(
        judge,
        f"host.password-ageing.default-{rule.id}",
        title=_NEW[rule.id],
        why=rule.why,
        severity=Severity.LOW,
        fix=_default_fix(rule),
        refs=("https://man7.org/linux/man-pages/man5/login.defs.5.html",),
    )


def _existing(rule: _Rule) -> Check[[Passwords]]:
    def judge(
        found: Passwords,
        *,
        least: int = rule.least,
        most: int = rule.most,
        exempt: frozenset[str] = frozenset(),
    ) -> Verdicts:
        used = [one for one in found.passwords if one.state is PasswordState.SET and one.name not in exempt]
        for one in used:
            days = rule.read(one)
            yield expect(
                days is not None and least <= days <= most,
                on=one.name,
                saw="no limit" if days is None else f"{days} days",
                want=_range(least, most),
                values={
                    "what": rule.what,
                    "flag": rule.flag,
                    "good": str(_within(rule.good, least, most)),
                    "before": "-1" if days is None else str(days),
                },
                cite=f"\t{one.name}\t",
            )
        if not used:
            yield _nobody()

    return make_check(
        judge,
        f"host.password-ageing.{rule.id}",
        title=_EXISTING[rule.id],
        why=rule.why,
        severity=Severity.LOW,
        fix=_USER_FIX,
        refs=("https://man7.org/linux/man-pages/man1/chage.1.html",),
    )


def _range(least: int, most: int) -> str:
    return f"{least} to {most} days"


def _within(good: int, least: int, most: int) -> int:
    return min(max(good, least), most)


def _nobody() -> Verdict:
    return not_applicable("passwords", "no local account has a password that opens it")


DEFAULTS = tuple(_default(rule) for rule in _RULES)
"""One check for each rule that new accounts get."""

EXISTING = tuple(_existing(rule) for rule in _RULES)
"""One check for each rule that existing accounts have."""


@check(
    "host.password-ageing.last-change",
    title="No password was changed in the future",
    severity=Severity.LOW,
    fix=Fix(
        action="Correct password dates that lie in the future",
        do="Find out why the last change of the password of `@{on}` lies in the future (a wrong clock, or "
        "somebody who wanted it never to end), and set the day of today, or have the password renewed.",
        verify="getent shadow @{on} | cut -d: -f3   # not above $(( $(date +%s) / 86400 ))",
        effort=Effort(setup=0.25, each=0.1),
        undo="Set the former day with `chage -d`: @{days}.",
        snippets=(
            Snippet(
                Language.SHELL,
                'chage -d "$(date +%Y-%m-%d)" -- @{on}',
                "chage -d @{days} -- @{on}",
            ),
        ),
    ),
)
def last_change(found: Passwords, *, now: datetime) -> Verdicts:
    """A change date in the future puts the end of the password off for as long as somebody likes."""
    # The host may stand in a zone where tomorrow has begun.
    today = int(now.timestamp()) // _SECONDS + 1
    used = [one for one in found.passwords if one.state is PasswordState.SET]
    late = [one for one in used if one.changed is not None and one.changed > today]
    for one in late:
        yield expect(
            False,
            on=one.name,
            saw=f"changed {(one.changed or 0) - today + 1} days from now",
            want="a day in the past",
            values={"days": str(one.changed)},
            cite=f"\t{one.name}\t",
        )
    if not used:
        yield _nobody()
    elif not late:
        yield expect(True, on="passwords", saw=f"{len(used)} changed in the past", want="changed in the past")
