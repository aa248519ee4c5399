"""Accounts, keys and rights across all hosts of a scan."""

from __future__ import annotations

from collections import defaultdict

from checks.check import check
from checks.facts.host.fleet import FleetAccounts, FleetHostKeys, FleetKeys, FleetSudo
from checks.facts.host.ssh_keys import AuthorizedKeys
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.ssh_options import RELOAD
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_ALONE = "this is the only host of the scan of which that is known: nothing to compare with"


@check(
    "host.fleet.key-reuse",
    title="A login key opens few hosts and accounts",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Split up the SSH key @{label}, which opens @{count}",
        do="Give every person, and every job, a key of their own, and every job only the hosts that it works "
        "on; then take @{label} out of every authorized_keys. Who uses it is for people to say: it opens "
        "@{places}.",
        verify="ssh-keygen -lf ~@{account}/.ssh/authorized_keys | grep -c @{fingerprint}   # 0",
        effort=Effort(setup=1, each=0.1),
        undo="Put the key back into the files.",
        key="ssh-key:@{fingerprint}",
    ),
)
def key_reuse(
    found: FleetKeys, *, max_hosts: int = 5, max_names: int = 2, known: frozenset[str] = frozenset()
) -> Verdicts:
    """Whoever gets hold of one such key, from one laptop or one backup, is in on all these hosts at once."""
    bad = [
        key
        for key in found.keys
        if (key.hosts > max_hosts or len(key.names) > max_names)
        and not {key.fingerprint, key.comment} & known
    ]
    want = f"at most {max_hosts} hosts and {max_names} names of accounts"
    for key in bad:
        label = f"{key.fingerprint} ({key.comment})" if key.comment else key.fingerprint
        opens = f"{key.hosts} hosts as {', '.join(key.names)}"
        yield expect(
            False,
            on=label,
            saw=opens,
            want=want,
            values={
                "label": label,
                "count": opens,
                "fingerprint": key.fingerprint,
                "places": ", ".join(key.places) or "this host",
                "account": key.accounts_here[0],
            },
            cite=key.fingerprint,
        )
    if found.hosts < 2:
        yield unknown("login keys on other hosts", _ALONE, needs="a scan of more than one host")
    elif not bad:
        yield expect(
            True, on="login keys", saw=f"none of {len(found.keys)} on more, of {found.hosts} hosts", want=want
        )


@check(
    "host.fleet.shared-host-key",
    title="Every host has host keys of its own",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    surface=Surface.DATA,
    fix=Fix(
        action="Give the hosts that share the host key @{fingerprint} keys of their own",
        do="Make a new key in the place of @{path} on every host that has it, and in the image that they "
        "were made from; then reload sshd. Tell people the new fingerprints: their clients will warn once.",
        verify="ssh-keygen -lf @{path}.pub   # another fingerprint than @{fingerprint}",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.NONE,
        undo="Put the key that the snippet keeps beside it back in its place, and reload sshd.",
        key="host-key:@{fingerprint}",
        snippets=(
            Snippet(
                Language.SHELL,
                f"config=/etc/ssh/sshd_config\nkey=@{{path}}\nkind=@{{kind}}\n{RELOAD}"
                '[ ! -e "$key.shared" ] || { echo "$key.shared is in the way" >&2; exit 1; }\n'
                'mv "$key" "$key.shared" && mv "$key.pub" "$key.pub.shared" &&\n'
                '  ssh-keygen -q -t "$kind" -N \'\' -f "$key" && sshd -t && reload',
                f"config=/etc/ssh/sshd_config\nkey=@{{path}}\n{RELOAD}"
                'mv "$key.shared" "$key" && mv "$key.pub.shared" "$key.pub" && sshd -t && reload',
            ),
        ),
    ),
)
def shared_host_key(found: FleetHostKeys) -> Verdicts:
    """Whoever takes one of these hosts over can be each of the others for every client, without a warning."""
    for key in found.shared:
        yield expect(
            False,
            on=key.fingerprint,
            saw=f"{key.path}, also of {', '.join(key.others)}",
            want="of this host alone",
            values={"path": key.path, "fingerprint": key.fingerprint, "kind": key.kind},
            cite=key.fingerprint,
        )
    if found.hosts < 2:
        yield unknown("host keys of other hosts", _ALONE, needs="a scan of more than one host")
    elif not found.shared:
        yield expect(
            True, on="host keys", saw=f"shared with none of {found.hosts} hosts", want="shared with none"
        )


