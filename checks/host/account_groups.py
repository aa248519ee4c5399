"""Groups of a host: who is in those that give away the machine, and whether they fit the accounts."""

from __future__ import annotations

from collections import defaultdict

from checks.check import check
from checks.facts.host.accounts import Accounts, Groups
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity
from checks.verdict import Verdicts, expect, not_applicable

_LIKE_ROOT = frozenset({"docker", "lxd", "incus-admin", "libvirt", "disk", "kmem"})
_LEAVE = Snippet(
    Language.SHELL,
    'user=@{user}\ngroup=@{group}\ngpasswd -d "$user" "$group" 2>/dev/null || delgroup "$user" "$group"',
    'user=@{user}\ngroup=@{group}\ngpasswd -a "$user" "$group" 2>/dev/null || addgroup "$user" "$group"',
)


@check(
    "host.account-groups.like-root",
    title="Nobody is root by a group",
    severity=Severity.HIGH,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Take people out of the groups that make them root",
        do="Ask whether `@{user}` is meant to be root. If not, take the account out of `@{group}`; if so, "
        "give it a sudo rule instead, which is logged and asks for a password. Rootless containers need "
        "no group.",
        verify="id -nG -- @{user}   # not the group",
        effort=Effort(setup=0.5, each=0.25),
        undo="Put the account back into the group with `gpasswd -a`.",
        snippets=(_LEAVE,),
    ),
    refs=("https://docs.docker.com/engine/security/#docker-daemon-attack-surface",),
)
def like_root(
    accounts: Accounts,
    groups: Groups,
    *,
    powerful: frozenset[str] = _LIKE_ROOT,
    allowed: frozenset[str] = frozenset(),
) -> Verdicts:
    """Who starts containers or reads raw disks owns the machine, past sudo, its rules and its log."""
    there = [group for group in groups.groups if group.name in powerful]
    fine = True
    for group in there:
        primary = {one.name for one in accounts.accounts if one.gid == group.gid}
        for name in sorted((set(group.members) | primary) - allowed - {"root", group.name}):
            fine = False
            yield expect(
                False,
                on=f"{name} in {group.name}",
                saw=f"{name} is a member of {group.name}",
                want="no member",
                values={"user": name, "group": group.name},
                cite=f"\t{group.name}\t",
            )
    if fine:
        names = ", ".join(group.name for group in there) or "none of these groups is there"
        yield expect(True, on="groups like root", saw=f"no member: {names}", want="no member")


@check(
    "host.account-groups.shadow",
    title="The group of the password hashes has no members",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Empty the group shadow",
        do="Take `@{user}` out of the group shadow, and change the passwords of the host: they could be "
        "read.",
        verify="getent group shadow   # nothing after the last colon",
        effort=Effort(setup=0.25, each=0.25),
        undo="`gpasswd -a` puts the account back.",
        snippets=(_LEAVE,),
    ),
)
def shadow(accounts: Accounts, groups: Groups) -> Verdicts:
    """Members of the group shadow read every password hash of the host and guess them at leisure."""
    found = next((group for group in groups.groups if group.name == "shadow"), None)
    if found is None:
        yield not_applicable("shadow", "the host has no group shadow")
        return
    primary = {one.name for one in accounts.accounts if one.gid == found.gid}
    members = sorted((set(found.members) | primary) - {"root"})
    for name in members:
        yield expect(
            False,
            on=name,
            saw="a member of shadow",
            want="no member",
            values={"user": name, "group": "shadow"},
            cite="\tshadow\t",
        )
    if not members:
        yield expect(True, on="shadow", saw="no member", want="no member")


@check(
    "host.account-groups.own-ids",
    title="Every group has a group id and a name of its own",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Give every group an id of its own",
        do="Give all but one of the groups that share @{on} an id of their own, and their files to them. "
        "Which group the files are meant for only their owner can say, so no command does it.",
        verify="cut -d: -f3 /etc/group | sort | uniq -d; cut -d: -f1 /etc/group | sort | uniq -d   # nothing",
        effort=Effort(setup=0.5, each=0.5),
        undo="Set the former id with `groupmod -g`.",
    ),
)
def own_ids(found: Groups) -> Verdicts:
    """Groups with one id share their files and rights, also with those who were only put into the other."""
    by_id: dict[int, set[str]] = defaultdict(set)
    names: dict[str, int] = defaultdict(int)
    for group in found.groups:
        by_id[group.gid].add(group.name)
        names[group.name] += 1
    shared = {gid: who for gid, who in by_id.items() if len(who) > 1}
    twice = [name for name, count in names.items() if count > 1]
    for gid, who in shared.items():
        yield expect(False, on=f"group id {gid}", saw=who, want="one group", cite=f"\t{gid}\t")
    for name in twice:
        yield expect(False, on=f"the name {name}", saw=f"{names[name]} lines", want="one line", cite=name)
    if not shared and not twice:
        yield expect(True, on="group ids", saw=f"{len(by_id)}, all different", want="all different")


@check(
    "host.account-groups.primary",
    title="The primary group of every account exists",
    severity=Severity.LOW,
    fix=Fix(
        action="Give accounts a primary group that exists",
        do="Make the group @{gid}, or give `@{on}` one that exists; see what files the missing group owns.",
        verify="getent group @{gid}   # one line",
        effort=Effort(setup=0.25, each=0.1),
        undo="`groupdel` takes the group away again.",
        snippets=(
            Snippet(
                Language.SHELL,
                "user=@{on}\ngid=@{gid}\n"
                'getent group "$user" >/dev/null && name="group-$gid" || name=$user\n'
                'groupadd -g "$gid" -- "$name"',
                'gid=@{gid}\ngroupdel -f -- "$(getent group "$gid" | cut -d: -f1)"',
            ),
        ),
        key="primary-group:@{gid}",
    ),
)
def primary(accounts: Accounts, groups: Groups) -> Verdicts:
    """A group id without a group falls to whoever is given that id next, with all its files."""
    known = {group.gid for group in groups.groups}
    lost = [one for one in accounts.accounts if one.gid not in known]
    for one in lost:
        yield expect(
            False,
            on=one.name,
            saw=f"group id {one.gid}, which no group has",
            want="a group that exists",
            values={"gid": str(one.gid)},
            cite=f"\t{one.name}\t",
        )
    if not lost:
        yield expect(True, on="primary groups", saw="all exist", want="all exist")
