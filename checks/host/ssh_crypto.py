"""Which algorithms the SSH servers of a host offer."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from operator import attrgetter

from checks.check import check
from checks.facts.host.sshd import Sshd, SshSettings
from checks.host.ssh_options import MANUAL, each_server, judged, option_fix
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts


def _algorithms(
    sshd: Sshd, option: str, names: Callable[[SshSettings], tuple[str, ...]], weak: tuple[str, ...]
) -> Verdicts:
    for server, settings, on in each_server(sshd, option, names):
        offered = names(settings)
        bad = tuple(name for name in offered if any(fnmatchcase(name, one) for one in weak))
        kept = ",".join(name for name in offered if name not in bad)
        yield judged(
            not bad,
            server,
            settings,
            on=on,
            option=option,
            saw=bad if bad else "none weak",
            want=f"none of {', '.join(weak)}",
            good=kept or "(the strong ones of `sshd -T` of a newer OpenSSH; this server offers none)",
        )


@check(
    "host.ssh-crypto.ciphers",
    title="SSH offers no broken ciphers",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    surface=Surface.SERVICE,
    fix=option_fix("Offer only strong ciphers in SSH", "Old clients may no longer connect."),
    refs=(f"{MANUAL}Ciphers", "https://www.rfc-editor.org/rfc/rfc8758"),
)
def ciphers(
    sshd: Sshd, *, weak: tuple[str, ...] = ("*-cbc", "*-cbc@*", "arcfour*", "des*", "none")
) -> Verdicts:
    """A session in CBC mode or RC4 leaks parts of what is typed to whoever watches and disturbs the line."""
    yield from _algorithms(sshd, "Ciphers", attrgetter("ciphers"), weak)


@check(
    "host.ssh-crypto.macs",
    title="SSH offers no weak integrity codes",
    severity=Severity.MEDIUM,
    impact=Impact.MINOR,
    surface=Surface.SERVICE,
    fix=option_fix("Offer only strong integrity codes in SSH", "Old clients may no longer connect."),
    refs=(f"{MANUAL}MACs",),
)
def macs(
    sshd: Sshd, *, weak: tuple[str, ...] = ("*md5*", "*sha1*", "*ripemd*", "umac-64*", "none")
) -> Verdicts:
    """MD5, SHA-1 and 64-bit codes are short of the strength that the rest of the session has."""
    yield from _algorithms(sshd, "MACs", attrgetter("macs"), weak)


@check(
    "host.ssh-crypto.key-exchange",
    title="SSH offers no weak key exchange",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    surface=Surface.SERVICE,
    fix=option_fix("Offer only strong key exchanges in SSH", "Old clients may no longer connect."),
    refs=(f"{MANUAL}KexAlgorithms", "https://www.rfc-editor.org/rfc/rfc9142"),
)
def key_exchange(
    sshd: Sshd, *, weak: tuple[str, ...] = ("*-sha1", "*-sha1-*", "*group1-*", "rsa1024-*")
) -> Verdicts:
    """A recorded session whose keys came from a weak exchange can be read later, passwords and all."""
    yield from _algorithms(sshd, "KexAlgorithms", attrgetter("kex_algorithms"), weak)
