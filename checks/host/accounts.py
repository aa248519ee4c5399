"""Accounts of a host: who is root, who can log in, and how well the passwords are kept."""

from __future__ import annotations

from collections import defaultdict

from checks.check import check
from checks.facts.host.accounts import Accounts, Passwords, PasswordState
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity
from checks.verdict import Verdicts, expect

_NO_LOGIN = frozenset({"nologin", "false", "true", "sync", "shutdown", "halt"})
"""Programs in the place of a shell that give nobody a session."""
_FOLDERS = frozenset({"/bin", "/sbin", "/usr/bin", "/usr/sbin"})
_NOBODY = 65_534


def _gives_no_session(shell: str) -> bool:
    """Whether that is one of those programs; in another folder the name says nothing."""
    folder, _, name = shell.rpartition("/")
    return name in _NO_LOGIN and folder in _FOLDERS


@check(
    "host.accounts.uid-zero",
    title="Only root has user id 0",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Remove the second root accounts",
        do="Find out who made `@{on}` and when: such an account is a common back door. Then lock it, and "
        "give it an id of its own or delete it.",
        verify="awk -F: '$3 == 0 { print $1 }' /etc/passwd   # root",
        effort=Effort(setup=1, each=0.5),
        undo="Unlock the account with `usermod -U -e ''`.",
        snippets=(
            Snippet(
                Language.SHELL,
                "user=@{on}\n"
                "# The first account with this id is root itself, whatever its name: sudo and cron need it.\n"
                '[ "$(id -nu 0)" != "$user" ] ||\n'
                '  { echo "$user stands first: it is root for the system" >&2; exit 1; }\n'
                'usermod -L -e 1 -- "$user"',
                "usermod -U -e '' -- @{on} || usermod -e '' -- @{on}",
            ),
        ),
    ),
)
def uid_zero(found: Accounts) -> Verdicts:
    """A second account with id 0 is root under another name, and often the back door of an intruder."""
    zero = [account.name for account in found.accounts if account.uid == 0]
    for name in zero:
        if name != "root":
            yield expect(False, on=name, saw="user id 0", want="user id 0 for root only")
    if set(zero) <= {"root"}:
        yield expect(True, on="user id 0", saw=", ".join(zero) or "nobody", want="root only")


@check(
    "host.accounts.empty-password",
    title="Every account that can log in has a password or is locked",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Lock the accounts without a password",
        do="Lock `@{on}`, or give it a password.",
        verify="passwd -S @{on}   # L or P, not NP",
        effort=Effort(setup=0.25, each=0.1),
        undo="Unlocking it again would open it again; give it a password with `passwd` instead.",
        snippets=(Snippet(Language.SHELL, "passwd -l -- @{on}"),),
    ),
)
def empty_password(accounts: Accounts, passwords: Passwords) -> Verdicts:
    """Whoever knows the name of the account is in, at the console, through su, and often over the network."""
    in_shadow = {p.name for p in passwords.passwords if p.state is PasswordState.EMPTY}
    empty = [
        account.name
        for account in accounts.accounts
        # An empty field in /etc/passwd is a password of its own: nobody looks into shadow then.
        if account.password_empty or (account.name in in_shadow and not account.password_here)
    ]
    for name in empty:
        yield expect(False, on=name, saw="no password", want="a password, or locked")
    if not empty:
        yield expect(True, on="passwords", saw="none empty", want="none empty")


@check(
    "host.accounts.password-outside-shadow",
    title="No password stands in /etc/passwd",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Move passwords out of /etc/passwd",
        do="Move the passwords to /etc/shadow with `pwconv`; give `@{on}` a new one, for everybody could "
        "read the old one.",
        verify="awk -F: '$2 != \"x\" { print $1 }' /etc/passwd   # nothing",
        effort=Effort(setup=0.25, each=0.1),
        undo="It must not come back: everybody could read it. `chage -d` lifts the demand for a new one.",
        snippets=(Snippet(Language.SHELL, "pwconv && passwd -e -- @{on}"),),
    ),
)
def password_outside_shadow(found: Accounts) -> Verdicts:
    """Everybody on the host reads /etc/passwd: a hash there is guessed at leisure, an empty one is used."""
    bad = [account.name for account in found.accounts if account.password_here]
    for name in bad:
        yield expect(False, on=name, saw="password field in /etc/passwd", want="in /etc/shadow")
    if not bad:
        yield expect(True, on="/etc/passwd", saw="no password", want="no password")


