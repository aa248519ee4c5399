"""Home folders, and dot files in them that others may write to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from checks.check import check
from checks.facts.host.accounts import Account, Accounts, Groups
from checks.facts.host.files import FileMode
from checks.facts.host.homes import Homes
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Impact, Severity
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_NO_LOGIN = frozenset({"nologin", "false", "true", "sync", "shutdown", "halt"})
_NEEDS = "sudo: find and stat in the home folders"


def _owners(accounts: Accounts) -> dict[str, list[Account]]:
    """The accounts with a shell by their home; services that log in nowhere have no home to guard."""
    found: dict[str, list[Account]] = defaultdict(list)
    for one in accounts.accounts:
        person = one.uid == 0 or one.uid >= accounts.uid_min
        if person and one.shell.rpartition("/")[2] not in _NO_LOGIN and one.home not in ("", "/"):
            found[one.home].append(one)
    return dict(found)


def _unseen(homes: Homes, owners: dict[str, list[Account]]) -> Iterator[Verdict]:
    for path in homes.unseen:
        if path in owners:
            yield unknown(path, f"{path} may not be looked at", needs=f"sudo: stat {path}")


def _nobody() -> Verdict:
    return not_applicable("homes", "no account of a person has a shell")


def _own_group(accounts: Accounts, groups: Groups, file: FileMode) -> bool:
    """Whether the file's group is the private one of its owner: then only the owner has its rights."""
    group = next((one for one in groups.groups if one.name == file.group), None)
    if group is None or group.name != file.owner:
        return False
    return not (set(group.members) | {one.name for one in accounts.accounts if one.gid == group.gid}) - {
        file.owner
    }


def _names(accounts: Accounts, home: FileMode) -> tuple[str, ...]:
    """The names of whoever a home is for; its owner where no account names it."""
    ids = {one.uid for one in accounts.accounts if one.home == home.path}
    return tuple(one.name for one in accounts.accounts if one.uid in ids) or (home.owner,)


@check(
    "host.homes.exist",
    title="The home of every account exists",
    severity=Severity.LOW,
    fix=Fix(
        action="Make the homes that are missing",
        do="Make `@{on}` for @{user} with mode 0750, or lock the account where nobody uses it.",
        verify="test -d @{on} && echo there   # there",
        effort=Effort(setup=0.25, each=0.1),
        undo="Remove the empty folder with rmdir.",
        snippets=(
            Snippet(
                Language.SHELL,
                "home=@{on}\nuser=@{user}\n"
                'mkdir -p -- "$(dirname "$home")" &&\n'
                '  install -d -m 0750 -o "$user" -g "$(id -g "$user")" -- "$home"',
                "rmdir -- @{on}",
            ),
        ),
    ),
)
def exist(accounts: Accounts, homes: Homes) -> Verdicts:
    """Without a home an account starts in the root folder, and whoever may make the folder owns its login."""
    owners = _owners(accounts)
    there = {home.path for home in homes.homes}
    for path, who in owners.items():
        if path in there or path in homes.missing:
            yield expect(
                path in there,
                on=path,
                saw="there" if path in there else "missing",
                want="there",
                values={"user": who[0].name},
            )
    yield from _unseen(homes, owners)
    if not owners:
        yield _nobody()


@check(
    "host.homes.mode",
    title="Homes are open to their owners alone",
    severity=Severity.MEDIUM,
    fix=Fix(
        action="Close the homes to others",
        do="Take write access from the group and all access from others: `chmod g-w,o-rwx`. See first that "
        "no web server serves a folder in it.",
        verify="stat -c %a @{on}   # 750 or less",
        effort=Effort(setup=0.25, each=0.05),
        undo="Set the former mode: @{mode}.",
        snippets=(
            Snippet(Language.SHELL, "chmod g-w,o-rwx -- @{on}", "chmod @{mode} -- @{on}"),
            Snippet(
                Language.ANSIBLE,
                "- name: Close a home to others\n"
                "  ansible.builtin.file:\n    path: @{on}\n    mode: g-w,o-rwx\n    state: directory",
            ),
        ),
        key="homes:modes",
    ),
)
def mode(accounts: Accounts, homes: Homes, *, most: str = "0750") -> Verdicts:
    """Others read keys and mails in an open home, and in a writable one they log in as its owner."""
    owners = _owners(accounts)
    judged = [home for home in homes.homes if home.path in owners]
    for home in judged:
        bits = int(home.mode, 8)
        writable = bits & 0o002
        yield expect(
            not bits & 0o777 & ~int(most, 8),
            on=home.path,
            saw=home.mode,
            want=f"{most} or less",
            severity=Severity.HIGH if writable else None,
            values={"mode": home.mode},
        )
    yield from _unseen(homes, owners)
    if not owners:
        yield _nobody()


