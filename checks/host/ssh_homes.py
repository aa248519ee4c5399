"""What people keep around SSH in their homes: private keys, and files that let hosts in without a key."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.ssh_keys import PrivateKeys, TrustFiles
from checks.fix import Effort, Fix, Language, Snippet
from checks.host.ssh_options import MANUAL
from checks.model import Exploit, Impact, Severity
from checks.verdict import Verdicts, expect, unknown


@check(
    "host.ssh-homes.trust-files",
    title="No file lets other hosts in without a key",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Remove .rhosts and hosts.equiv",
        do="Look which job still uses @{on}, give it a key of its own, and move the file away.",
        verify="ls @{on}   # No such file or directory",
        effort=Effort(setup=0.25, each=0.1),
        undo="Move the file that the snippet keeps back to @{on}.",
        snippets=(
            Snippet(
                Language.SHELL,
                'file=@{on}\n[ ! -e "$file.removed" ] && mv -- "$file" "$file.removed"',
                'file=@{on}\nmv -- "$file.removed" "$file"',
            ),
            Snippet(
                Language.ANSIBLE,
                "- name: Remove a file that lets other hosts in\n"
                "  ansible.builtin.file:\n    path: @{on}\n    state: absent",
            ),
        ),
    ),
    refs=(f"{MANUAL}IgnoreRhosts",),
)
def trust_files(found: TrustFiles) -> Verdicts:
    """Whoever takes over a host that is named there, or its name, is let in as the user without a secret."""
    for file in found.files:
        yield expect(False, on=file.path, saw="it is there", want="no such file", cite=file.path)
    if not found.files:
        yield expect(True, on=".rhosts, .shosts and hosts.equiv", saw="none", want="none")


@check(
    "host.ssh-homes.private-modes",
    title="Private SSH keys are readable by their owner alone",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Take private SSH keys away from others",
        do="Take all rights of group and others on @{on} away. Who could read it may have a copy: replace "
        "the key where others have accounts on this host.",
        verify="stat -c %a @{on}   # 600 or 400",
        effort=Effort(setup=0.25, each=0.1),
        undo="Set the former mode: `chmod @{mode}`.",
        snippets=(
            Snippet(Language.SHELL, "chmod go-rwx -- @{on}", "chmod @{mode} -- @{on}"),
            Snippet(
                Language.ANSIBLE,
                "- name: Take a private key away from others\n"
                '  ansible.builtin.file:\n    path: @{on}\n    mode: "go-rwx"',
            ),
        ),
    ),
    refs=("https://man.openbsd.org/ssh#FILES",),
)
def private_modes(found: PrivateKeys) -> Verdicts:
    """A private key that others read opens every host that trusts it, and no log shows that it was copied."""
    seen = [key for key in found.keys if key.mode]
    for key in found.keys:
        if not key.mode:
            yield unknown(key.path, "only sudo could read it, and it does not show the mode")
    bad = [key for key in seen if int(key.mode, 8) & 0o077]
    for key in bad:
        yield expect(
            False,
            on=key.path,
            saw=f"{key.mode}, owner {key.owner}",
            want="0600 or tighter",
            values={"mode": key.mode},
            cite=key.path,
        )
    if not bad and (seen or not found.keys):
        yield expect(True, on="private keys", saw=_counted(found), want="0600 or tighter")


@check(
    "host.ssh-homes.passphrases",
    title="A passphrase guards every private SSH key",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Guard private SSH keys with a passphrase",
        do="Have the owner set a passphrase with `ssh-keygen -p -f @{on}`, or take the key off the server: "
        "people log in onwards with their own agent. A job that needs a key without one gets a key that is "
        "good for one command on one host, and is named in the threshold `allowed`. No machine can choose a "
        "passphrase that a person then knows.",
        verify="ssh-keygen -y -P '' -f @{on}   # incorrect passphrase supplied",
        effort=Effort(setup=0.5, each=0.25),
        undo="`ssh-keygen -p` with an empty new passphrase takes it off again.",
    ),
    refs=("https://man.openbsd.org/ssh-keygen",),
)
def passphrases(found: PrivateKeys, *, allowed: frozenset[str] = frozenset()) -> Verdicts:
    """Whoever gets this host, or a backup of it, gets every other host that such a key opens."""
    # The file of a hardware token is worth nothing without the token.
    bad = [key for key in found.keys if not key.encrypted and key.kind != "sk" and key.path not in allowed]
    for key in bad:
        yield expect(
            False,
            on=key.path,
            saw=f"{key.kind or 'a key'} of {key.account}, no passphrase",
            want="a passphrase",
            cite=key.path,
        )
    if not bad:
        yield expect(True, on="private keys", saw=_counted(found), want="a passphrase for each")


def _counted(found: PrivateKeys) -> str:
    where = " (in closed homes only those with default names)" if found.by_name else ""
    return f"{len(found.keys)} looked at{where}" if found.keys else f"none in the .ssh folders{where}"
