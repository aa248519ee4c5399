"""What is left of people who left."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.host.accounts import Accounts
from checks.facts.host.ssh_keys import AuthorizedKeys
from checks.fix import Effort, Fix, Language, Snippet
from checks.host.ssh_keys import take_out
from checks.model import Impact, Severity
from checks.verdict import Verdict, Verdicts, expect, unknown

_NO_SHELL = frozenset({"nologin", "false", "true", "sync", "shutdown", "halt"})


@check(
    "host.leavers.accounts",
    title="People who left have no account to log in to",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Remove the accounts of @{person}, who left",
        do="Lock the account @{on} now; then hand its files over and delete it with `userdel`.",
        verify="getent passwd @{on}   # /usr/sbin/nologin at the end, or nothing",
        effort=Effort(setup=0.5, each=0.1),
        undo="Unlock the account with `usermod -U -e ''` and give it its shell @{shell} back.",
        key="leaver:@{person}",
        snippets=(
            Snippet(
                Language.SHELL,
                'usermod -L -e 1 -s "$(command -v nologin || echo /sbin/nologin)" -- @{on}',
                "usermod -U -e '' -s @{shell} -- @{on} || usermod -e '' -s @{shell} -- @{on}",
            ),
        ),
    ),
)
def accounts(found: Accounts, *, leavers: frozenset[str] = frozenset()) -> Verdicts:
    """The account of somebody who left is watched by nobody, and its owner may have kept every key."""
    if not leavers:
        yield _no_list()
        return
    gone = {name.lower(): name for name in leavers}
    theirs = [account for account in found.accounts if account.name.lower() in gone]
    for account in theirs:
        shell = account.shell or "/bin/sh"
        yield expect(
            shell.rpartition("/")[2] in _NO_SHELL,
            on=account.name,
            saw=f"an account with {shell}",
            want="no account, or one that gives nobody a session",
            values={"person": gone[account.name.lower()], "shell": shell},
            cite=account.name,
        )
    if not theirs:
        yield expect(True, on="accounts", saw=f"none of {len(gone)} who left", want="none of them")


@check(
    "host.leavers.keys",
    title="No key of people who left opens an account",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=take_out(
        "Remove the SSH keys of @{person}, who left",
        "Take @{label} out of @{file}, and out of every other file where it is found.",
        key="leaver:@{person}",
    ),
)
def keys(found: AuthorizedKeys, *, leavers: frozenset[str] = frozenset()) -> Verdicts:
    """A key stays good when the account at the company's directory is long closed: only its line opens it."""
    if not leavers:
        yield _no_list()
        return
    words = {name: re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", re.IGNORECASE) for name in leavers}
    bad = [(key, name) for key in found.keys for name, word in words.items() if word.search(key.comment)]
    for key, name in bad:
        yield expect(
            False,
            on=f"{key.label} for {key.account}",
            saw=f"line {key.line} of {key.file}",
            want="no key of theirs",
            values={
                "person": name,
                "label": key.label,
                "file": key.file,
                "line": str(key.line),
                "fingerprint": key.fingerprint,
            },
            cite=key.file,
        )
    if not bad:
        yield expect(True, on="login keys", saw=f"no comment names one of {len(words)}", want="none of them")


def _no_list() -> Verdict:
    needs = "the threshold `leavers` of this check: the names that their accounts and keys had"
    return unknown("people who left", "no list of those who left was given", needs=needs)
