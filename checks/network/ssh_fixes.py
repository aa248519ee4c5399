"""What is sound in SSH, and how servers of each make are repaired."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from checks.facts.network.ssh import SshOffer
from checks.fix import Disruption, Effort, Fix, Language, Snippet

SOUND: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "KexAlgorithms": ("curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"),
        "Ciphers": ("chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr"),
        "MACs": ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"),
        "HostKeyAlgorithms": ("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"),
    }
)
"""What to offer where nothing is left of the server's own list."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._+/=-]{0,99}")
_ELSEWHERE = re.compile(r"kex-strict-|ext-info-|kexguess|gss-")
"""Entries of the list of key exchanges that are none, or that have a place of their own in sshd_config."""


def keep(keyword: str, listed: tuple[str, ...], weak: list[str]) -> str:
    """The value of that line of sshd_config: the server's own list without what is weak."""
    good = [n for n in listed if n not in weak and _NAME.fullmatch(n) and not _ELSEWHERE.match(n)]
    return ",".join(good or SOUND[keyword])


def place(keyword: str, server: SshOffer, weak: list[str]) -> str:
    """Where a server of this make has that list, and how these of it go away."""
    banner = server.banner.lower()
    if "dropbear" in banner:
        return (
            "This is Dropbear, whose lists are built in: update it (versions since 2020.79 leave most weak "
            "algorithms out), or build it with those of them switched off in localoptions.h"
        )
    if "openssh" in banner:
        kerberos = any(name.startswith("gss-") for name in weak)
        return (
            f"This is OpenSSH: write the line into a file that sshd reads before any other {keyword} line"
            f"{'; what begins with gss- goes away with GSSAPIKeyExchange no' if kerberos else ''}"
        )
    return "The banner names another server than OpenSSH: look for the same list in its own settings"


def without(keyword: str, what: str) -> Fix:
    """The repair of an offered list: one line with what remains of it."""
    file = f"/etc/ssh/sshd_config.d/10-{keyword.lower()}.conf"
    return Fix(
        action=f"Take weak {what} out of sshd_config",
        do=f"Remove @{{weak}} from the server's list. @{{place}}. The line without them is "
        f"`{keyword} @{{keep}}`.",
        verify=f"ssh -o BatchMode=yes -o {keyword}=@{{weak}} -p @{{port}} @{{target}} true   "
        "# no matching algorithm found",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.NONE,
        undo=f"Remove {file} and reload sshd.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for the OpenSSH server on port @{port}:\n"
                f"test -d /etc/ssh/sshd_config.d && printf '{keyword} %s\\n' @{{keep}} > {file}\n"
                "sshd -t && systemctl reload ssh",
                f"rm {file} && sshd -t && systemctl reload ssh",
            ),
        ),
        key="sshd-algorithms:@{target}:@{on}",
    )


def _logins(action: str, do: str, verify: str, lines: str) -> Fix:
    """A repair by one further file for sshd, about how people log in."""
    file = "/etc/ssh/sshd_config.d/10-logins.conf"
    return Fix(
        action=action,
        do=do,
        verify=verify,
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.NONE,
        undo=f"Remove {file} and reload sshd.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for the OpenSSH server on port @{port}:\n"
                f"printf '{lines}' > {file}\n"
                "sshd -t && systemctl reload ssh",
                f"rm {file} && sshd -t && systemctl reload ssh",
            ),
        ),
        key="sshd-logins:@{target}:@{on}",
    )


NEW_HOST_KEY = Fix(
    action="Replace short SSH host keys",
    do="Make a new host key (`ssh-keygen -t ed25519`), take the short one out of sshd_config, reload "
    "sshd, "
    "and tell the clients the new fingerprint.",
    verify="ssh-keyscan -p @{port} @{target} | ssh-keygen -lf -   # 256 for Ed25519, 3072 or more for RSA",
    effort=Effort(setup=0.5, each=0.25),
    disruption=Disruption.NONE,
    undo="Put the old key back and reload sshd.",
    snippets=(
        Snippet(
            Language.SHELL,
            "# On @{target}, for the sshd on port @{port}:\n"
            "mv /etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_rsa_key.before\n"
            "mv /etc/ssh/ssh_host_rsa_key.pub /etc/ssh/ssh_host_rsa_key.pub.before\n"
            "ssh-keygen -A && sshd -t && systemctl reload ssh",
            "mv /etc/ssh/ssh_host_rsa_key.before /etc/ssh/ssh_host_rsa_key\n"
            "mv /etc/ssh/ssh_host_rsa_key.pub.before /etc/ssh/ssh_host_rsa_key.pub\n"
            "sshd -t && systemctl reload ssh",
        ),
    ),
    key="sshd-hostkey:@{target}:@{on}",
)

