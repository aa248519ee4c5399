"""Domains in whose name anybody can send mail."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.network.names import MailDomains
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Severity, Surface
from checks.verdict import Verdicts, expect

_END = re.compile(r"(?i)\s(?:[-~]all|redirect=\S{1,253})\s{0,9}$")
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
def spf(found: MailDomains) -> Verdicts:
    """Without SPF no receiver can tell your mail from mail that others send in your name."""
    for one in found.domains:
        end = _END.search(one.spf[0]) if len(one.spf) == 1 else None
        yield expect(
            end is not None,
            on=f"{one.domain} SPF",
            saw="; ".join(one.spf) or "no SPF record",
            want="one SPF record that ends in -all or ~all, or redirects",
            port=one.port,
            values={"domain": one.domain},
            cite=one.domain,
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
def dmarc(found: MailDomains) -> Verdicts:
    """SPF protects an address that people do not see; only DMARC protects the one that they do."""
    for one in found.domains:
        policies = [re.search(r"(?i);\s{0,9}p\s{0,9}=\s{0,9}(\w{1,20})", record) for record in one.dmarc]
        policy = policies[0][1].lower() if len(policies) == 1 and policies[0] else ""
        yield expect(
            policy in ("quarantine", "reject"),
            on=f"{one.domain} DMARC",
            saw="; ".join(one.dmarc) or "no DMARC record",
            want="one DMARC record with the policy quarantine or reject",
            port=one.port,
            values={"domain": one.domain},
            cite=one.domain,
        )