@check(
    "host.fleet.shared-accounts",
    title="One person stands behind each account",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Give everybody behind the account @{account} one of their own",
        do="Make an account for each of those whose keys open @{account} (@{people}), with the right to what "
        "they need through sudo, and take their keys out of the shared one. Who they are, people must say.",
        verify="ssh-keygen -lf ~@{account}/.ssh/authorized_keys   # one key, or those of one person",
        effort=Effort(setup=1, each=0.25),
        undo="Put the keys back into the file of @{account}.",
        key="shared-account:@{account}",
    ),
)
def shared_accounts(found: AuthorizedKeys, *, max_people: int = 3) -> Verdicts:
    """In an account that several people open no log tells who did it, and one key too many is not noticed."""
    people: dict[str, set[str]] = defaultdict(set)
    for key in found.keys:
        # A key for one command is for a job.
        if "command=" not in key.options and "cert-authority" not in key.options:
            people[key.account].add(key.comment or key.fingerprint)
    bad = {account: who for account, who in people.items() if len(who) > max_people}
    for account, who in bad.items():
        yield expect(
            False,
            on=account,
            saw=f"keys of {len(who)}: {', '.join(sorted(who)[:10])}",
            want=f"at most {max_people}",
            values={"account": account, "people": ", ".join(sorted(who)[:10])},
            cite=account,
        )
    if not bad:
        yield expect(
            True, on="accounts", saw=f"{len(people)} opened by keys", want=f"at most {max_people} each"
        )


@check(
    "host.fleet.passwordless-root",
    title="Nobody is root without a password on many hosts",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Take root without a password away from @{who}, on @{count} hosts",
        do="Make sudo ask @{who} for a password, or give the job behind it a rule for its own commands on "
        "each host. What it needs is for people to say: @{places}.",
        verify="sudo -l -U @{who}   # no (ALL) NOPASSWD: ALL",
        effort=Effort(setup=1, each=0.1),
        undo="Put the former rule back with `visudo`.",
        key="sudo-free:@{who}",
    ),
)
def passwordless_root(
    found: FleetSudo, *, max_hosts: int = 1, allowed: frozenset[str] = frozenset()
) -> Verdicts:
    """One stolen session of such an account is root on all of these hosts, with nothing left to guess."""
    bad = [one for one in found.free if one.hosts > max_hosts and one.who not in allowed]
    for one in bad:
        yield expect(
            False,
            on=one.who,
            saw=f"on {one.hosts} of {found.hosts} hosts",
            want=f"on at most {max_hosts}",
            values={"who": one.who, "count": str(one.hosts), "places": ", ".join(one.places)},
            cite=one.who,
        )
    if found.hosts < 2:
        yield unknown("sudo on other hosts", _ALONE, needs="a scan of more than one host")
    elif not bad:
        yield expect(
            True, on="sudo", saw=f"nobody on more, of {found.hosts} hosts", want=f"on at most {max_hosts}"
        )


@check(
    "host.fleet.user-ids",
    title="An account has the same user id on every host",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Give the account @{on} one user id on all hosts",
        do="Choose one id for @{on}, set it with `usermod -u` where it differs, and give files outside of "
        "the home to it with `find / -xdev -uid OLD -exec chown -h NEW {} +`. Which id stays, people have to "
        "say.",
        verify="id -u @{on}   # the same number on every host",
        effort=Effort(setup=0.5, each=0.25),
        undo="Set the former id with `usermod -u`.",
        key="user-id:@{on}",
    ),
)
def user_ids(found: FleetAccounts) -> Verdicts:
    """On shared disks and in backups the number counts: one person's files then belong to somebody else."""
    for one in found.differing:
        yield expect(
            False,
            on=one.name,
            saw=f"{one.uid}; {', '.join(map(str, one.others))} on {one.hosts} others such as {one.example}",
            want="one user id",
            cite=one.name,
        )
    if found.hosts < 2:
        yield unknown("accounts of other hosts", _ALONE, needs="a scan of more than one host")
    elif not found.differing:
        yield expect(True, on="user ids", saw=f"alike on {found.hosts} hosts", want="one user id")
