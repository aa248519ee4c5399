"""Domains in whose name anybody can send mail."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.check import check
from checks.facts.network import OUTSIDE, OpenPorts
from checks.facts.network.names import MailDomain, MailDomains
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, unknown

_ANYBODY = re.compile(r"\+?(?:ip4:[^/\s]{1,15}/[0-4]|ip6:[^/\s]{1,45}/[0-4])")
_SHOWN = 400
_WORDS = (
    "# For the zone of @{domain}, at the server @{target} (port @{port}); put this record into its file,\n"
    "# raise the serial, and reload the zone:\n"
)


def _fix(action: str, do: str, record: str, verify: str) -> Fix:
    return Fix(
        action=action,
        do=do,
        verify=verify,
        effort=Effort(setup=4.0, each=0.25),
        disruption=Disruption.NONE,
        undo="Take the record out of the zone again and reload it.",
        snippets=(
            Snippet(
                Language.SHELL,
                f"{_WORDS}#   {record}\nrndc reload @{{domain}}",
                "# Take the record out again, raise the serial, then:\nrndc reload @{domain}",
            ),
        ),
        key="@{on}",
    )


@check(
    "network.mail-names.spf",
    title="Every own domain names the servers that send its mail (SPF)",
    severity=Severity.MEDIUM,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=_fix(
        "Publish which servers send mail for the domain",
        "Publish one SPF record that names your mail servers and ends in `-all`; a domain that sends no mail "
        "gets `v=spf1 -all`.",
        '@ IN TXT "v=spf1 mx -all"',
        "dig +short @{domain} TXT   # one record that begins v=spf1 and ends in -all",
    ),
)
def spf(found: MailDomains, ports: OpenPorts) -> Verdicts:
    """Without SPF no receiver can tell your mail from mail that others send in your name."""
    for one in found.domains:
        rest = _rest(one.spf[0])[:_SHOWN] if len(one.spf) == 1 else ""
        if rest.startswith("redirect="):
            reason = f"its SPF record hands over to that of {rest[9:]}, which was not asked for"
            yield unknown(f"{one.domain} SPF", reason, needs=f"the SPF record of {rest[9:]}", port=one.port)
        else:
            held, want = rest in ("-all", "~all"), "one SPF record that ends in -all or ~all"
            yield _judged(one, "SPF", ports, held=held, want=want)


def _rest(record: str) -> str:
    """What an SPF record says of all whom it does not name: the first `all`, or else its redirect."""
    terms = record.lower().split()[1:]
    if any(_ANYBODY.fullmatch(term) for term in terms):
        return "+all"
    ends = [term for term in terms if term.lstrip("+-~?") == "all"]
    return next(iter((*ends, *(term for term in terms if term.startswith("redirect=")))), "")


def _judged(one: MailDomain, kind: str, ports: OpenPorts, *, held: bool, want: str) -> Verdict:
    said = "; ".join(one.spf if kind == "SPF" else one.dmarc)[:_SHOWN] or f"no {kind} record"
    return expect(
        held,
        on=f"{one.domain} {kind}",
        saw=f"{said}, asked from {ports.vantage}",
        want=want,
        port=one.port,
        values={"domain": one.domain},
        cite=one.domain,
        # A server may tell its own networks another story than the world.
        confidence=Confidence.CONFIRMED if ports.vantage == OUTSIDE else Confidence.LIKELY,
    )


@check(
    "network.mail-names.dmarc",
    title="Every own domain says what to do with mail forged in its name (DMARC)",
    severity=Severity.MEDIUM,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=_fix(
        "Tell receivers to refuse mail forged in the domain's name",
        "Publish a DMARC record with `p=none` and a report address, read the reports, then set "
        "`p=quarantine` and at last `p=reject`.",
        '_dmarc IN TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"',
        "dig +short _dmarc.@{domain} TXT   # p=quarantine or p=reject",
    ),
)
def dmarc(found: MailDomains, ports: OpenPorts) -> Verdicts:
    """SPF protects an address that people do not see; only DMARC protects the one that they do."""
    policies = {one.domain: _policy(one.dmarc, "p") for one in found.domains}
    lower = {one.domain: _policy(one.dmarc, "sp") or policies[one.domain] for one in found.domains}
    for one in found.domains:
        above = [lower[name] for name in _above(one.domain, lower)] if not one.dmarc else []
        held = (above[0] if above else policies[one.domain]) in ("quarantine", "reject")
        want = "one DMARC record with the policy quarantine or reject, for all mail"
        yield _judged(one, "DMARC", ports, held=held, want=want)


def _above(domain: str, known: Iterable[str]) -> tuple[str, ...]:
    """Those of the known domains under which this one lies, the shortest first: its policy is inherited."""
    return tuple(sorted((name for name in known if domain.endswith(f".{name}")), key=len))


def _policy(records: tuple[str, ...], name: str) -> str:
    """What the only record says under `p` or `sp`; nothing where it is to hold for no mail."""
    fields = dict(part.replace(" ", "").lower().partition("=")[::2] for r in records for part in r.split(";"))
    return fields.get(name, "") if len(records) == 1 and fields.get("pct", "") != "0" else ""
