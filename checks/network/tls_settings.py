"""What services take up of TLS beyond its version: suites, groups and options."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.check import Check, check, make_check
from checks.facts.network.tls import TlsFallbacks, TlsGroups, TlsSettings, TlsSuites
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.network.tls_fixes import OLDEST_VERSION, SOUND_CIPHERS, STARTED
from checks.verdict import Verdicts, expect, unknown

_HEARTBLEED = re.compile(r"OpenSSL/(1\.0\.1(?:[a-f]|-beta\d)?|1\.0\.2-beta1)(?![\w.])")
_UPDATE = Snippet(
    Language.SHELL,
    "# On @{target}, for the service on port @{port}:\n"
    "apt-get update && apt-get install --only-upgrade openssl libssl3\n"
    "openssl version",
    "apt-get install openssl=PREVIOUS_VERSION",
)


def _settings(action: str, do: str, verify: str, snippets: tuple[Snippet, ...] = (_UPDATE,)) -> Fix:
    """The repair of a setting; all settings of one port are closed by one change."""
    return Fix(
        action=action,
        do=do,
        verify=f"{verify}; {STARTED}",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the old settings back and reload the service.",
        snippets=snippets,
        key="tls-settings:@{target}:@{on}",
    )


@check(
    "network.tls-settings.forward-secrecy",
    title="Services offer forward secrecy",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_settings(
        "Offer suites with forward secrecy",
        "Put suites that begin with ECDHE first in the service's list, and drop those that exchange keys "
        "by RSA.",
        "openssl s_client -connect @{target}:@{port} -tls1_2 -cipher 'ECDHE' </dev/null   # a cipher",
        SOUND_CIPHERS.snippets,
    ),
    refs=("https://www.rfc-editor.org/rfc/rfc9325",),
)
def forward_secrecy(found: TlsSuites) -> Verdicts:
    """Without fresh keys whoever gets the server's key later reads all that was ever recorded."""
    for one in found.services:
        yield expect(
            one.fresh_keys,
            on=one.port,
            saw=", ".join(one.suites) or one.version,
            want="a suite with ECDHE or DHE, or TLS 1.3",
            port=one.port,
        )


@check(
    "network.tls-settings.newest-version",
    title="Services speak TLS 1.3",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_settings(
        "Turn TLS 1.3 on",
        "Update the service to a version that knows TLS 1.3, and let it offer 1.2 and 1.3.",
        "openssl s_client -connect @{target}:@{port} -tls1_3 </dev/null   # Protocol: TLSv1.3",
        OLDEST_VERSION.snippets,
    ),
    refs=("https://www.rfc-editor.org/rfc/rfc8446",),
)
def newest_version(found: TlsSuites) -> Verdicts:
    """TLS 1.3 leaves out everything in which flaws of TLS were found, and hides more from the path."""
    for one in found.services:
        if not one.newest:
            reason = "TLS 1.3 was neither accepted nor refused"
            yield unknown(one.port, reason, needs=f"an answer from {one.port}", port=one.port)
            continue
        yield expect(
            one.newest == "TLSv1.3",
            on=one.port,
            saw=f"up to {one.newest}",
            want="up to TLSv1.3",
            port=one.port,
        )


@check(
    "network.tls-settings.key-exchange-group",
    title="Services use Diffie-Hellman groups of a sound size",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.POC,
    surface=Surface.SERVICE,
    fix=_settings(
        "Replace short Diffie-Hellman groups",
        "Turn the suites that begin with DHE off, or give the service a group of 3072 bits "
        "(`openssl dhparam` is not needed: name `ffdhe3072`).",
        "openssl s_client -connect @{target}:@{port} -tls1_2 -cipher 'DHE:@SECLEVEL=0' </dev/null "
        "| grep 'Temp Key'   # none, or 2048 bits and more",
        SOUND_CIPHERS.snippets,
    ),
    refs=("https://nvd.nist.gov/vuln/detail/CVE-2015-4000",),
)
def key_exchange_group(found: TlsGroups, *, bits: int = 2048) -> Verdicts:
    """Groups of 1024 bits and less were computed in advance, for all who use them (Logjam)."""
    for one in found.services:
        yield expect(
            not one.bits or one.bits >= bits,
            on=one.port,
            saw=f"{one.bits} bits" if one.bits else "no such suite",
            want=f"{bits} bits, or none",
            port=one.port,
        )


