"""What SSH servers offer to everybody who connects."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from checks.check import check
from checks.facts.network.ssh import SshHostKeys, SshOffer, SshOffers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect

WEAK_KEX = frozenset(
    {
        "diffie-hellman-group1-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group-exchange-sha1",
        "gss-group1-sha1-",
        "gss-group14-sha1-",
        "gss-gex-sha1-",
        "rsa1024-sha1",
    }
)
"""Key exchanges over SHA-1 or over groups that are too small (RFC 9142)."""

WEAK_CIPHERS = frozenset(
    {
        "3des-cbc",
        "aes128-cbc",
        "aes192-cbc",
        "aes256-cbc",
        "arcfour",
        "arcfour128",
        "arcfour256",
        "blowfish-cbc",
        "cast128-cbc",
        "des-cbc",
        "none",
        "rijndael-cbc@lysator.liu.se",
    }
)
WEAK_MACS = frozenset(
    {
        "hmac-md5",
        "hmac-md5-96",
        "hmac-md5-96-etm@openssh.com",
        "hmac-md5-etm@openssh.com",
        "hmac-ripemd160",
        "hmac-ripemd160@openssh.com",
        "hmac-ripemd160-etm@openssh.com",
        "hmac-sha1-96",
        "hmac-sha1-96-etm@openssh.com",
        "none",
    }
)
WEAK_HOST_KEYS = frozenset(
    {"ssh-dss", "ssh-rsa", "ssh-dss-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com"}
)


def _without(keyword: str, what: str) -> Fix:
    """The repair of an offered list: one file that takes the weak ones out of it."""
    file = f"/etc/ssh/sshd_config.d/10-{keyword.lower()}.conf"
    return Fix(
        action=f"Take weak {what} out of sshd_config",
        do=f"Remove @{{weak}} from the server's list: `{keyword} -@{{weak}}` before any other `{keyword}` "
        f"line, "
        "then reload sshd. Another server than OpenSSH has a place of its own for it; Dropbear's list is "
        "built in, so it has to be updated or replaced.",
        verify=f"ssh -o BatchMode=yes -o {keyword}=@{{weak}} -p @{{port}} @{{target}} true   "
        "# no matching algorithm found",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.NONE,
        undo=f"Remove {file} and reload sshd.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for the sshd on port @{port}:\n"
                f"printf '{keyword} -%s\\n' @{{weak}} > {file}\n"
                "sshd -t && systemctl reload ssh",
                f"rm {file} && sshd -t && systemctl reload ssh",
            ),
        ),
        key="sshd-algorithms:@{target}:@{on}",
    )


def _offers(
    servers: Iterable[SshOffer], listed: Callable[[SshOffer], tuple[str, ...]], weak: frozenset[str]
) -> Iterable[Verdict]:
    for server in servers:
        # The gss- methods end in a hash of the mechanism, so their names are compared by their start.
        found = [n for n in listed(server) if any(n == w or (w[-1] == "-" and n.startswith(w)) for w in weak)]
        yield expect(
            not found,
            on=server.port,
            saw=found or "none of the weak ones",
            want="none of the weak ones",
            port=server.port,
            values={"weak": ",".join(found)},
            cite=found[0] if found else "",
        )


@check(
    "network.ssh.key-exchange",
    title="SSH servers offer no weak key exchange",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_without("KexAlgorithms", "key exchanges"),
    refs=("https://www.rfc-editor.org/rfc/rfc9142",),
)
def key_exchange(found: SshOffers, *, weak: frozenset[str] = WEAK_KEX) -> Verdicts:
    """Recorded sessions with a weak key exchange can be read later; some can be talked down today."""
    yield from _offers(found.servers, lambda server: server.kex, weak)


@check(
    "network.ssh.ciphers",
    title="SSH servers offer no weak cipher",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_without("Ciphers", "ciphers"),
)
def ciphers(found: SshOffers, *, weak: frozenset[str] = WEAK_CIPHERS) -> Verdicts:
    """CBC modes leak parts of what was typed, and RC4 and DES are broken."""
    yield from _offers(found.servers, lambda server: server.ciphers, weak)


@check(
    "network.ssh.macs",
    title="SSH servers offer no weak integrity check",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_without("MACs", "MACs"),
)
def macs(found: SshOffers, *, weak: frozenset[str] = WEAK_MACS) -> Verdicts:
    """MACs over MD5 or cut to 96 bits are the weakest part of a session's protection."""
    yield from _offers(found.servers, lambda server: server.macs, weak)