VERSION_2 = Fix(
    action="Update servers that still speak SSH 1",
    do="Update the SSH server; set `Protocol 2` where it still knows that line.",
    verify="ssh-keyscan -p @{port} @{target} 2>&1 | grep -c SSH-1   # 0",
    effort=Effort(setup=1.0, each=1.0),
    disruption=Disruption.RESTART,
    undo="Install the former version again.",
    snippets=(
        Snippet(
            Language.SHELL,
            "# On @{target}, for the sshd on port @{port}, where the version still knows the line:\n"
            "cp -p /etc/ssh/sshd_config /etc/ssh/sshd_config.before\n"
            "sed -i -E 's/^#?Protocol .*/Protocol 2/' /etc/ssh/sshd_config\n"
            "sshd -t && systemctl reload ssh",
            "mv /etc/ssh/sshd_config.before /etc/ssh/sshd_config && systemctl reload ssh",
        ),
    ),
    key="sshd-version:@{target}:@{on}",
)

STRICT = Fix(
    action="Update OpenSSH to a version with strict key exchange",
    do="Update the SSH server (OpenSSH 9.6, or a distribution's repaired build). Until then take "
    "`chacha20-poly1305@openssh.com` and the CBC ciphers out of its list.",
    verify="ssh -vv -o BatchMode=yes -p @{port} @{target} true 2>&1 | grep -c kex-strict-s   # 1",
    effort=Effort(setup=0.5, each=0.25),
    disruption=Disruption.RESTART,
    undo="Install the former version again.",
    snippets=(
        Snippet(
            Language.SHELL,
            "# On @{target}, for the sshd on port @{port}:\n"
            "apt-get update && apt-get install --only-upgrade openssh-server && sshd -t",
            "apt-get install openssh-server=PREVIOUS_VERSION",
        ),
    ),
    key="sshd-version:@{target}:@{on}",
)

KEYS_ONLY = _logins(
    "Let people in by key only",
    "Give everybody a key, see that each can log in with it, then set `PasswordAuthentication no` and "
    "`KbdInteractiveAuthentication no` and reload sshd. Dropbear has the option `-s` for it.",
    "ssh -o BatchMode=yes -o PubkeyAuthentication=no -p @{port} nobody@@{target} true 2>&1 "
    "| grep -c password   # 0",
    "PasswordAuthentication no\\nKbdInteractiveAuthentication no\\n",
)

NO_OPEN_DOOR = _logins(
    "Ask everybody who comes over SSH for a proof",
    "Take the server off the network. Then turn off what lets people in without a proof: empty passwords, "
    "the method none, or a setting for a lab.",
    "ssh -o BatchMode=yes -o PreferredAuthentications=none -p @{port} bartizan@@{target} true   "
    "# Permission denied",
    "PermitEmptyPasswords no\\nAuthenticationMethods publickey\\n",
)

LONG_GROUPS = Fix(
    action="Drop the short groups of Diffie-Hellman",
    do="Remove the groups below 3072 bits from /etc/ssh/moduli and restart sshd, or take "
    "diffie-hellman-group-exchange out of KexAlgorithms.",
    verify="ssh -vv -o BatchMode=yes -o KexAlgorithms=diffie-hellman-group-exchange-sha256 -p @{port} "
    "@{target} true 2>&1 | grep 'bits set'   # 3072 and more",
    effort=Effort(setup=0.25, each=0.1),
    disruption=Disruption.NONE,
    undo="Put /etc/ssh/moduli.before back.",
    snippets=(
        Snippet(
            Language.SHELL,
            "# On @{target}, for the OpenSSH server on port @{port}:\n"
            "cp -p /etc/ssh/moduli /etc/ssh/moduli.before\n"
            "awk '$5 >= 3071' /etc/ssh/moduli.before > /etc/ssh/moduli\n"
            "systemctl reload ssh",
            "mv /etc/ssh/moduli.before /etc/ssh/moduli && systemctl reload ssh",
        ),
    ),
    key="sshd-moduli:@{target}:@{on}",
)

QUANTUM_SAFE = Fix(
    action="Offer a key exchange that quantum computers do not break",
    do="Update the SSH server: OpenSSH has sntrup761x25519-sha512 since 8.5 and mlkem768x25519-sha256 since "
    "9.9; put them first in KexAlgorithms where that line is set.",
    verify="ssh -vv -o BatchMode=yes -p @{port} @{target} true 2>&1 | grep -cE 'sntrup761|mlkem768'   "
    "# 1 or more",
    effort=Effort(setup=0.5, each=0.25),
    disruption=Disruption.RESTART,
    undo="Install the former version again.",
    snippets=(
        Snippet(
            Language.SHELL,
            "# On @{target}, for the sshd on port @{port}:\n"
            "apt-get update && apt-get install --only-upgrade openssh-server && sshd -t",
            "apt-get install openssh-server=PREVIOUS_VERSION",
        ),
    ),
    key="sshd-version:@{target}:@{on}",
)