@check(
    "host.homes.owner",
    title="Every home belongs to its account",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Give homes to their accounts",
        do="Give `@{on}` to @{user}. See first who owned it and what was put into it.",
        verify="stat -c %U @{on}   # its account",
        effort=Effort(setup=0.25, each=0.1),
        undo="Give it back to @{owner}.",
        snippets=(
            Snippet(Language.SHELL, "chown @{user} -- @{on}", "chown @{owner} -- @{on}"),
            Snippet(
                Language.ANSIBLE,
                "- name: Give a home to its account\n"
                "  ansible.builtin.file:\n    path: @{on}\n    owner: @{user}\n    state: directory",
            ),
        ),
        key="homes:owners",
    ),
)
def owner(accounts: Accounts, homes: Homes) -> Verdicts:
    """Who owns the home of another account puts a login key into it and is that account."""
    owners = _owners(accounts)
    for home in homes.homes:
        # Two names of one id own the same files.
        ids = {one.uid for one in owners.get(home.path, ())}
        names = {one.name for one in accounts.accounts if one.uid in ids}
        if names:
            yield expect(
                home.owner in names,
                on=home.path,
                saw=home.owner,
                want=" or ".join(sorted(names)),
                values={"user": owners[home.path][0].name, "owner": home.owner},
            )
    yield from _unseen(homes, owners)
    if not owners:
        yield _nobody()


@check(
    "host.homes.dot-files",
    title="Only their owners write the dot files in homes",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Take write access to dot files away from others",
        do="Take write access to `@{on}` from group and others, and give it to the owner of the home. Read "
        "it first: somebody else may have written into it.",
        verify="stat -c '%a %U' @{on}   # no write access for group and others, the home's owner",
        effort=Effort(setup=0.25, each=0.05),
        undo="Set the former mode and owner: @{saw}.",
        snippets=(
            Snippet(
                Language.SHELL,
                'file=@{on}\nchmod go-w -- "$file" && chown -h @{user} -- "$file"',
                'file=@{on}\nchown -h @{owner} -- "$file" && chmod @{mode} -- "$file"',
            ),
            Snippet(
                Language.ANSIBLE,
                "- name: Take write access to a dot file away from others\n"
                "  ansible.builtin.file:\n    path: @{on}\n    mode: go-w",
            ),
        ),
        key="homes:dot-files",
    ),
)
def dot_files(accounts: Accounts, groups: Groups, homes: Homes) -> Verdicts:
    """A shell runs its start file at every login: who may write to it acts as its owner, root included."""
    owners = {home.path: _names(accounts, home) for home in homes.homes}
    bad = []
    for file in homes.dots:
        bits = int(file.mode, 8)
        open_to_group = bits & 0o020 and not _own_group(accounts, groups, file)
        foreign = file.owner not in (*owners.get(file.path.rpartition("/")[0], ()), "root")
        if bits & 0o002 or open_to_group or foreign:
            bad.append(file)
    for file in bad:
        yield expect(
            False,
            on=file.path,
            saw=f"{file.mode} {file.owner}:{file.group}",
            want="written by the home's owner alone",
            severity=Severity.HIGH if int(file.mode, 8) & 0o002 else None,
            values={
                "mode": file.mode,
                "owner": file.owner,
                "user": (*owners.get(file.path.rpartition("/")[0], ()), "root")[0],
            },
        )
    yield from _unsearched(homes)
    searched = len(homes.homes) - len(homes.unsearched)
    if not bad and searched > 0:
        yield expect(True, on="dot files", saw=f"{searched} homes searched", want="written by owners alone")
    elif not homes.homes and not homes.unseen:
        yield _nobody()


@check(
    "host.homes.forwarding",
    title="No home forwards mail or runs a program for it",
    severity=Severity.LOW,
    fix=Fix(
        action="Remove forward files from homes",
        do="Ask the owner of `@{on}` where the mail goes, and forward it in the mail server's aliases "
        "instead.",
        verify="test -e @{on} || echo gone   # gone",
        effort=Effort(setup=0.25, each=0.1),
        undo="Give the file its name back.",
        snippets=(
            Snippet(
                Language.SHELL,
                'file=@{on}\nmv -n -- "$file" "$file.before"',
                'file=@{on}\nmv -n -- "$file.before" "$file"',
            ),
        ),
    ),
)
def forwarding(homes: Homes) -> Verdicts:
    """A forward file sends a host's mail, alarms included, elsewhere, or gives it to a program."""
    bad = [file.path for file in homes.dots if file.path.endswith("/.forward")]
    for path in bad:
        yield expect(False, on=path, saw="there", want="no such file")
    yield from _unsearched(homes)
    searched = len(homes.homes) - len(homes.unsearched)
    if not bad and searched > 0:
        yield expect(True, on="homes", saw=f"no such file in {searched} homes", want="no such file")
    elif not homes.homes and not homes.unseen:
        yield _nobody()


def _unsearched(homes: Homes) -> Iterator[Verdict]:
    for path in (*homes.unsearched, *homes.unseen):
        yield unknown(path, f"{path} may not be looked into", needs=_NEEDS)