@check(
    "network.ssh.host-key-algorithms",
    title="SSH servers prove themselves without SHA-1 or DSA",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_without("HostKeyAlgorithms", "host key algorithms"),
)
def host_key_algorithms(found: SshOffers, *, weak: frozenset[str] = WEAK_HOST_KEYS) -> Verdicts:
    """With a forged SHA-1 signature or a broken DSA key an attacker can be the server."""
    yield from _offers(found.servers, lambda server: server.host_keys, weak)


@check(
    "network.ssh.host-key-size",
    title="SSH host keys are of a sound size",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Replace short SSH host keys",
        do="Make a new host key (`ssh-keygen -t ed25519`), take the short one out of sshd_config, reload "
        "sshd, "
        "and tell the clients the new fingerprint.",
        verify="ssh-keyscan -p @{port} @{target} | ssh-keygen -lf -   # 256 for Ed25519, 3072 or more for "
        "RSA",
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
    ),
)
def host_key_size(found: SshHostKeys, *, rsa_bits: int = 2048) -> Verdicts:
    """A host key that can be computed lets an attacker pose as the server to every administrator."""
    for port in dict.fromkeys(key.port for key in found.keys):
        keys = [key for key in found.keys if key.port == port]
        yield expect(
            all("rsa" not in key.algorithm or key.bits >= rsa_bits for key in keys),
            on=port,
            saw=", ".join(f"{key.algorithm} {key.bits}" for key in keys),
            want=f"Ed25519, ECDSA, or RSA of {rsa_bits} bits",
            port=port,
        )


@check(
    "network.ssh.protocol",
    title="SSH servers speak version 2 only",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.POC,
    surface=Surface.SERVICE,
    fix=Fix(
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
    ),
)
def protocol(found: SshOffers) -> Verdicts:
    """Version 1 of SSH can be read and altered by whoever sits on the path."""
    for server in found.servers:
        yield expect(
            server.banner.startswith("SSH-2.0-"),
            on=server.port,
            saw=server.banner,
            want="a banner that begins with SSH-2.0",
            port=server.port,
        )


@check(
    "network.ssh.strict-key-exchange",
    title="SSH servers resist the removal of messages (Terrapin)",
    severity=Severity.MEDIUM,
    exploit=Exploit.POC,
    surface=Surface.SERVICE,
    fix=Fix(
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
    ),
    refs=("https://nvd.nist.gov/vuln/detail/CVE-2023-48795",),
)
def strict_key_exchange(found: SshOffers) -> Verdicts:
    """CVE-2023-48795: an attacker on the path drops messages unseen and turns protections off."""
    for server in found.servers:
        cbc = any(name.endswith("-cbc") for name in server.ciphers)
        etm = any(name.endswith("-etm@openssh.com") for name in server.macs)
        exposed = "chacha20-poly1305@openssh.com" in server.ciphers or (cbc and etm)
        yield expect(
            server.strict or not exposed,
            on=server.port,
            saw=_terrapin(server.strict, exposed),
            want="a strict key exchange, or none of the ciphers that need it",
            port=server.port,
            cite="kex",
        )


def _terrapin(strict: bool, exposed: bool) -> str:
    if strict:
        return "a strict key exchange"
    return "ciphers that need a strict key exchange, without it" if exposed else "no cipher that needs it"