@check(
    "network.tls-settings.fallback-guard",
    title="Services notice when a client was talked down to an older version",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_settings(
        "Turn old versions off, or update the TLS library",
        "Let the service speak TLS 1.2 and newer only; where it cannot, update its TLS library to one that "
        "knows the fallback signal.",
        "openssl s_client -connect @{target}:@{port} -no_tls1_3 -tls1_1 -fallback_scsv </dev/null   "
        "# alert inappropriate fallback",
        OLDEST_VERSION.snippets,
    ),
    refs=("https://www.rfc-editor.org/rfc/rfc7507",),
)
def fallback_guard(found: TlsFallbacks) -> Verdicts:
    """An attacker who breaks connections makes clients try older versions; a guarded server refuses that."""
    for one in found.services:
        yield expect(
            one.guarded,
            on=one.port,
            saw=f"a fallback to {one.version} {'refused' if one.guarded else 'accepted'}",
            want="the alert for an inappropriate fallback",
            port=one.port,
        )


@dataclass(frozen=True, slots=True)
class _Option:
    """A setting of TLS 1.2 and older that is good when its field has the value `good`."""

    name: str
    field: str
    good: bool
    words: tuple[str, str]
    title: str
    severity: Severity
    exploit: Exploit
    why: str
    fix: Fix
    ref: str


_OPTIONS = (
    _Option(
        name="secure-renegotiation",
        field="renegotiation",
        good=True,
        words=("secure renegotiation", "no secure renegotiation"),
        title="Services renegotiate securely",
        severity=Severity.MEDIUM,
        exploit=Exploit.POC,
        why="Without it an attacker on the path puts words of his own before those of a client "
        "(CVE-2009-3555).",
        fix=_settings(
            "Update services that cannot renegotiate securely",
            "Update the TLS library of the service; it is older than 2010 or has the old renegotiation "
            "switched on.",
            "openssl s_client -connect @{target}:@{port} -tls1_2 </dev/null | grep 'Secure Renegotiation'   "
            "# IS supported",
        ),
        ref="https://www.rfc-editor.org/rfc/rfc5746",
    ),
    _Option(
        name="compression",
        field="compression",
        good=False,
        words=("compression", "no compression"),
        title="Services do not compress inside TLS",
        severity=Severity.MEDIUM,
        exploit=Exploit.POC,
        why="The length of compressed text tells secrets in it to whoever can add to it (CRIME).",
        fix=_settings(
            "Turn compression inside TLS off",
            "Set `SSLCompression off` in Apache or the service's own setting, or update its TLS library.",
            "openssl s_client -connect @{target}:@{port} -tls1_2 -comp </dev/null "
            "| grep Compression   # NONE",
        ),
        ref="https://nvd.nist.gov/vuln/detail/CVE-2012-4929",
    ),
)


def _check(option: _Option) -> Check[[TlsSettings]]:
    def run(found: TlsSettings) -> Verdicts:
        for one in found.services:
            value = getattr(one, option.field)
            yield expect(
                not one.version or value is option.good,
                on=one.port,
                saw=option.words[0 if value else 1] if one.version else "TLS 1.3 only, which does without",
                want=option.words[0 if option.good else 1],
                port=one.port,
            )

    return make_check(
        run,
        f"network.tls-settings.{option.name}",
        title=option.title,
        severity=option.severity,
        exploit=option.exploit,
        surface=Surface.SERVICE,
        why=option.why,
        fix=option.fix,
        refs=(option.ref,),
    )


OPTIONS = tuple(_check(option) for option in _OPTIONS)


@check(
    "network.tls-settings.heartbleed",
    title="No service runs an OpenSSL that hands out its memory (Heartbleed)",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.ACTIVE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Update OpenSSL, then replace keys and passwords",
        do="Update OpenSSL and restart all that uses it; then make new keys and certificates, revoke the old "
        "ones, and change the passwords that went through the service.",
        verify="openssl s_client -connect @{target}:@{port} -tlsextdebug -tls1_2 </dev/null 2>&1 "
        "| grep -c heartbeat   # 0",
        effort=Effort(setup=2.0, each=1.0),
        disruption=Disruption.RESTART,
        undo="Install the former version again.",
        snippets=(_UPDATE,),
        key="tls-library:@{target}:@{on}",
    ),
    refs=("https://nvd.nist.gov/vuln/detail/CVE-2014-0160",),
)
def heartbleed(found: TlsSettings) -> Verdicts:
    """CVE-2014-0160: anybody reads keys and passwords out of the memory of such a service, unseen."""
    for one in found.services:
        if one.heartbeat and not one.library:
            reason = "it offers heartbeats; whether they are repaired is told by the version, which it hides"
            yield unknown(one.port, reason, needs="the version of OpenSSL on the host", port=one.port)
            continue
        exposed = one.heartbeat and _HEARTBLEED.search(one.library) is not None
        yield expect(
            not exposed,
            on=one.port,
            saw=f"heartbeats, {one.library}" if one.heartbeat else "no heartbeats",
            want="no heartbeats, or OpenSSL 1.0.1g or newer",
            port=one.port,
            # Distributions repair without a new number.
            confidence=Confidence.POSSIBLE if exposed else Confidence.CONFIRMED,
        )
