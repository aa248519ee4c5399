"""What SSH servers offer to everybody who connects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter

from checks.check import check
from checks.facts.network.ssh import SshGroups, SshHostKeys, SshLogins, SshOffer, SshOffers
from checks.model import Exploit, Impact, Severity, Surface
from checks.network.ssh_fixes import (
    KEYS_ONLY,
    LONG_GROUPS,
    NEW_HOST_KEY,
    NO_OPEN_DOOR,
    QUANTUM_SAFE,
    STRICT,
    VERSION_2,
    keep,
    place,
    without,
)
from checks.network.ssh_weak import (
    AGED_CIPHERS,
    AGED_HOST_KEYS,
    AGED_KEX,
    WEAK_CIPHERS,
    WEAK_HOST_KEYS,
    WEAK_KEX,
    WEAK_MACS,
    is_one_of,
)
from checks.verdict import Verdict, Verdicts, expect, unknown

_QUANTUM_SAFE = ("sntrup761", "mlkem")


def _offers(
    servers: Iterable[SshOffer],
    keyword: str,
    listed: Callable[[SshOffer], tuple[str, ...]],
    weak: frozenset[str],
    aged: frozenset[str] = frozenset(),
) -> Iterable[Verdict]:
    """One verdict per server; where all that is weak is merely `aged`, it weighs less."""
    for server in servers:
        names = listed(server)
        if not names:
            yield _told_none(server)
            continue
        # The gss- methods end in a hash of the mechanism, so their names are compared by their start.
        found = [name for name in names if is_one_of(name, weak)]
        yield expect(
            not found,
            on=server.port,
            saw=found or "none of the weak ones",
            want="none of the weak ones",
            port=server.port,
            values={
                "weak": ",".join(found),
                "keep": keep(keyword, names, found),
                "place": place(keyword, server, found),
            },
            cite=found[0] if found else "",
            severity=Severity.MEDIUM if found and all(is_one_of(name, aged) for name in found) else None,
        )


def _told_none(server: SshOffer) -> Verdict:
    reason = f"the server told no such list ({server.banner})"
    return unknown(server.port, reason, needs="an SSH server of version 2", port=server.port)


@check(
    "network.ssh.key-exchange",
    title="SSH servers offer no weak key exchange",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=without("KexAlgorithms", "key exchanges"),
    refs=("https://www.rfc-editor.org/rfc/rfc9142",),
)
def key_exchange(found: SshOffers, *, weak: frozenset[str] = WEAK_KEX) -> Verdicts:
    """Recorded sessions with a weak key exchange can be read later; some can be talked down today."""
    yield from _offers(found.servers, "KexAlgorithms", lambda server: server.kex, weak, AGED_KEX)


@check(
    "network.ssh.ciphers",
    title="SSH servers offer no weak cipher",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=without("Ciphers", "ciphers"),
)
def ciphers(found: SshOffers, *, weak: frozenset[str] = WEAK_CIPHERS) -> Verdicts:
    """CBC modes leak parts of what was typed, and RC4 and DES are broken."""
    yield from _offers(found.servers, "Ciphers", lambda server: server.ciphers, weak, AGED_CIPHERS)


@check(
    "network.ssh.macs",
    title="SSH servers offer no weak integrity check",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=without("MACs", "MACs"),
)
def macs(found: SshOffers, *, weak: frozenset[str] = WEAK_MACS) -> Verdicts:
    """MACs over MD5 or cut to 96 bits are the weakest part of a session's protection."""
    yield from _offers(found.servers, "MACs", lambda server: server.macs, weak)


@check(
    "network.ssh.host-key-algorithms",
    title="SSH servers prove themselves without SHA-1 or DSA",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=without("HostKeyAlgorithms", "host key algorithms"),
)
def host_key_algorithms(found: SshOffers, *, weak: frozenset[str] = WEAK_HOST_KEYS) -> Verdicts:
    """With a forged SHA-1 signature or a broken DSA key an attacker can be the server."""
    listed = attrgetter("host_keys")
    yield from _offers(found.servers, "HostKeyAlgorithms", listed, weak, AGED_HOST_KEYS)


@check(
    "network.ssh.host-key-size",
    title="SSH host keys are of a sound size",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=NEW_HOST_KEY,
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
    fix=VERSION_2,
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
    fix=STRICT,
    refs=("https://nvd.nist.gov/vuln/detail/CVE-2023-48795",),
)
def strict_key_exchange(found: SshOffers) -> Verdicts:
    """CVE-2023-48795: an attacker on the path drops messages unseen and turns protections off."""
    for server in found.servers:
        if not server.ciphers:
            yield _told_none(server)
            continue
        cbc = any("-cbc" in name for name in server.ciphers)
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


@check(
    "network.ssh.group-size",
    title="SSH servers choose Diffie-Hellman groups of a sound size",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=LONG_GROUPS,
    refs=("https://www.rfc-editor.org/rfc/rfc8270",),
)
def group_size(found: SshGroups, *, bits: int = 2048) -> Verdicts:
    """Groups of 1024 bits can be broken in advance; then all sessions that used them can be read."""
    for server in found.servers:
        yield expect(
            server.bits >= bits,
            on=server.port,
            saw=f"{server.bits} bits",
            want=f"{bits} bits or more",
            port=server.port,
        )


@check(
    "network.ssh.password-auth",
    title="SSH servers let people in by key only",
    severity=Severity.MEDIUM,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=KEYS_ONLY,
    refs=("https://www.rfc-editor.org/rfc/rfc4252",),
)
def password_auth(
    found: SshLogins, *, forbidden: frozenset[str] = frozenset({"password", "keyboard-interactive"})
) -> Verdicts:
    """Where passwords are taken they are guessed, day and night, by machines; a key cannot be guessed."""
    for server in found.servers:
        if not server.opened and not server.methods:
            reason = "the server refused to say which ways to log in it has"
            yield unknown(server.port, reason, needs=f"the settings of {server.port}", port=server.port)
            continue
        yield expect(
            not server.opened and not forbidden & set(server.methods),
            on=server.port,
            saw="let in without any proof" if server.opened else server.methods,
            want="publickey",
            port=server.port,
        )


@check(
    "network.ssh.login-required",
    title="SSH servers let nobody in without a proof",
    severity=Severity.CRITICAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    fix=NO_OPEN_DOOR,
)
def login_required(found: SshLogins) -> Verdicts:
    """A server that answers the method none with a session gives a shell to whoever connects."""
    for server in found.servers:
        yield expect(
            not server.opened,
            on=server.port,
            saw="let in without any proof"
            if server.opened
            else f"asks for {', '.join(server.methods) or 'what it does not tell'}",
            want="a refusal, and the methods that are there",
            port=server.port,
        )


@check(
    "network.ssh.quantum-safe-kex",
    title="SSH servers offer a key exchange that quantum computers do not break",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=QUANTUM_SAFE,
    refs=("https://www.openssh.com/pq.html",),
)
def quantum_safe_kex(found: SshOffers) -> Verdicts:
    """Sessions that are recorded today may be read in years in which such computers exist."""
    for server in found.servers:
        if not server.kex:
            yield _told_none(server)
            continue
        yield expect(
            any(part in name for name in server.kex for part in _QUANTUM_SAFE),
            on=server.port,
            saw=server.kex,
            want="one with sntrup761 or mlkem among them",
            port=server.port,
            cite="kex",
        )
