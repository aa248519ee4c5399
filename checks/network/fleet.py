"""Keys and ways in of one address, set beside all other addresses of the scan."""

from __future__ import annotations

from collections.abc import Iterable

from checks.check import check
from checks.facts.network.fleet import Families, Sameness, SharedHostKeys, SharedKey, SharedTlsKeys
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, unknown

_ALONE = "no other address of the scan showed such a key: nothing to compare with"


def _keys(keys: Iterable[SharedKey], own: int, compared: int, what: str) -> Iterable[Verdict]:
    """A failure for each key that another machine has; unknown where it may be the same machine."""
    bad = False
    for one in keys:
        more = one.count - len(one.others)
        places = ", ".join(one.others) + (f" and {more} more" if more else "")
        values = {"fingerprint": one.fingerprint, "places": places}
        if one.same is Sameness.OPEN:
            bad = True
            reason = f"{places} showed the same key, and may be the same machine"
            yield unknown(one.fingerprint, reason, needs="a look at the machines over SSH", port=one.port)
        elif one.same is Sameness.TWO:
            bad = True
            yield expect(
                False,
                on=one.fingerprint,
                saw=f"also on {places}",
                want="on one machine only",
                port=one.port,
                confidence=Confidence.LIKELY,
                values=values,
            )
    if not bad and compared < 2:
        yield (
            unknown(what, _ALONE, needs="a scan of more than one machine")
            if own
            else expect(True, on=what, saw="none is shown", want="on one machine only")
        )
    elif not bad:
        yield expect(True, on=what, saw=f"{own}, of {compared} addresses", want="on one machine only")


@check(
    "network.fleet.shared-host-key",
    title="Every SSH server has host keys of its own",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Give the machines that share the host key @{fingerprint} keys of their own",
        do="Make new host keys on each of them and in the image that they were made from; @{places} have "
        "this one too. Tell people the new fingerprints: their clients will warn once.",
        verify="ssh-keyscan -p @{port} @{target} | ssh-keygen -lf -   # another key than @{fingerprint}",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.NONE,
        undo="Put the keys that the snippet keeps back in their place, and reload sshd.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}:\ncd /etc/ssh && mkdir -m 700 shared && mv ssh_host_*_key* shared/ &&\n"
                "ssh-keygen -A && sshd -t && systemctl reload ssh",
                "# On @{target}:\ncd /etc/ssh && mv shared/* . && rmdir shared && systemctl reload ssh",
            ),
        ),
        key="host-key:@{fingerprint}",
    ),
)
def shared_host_key(found: SharedHostKeys) -> Verdicts:
    """Whoever is in on one machine can pass for all that have its key, and read what goes to them."""
    yield from _keys(found.keys, found.own, found.compared, "SSH host keys")


@check(
    "network.fleet.shared-tls-key",
    title="Every machine has TLS keys of its own",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Give the machines that share the TLS key @{fingerprint} keys of their own",
        do="Make a new key and have a certificate issued for it on each of them; @{places} have this one "
        "too. A key that came with a device or an image is known to everybody who has one.",
        verify="openssl s_client -connect @{target}:@{port} </dev/null | openssl x509 -noout -pubkey | "
        "openssl pkey -pubin -outform DER | sha256sum   # another one than @{fingerprint}",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the former key and certificate back, and reload the service.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# A new key and a request for a certificate, to be signed by your own authority:\n"
                "openssl req -new -newkey rsa:3072 -nodes -keyout new.key -out new.csr -subj /CN=@{target}",
                "rm new.key new.csr",
            ),
        ),
        key="tls-key:@{fingerprint}",
    ),
)
def shared_tls_key(found: SharedTlsKeys) -> Verdicts:
    """Whoever takes the key from one machine can pass for all that have it; keys of devices are public."""
    yield from _keys(found.keys, found.own, found.compared, "TLS keys")


@check(
    "network.fleet.ipv6-bypass",
    title="IPv6 lets in no more than IPv4",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Filter @{on} of @{target} over IPv6 as over IPv4",
        do="The filter of this machine, or the one before it, knows IPv4 only. Write its rules for both "
        "families (table inet), or let the service listen on the addresses that it needs.",
        verify="nc -6 -zvw3 @{target} @{port}   # no connection",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.NONE,
        undo="Take the rule out again.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On the machine with the address @{target}:\n"
                "nft add table inet bartizan_six\n"
                "nft add chain inet bartizan_six input '{ type filter hook input priority -10; }'\n"
                "nft add rule inet bartizan_six input meta nfproto ipv6 iifname != lo "
                "@{protocol} dport @{port} drop",
                "nft delete table inet bartizan_six",
            ),
        ),
        key="ipv6:@{target}:@{on}",
    ),
)
def ipv6_bypass(found: Families) -> Verdicts:
    """A filter that was written for IPv4 alone is none: the same door stands open by the other address."""
    for one in found.ports:
        protocol, _, port = one.port.partition("/")
        if one.on_four == "not asked":
            yield unknown(one.port, f"{found.four} was not asked for it", needs="the same ports on both")
            continue
        yield expect(
            one.on_four == "open",
            on=one.port,
            saw=f"open; on {found.four} (the same machine by its {found.known_by}) {one.on_four}",
            want=f"as on {found.four}",
            port=one.port,
            values={"protocol": protocol, "port": port},
        )
    if not found.ports:
        yield expect(True, on="ports", saw="none is open over IPv6", want=f"as on {found.four}")