@check(
    "host.accounts.password-hash",
    title="Passwords are kept under a slow hash",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Renew passwords that are kept under a weak hash",
        do="Set ENCRYPT_METHOD (login.defs) and pam_unix to yescrypt or sha512, and make `@{on}` choose a "
        "new password at the next login.",
        verify="getent shadow @{on} | cut -d: -f2 | cut -c1-3   # $y$ or $6$",
        effort=Effort(setup=0.5, each=0.1),
        undo="`chage -d` with the former date takes the demand for a new password back.",
        snippets=(Snippet(Language.SHELL, "chage -d 0 -- @{on}"),),
    ),
)
def password_hash(
    found: Passwords,
    *,
    strong: frozenset[str] = frozenset(
        {"yescrypt", "gost-yescrypt", "sha512", "sha256", "bcrypt", "scrypt", "argon2"}
    ),
) -> Verdicts:
    """A copied file of MD5 or DES hashes is guessed in hours; slow hashes hold for years."""
    bad = [p for p in found.passwords if p.state is PasswordState.SET and p.scheme not in strong]
    for one in bad:
        yield expect(False, on=one.name, saw=one.scheme, want=" or ".join(sorted(strong)))
    if not bad:
        schemes = {p.scheme for p in found.passwords if p.state is PasswordState.SET}
        yield expect(True, on="passwords", saw=schemes or "no password set", want=" or ".join(sorted(strong)))


@check(
    "host.accounts.system-shells",
    title="System accounts have no shell",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Take the shells of system accounts away",
        do="Give the system account `@{on}` the shell nologin; see first that no job or operator uses it.",
        verify="getent passwd @{on} | cut -d: -f7   # /usr/sbin/nologin",
        effort=Effort(setup=0.25, each=0.05),
        undo="Give it its shell back: @{saw}.",
        snippets=(
            Snippet(
                Language.SHELL,
                'usermod -s "$(command -v nologin || echo /sbin/nologin)" -- @{on}',
                "usermod -s @{saw} -- @{on}",
            ),
        ),
    ),
)
def system_shells(
    accounts: Accounts, passwords: Passwords, *, allowed: frozenset[str] = frozenset()
) -> Verdicts:
    """A service account with a shell turns a stolen key, or a password nobody watches, into a session."""
    hashes = {p.name: p for p in passwords.passwords}
    bad = []
    for account in accounts.accounts:
        system = 0 < account.uid < accounts.uid_min or account.uid == _NOBODY
        shell = account.shell or "/bin/sh"
        if system and account.name not in allowed and not _gives_no_session(shell):
            bad.append((account.name, shell))
    for name, shell in bad:
        state = hashes[name].state if name in hashes else PasswordState.EMPTY
        # Without a password only a key opens the account.
        severity = Severity.LOW if state is PasswordState.LOCKED else None
        yield expect(False, on=name, saw=shell, want="nologin", severity=severity)
    if not bad:
        yield expect(True, on="system accounts", saw="none with a shell", want="none with a shell")


@check(
    "host.accounts.own-ids",
    title="Every account has a user id and a name of its own",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Give every account an id of its own",
        do="Give all but one of the accounts that share @{on} an id of their own, and their files to them.",
        verify="cut -d: -f3 /etc/passwd | sort | uniq -d   # nothing",
        effort=Effort(setup=0.5, each=0.5),
        undo="Set the former id with `usermod -u`.",
    ),
)
def own_ids(found: Accounts) -> Verdicts:
    """Two accounts with one id own each other's files, and no log can tell which of them acted."""
    by_id: dict[int, set[str]] = defaultdict(set)
    names: dict[str, int] = defaultdict(int)
    for account in found.accounts:
        by_id[account.uid].add(account.name)
        names[account.name] += 1
    shared = {uid: who for uid, who in by_id.items() if len(who) > 1 and uid != 0}
    twice = [name for name, count in names.items() if count > 1]
    for uid, who in shared.items():
        yield expect(False, on=f"user id {uid}", saw=who, want="one account")
    for name in twice:
        yield expect(False, on=f"the name {name}", saw=f"{names[name]} lines", want="one line")
    if not shared and not twice:
        yield expect(True, on="user ids", saw="all different", want="all different")
