"""How accounts are used: who still logs in, whose password is whose, and root's own."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from checks.check import check
from checks.facts.host.accounts import Account, Accounts, Logins, Password, Passwords, PasswordState
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_NO_LOGIN = frozenset({"nologin", "false", "true", "sync", "shutdown", "halt"})
_NOBODY = 65_000
"""Ids from here on belong to nobody in particular."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@check(
    "host.account-logins.stale",
    title="Every account that can log in is still used",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Lock the accounts that nobody uses any more",
        do="Ask whose account `@{on}` is. If nobody needs it, lock and expire it now, and delete it with its "
        "files after the time that your rules give. Sessions without a terminal (backups, deployments) may "
        "leave no record: see that no job logs in with it.",
        verify="chage -l -- @{on} | grep 'Account expires'   # a day in the past",
        effort=Effort(setup=0.5, each=0.25),
        undo="Unlock the account and take its end away: `usermod -U -e ''`.",
        snippets=(
            Snippet(Language.SHELL, "chage -E 1 -- @{on}", "chage -E -1 -- @{on}"),
            Snippet(
                Language.ANSIBLE,
                "- name: Expire an account that nobody uses\n"
                "  ansible.builtin.user:\n    name: @{on}\n    expires: 1",
            ),
        ),
    ),
)
def stale(
    accounts: Accounts,
    passwords: Passwords,
    logins: Logins,
    *,
    days: int = 90,
    now: datetime,
    allowed: frozenset[str] = frozenset(),
) -> Verdicts:
    """The account of somebody who left is used by others, and nobody is there to notice it."""
    limit = now - timedelta(days=days)
    states = {one.name: one for one in passwords.passwords}
    people = [one for one in accounts.accounts if _person(one, accounts) and one.name not in allowed]
    for account in people:
        password = states.get(account.name)
        if password is not None and password.expires is not None and _day(password.expires) <= now:
            day = _day(password.expires).date()
            yield expect(True, on=account.name, saw=f"expired {day}", want="used, or expired")
        else:
            yield _use(account, password, logins, limit, days)
    if not people:
        yield not_applicable("accounts", "no local account of a person can log in")


def _person(account: Account, accounts: Accounts) -> bool:
    """Whether it is the account of a person: a shell, and an id of people."""
    return accounts.uid_min <= account.uid < _NOBODY and account.shell.rpartition("/")[2] not in _NO_LOGIN


def _day(number: int) -> datetime:
    return _EPOCH + timedelta(days=number)


def _use(account: Account, password: Password | None, logins: Logins, limit: datetime, days: int) -> Verdict:
    last = logins.last.get(account.name, "")
    changed = password.changed if password is not None else None
    cite, want = account.name, f"used in the last {days} days"
    if account.name == logins.asking:
        return expect(True, on=account.name, saw="it asks this question", want=want, cite=cite)
    if last and datetime.fromisoformat(last) >= limit:
        return expect(True, on=account.name, saw=f"last login {last[:10]}", want=want, cite=cite)
    if changed is not None and _day(changed) >= limit:
        day = _day(changed).date()
        return expect(True, on=account.name, saw=f"password changed {day}", want=want, cite=cite)
    if not last and logins.since and datetime.fromisoformat(logins.since) > limit:
        return unknown(account.name, f"the record of logins reaches back only to {logins.since[:10]}")
    locked = password is not None and password.state is PasswordState.LOCKED
    return expect(
        False,
        on=account.name,
        saw=f"last login {last[:10]}" if last else f"no login in the {logins.record} of the host",
        want=want,
        cite=cite,
        # Only a key opens a locked one, and logins with a key but no terminal are not recorded.
        severity=Severity.LOW if locked else None,
        confidence=Confidence.POSSIBLE if locked else Confidence.LIKELY,
    )


@check(
    "host.account-logins.own-password",
    title="No two accounts have one and the same password",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Give accounts with a copied password one of their own",
        do="Have new passwords chosen for @{on}: their hash, salt and all, is one and the same, so it "
        "was copied.",
        verify="getent shadow | cut -d: -f2 | grep '^[$]' | sort | uniq -d | wc -l   # 0",
        effort=Effort(setup=0.25, each=0.25),
        undo="There is nothing to undo: a copied password should not come back.",
    ),
)
def own_password(found: Passwords) -> Verdicts:
    """One guessed or leaked password opens all of them, and each of its users can act as the others."""
    twins: dict[int, list[Password]] = defaultdict(list)
    for one in found.passwords:
        if one.twins:
            twins[one.twins].append(one)
    bad = [same for same in twins.values() if any(one.state is PasswordState.SET for one in same)]
    for same in bad:
        names = ", ".join(sorted(one.name for one in same))
        yield expect(
            False,
            on=names,
            saw=f"{len(same)} accounts with one hash",
            want="a hash for each",
            cite=f"\t{same[0].name}\t",
        )
    if not bad:
        yield expect(True, on="passwords", saw="all different", want="all different")


@check(
    "host.account-logins.root-password",
    title="The root account is locked or has a password under a slow hash",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Give root a good password or lock it",
        do="Lock root where sudo leads to it, or set a new long password and keep it in the vault.",
        verify="passwd -S root   # L, or P with the day of today",
        effort=Effort(setup=0.25, each=0.1),
        undo="`passwd -u root` unlocks it.",
    ),
)
def root_password(
    found: Passwords,
    *,
    strong: frozenset[str] = frozenset(
        {"yescrypt", "gost-yescrypt", "sha512", "sha256", "bcrypt", "scrypt", "argon2"}
    ),
) -> Verdicts:
    """The password of root is the last door of the machine: at its console, in rescue mode and through su."""
    root = next((one for one in found.passwords if one.name == "root"), None)
    if root is None:
        yield unknown("root", "/etc/shadow has no line for root")
        return
    good = root.state is PasswordState.LOCKED or (root.state is PasswordState.SET and root.scheme in strong)
    saw = {
        PasswordState.EMPTY: "no password",
        PasswordState.LOCKED: "locked",
        PasswordState.SET: f"a password under {root.scheme}",
    }[root.state]
    severity = Severity.CRITICAL if root.state is PasswordState.EMPTY else None
    want = "locked, or a password under a slow hash"
    yield expect(good, on="root", saw=saw, want=want, severity=severity, cite="\troot\t")
