"""What the world is told about mail in the name of the owner's domains: asked of their own authority."""

from __future__ import annotations

from checks.facts.network.names import MailDomain, MailDomains
from checks.facts.snapshot import source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network.ask.datagram import speaks
from scanner.collect.network.ask.dns import (
    AUTHORITY,
    NO_ERROR,
    NO_SUCH_NAME,
    answer,
    own_domains,
    parsed,
    zone_of,
)
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import TalkError
from scanner.collect.network.udp_payloads import TXT, dns_question

RECORD_LIMIT = 4_096
"""The end of an SPF record decides: so what is kept is as long as one may be."""
_LONGEST = 4_096


async def _ask(asked: Asked) -> Collected:
    """Only what the authority itself says counts; a server that is not the authority has nothing to say."""
    found: list[MailDomain] = []
    gaps = Collected()
    for domain in own_domains(asked):
        try:
            if await zone_of(asked, domain):
                found.append(await _domain(asked, domain.rstrip(".").lower()))
        except TalkError as error:
            gaps += undecided(MailDomains, asked, f"{domain}: {error}")
    said = "\n".join(f"{d.domain} SPF {d.spf or 'none'}; DMARC {d.dmarc or 'none'}" for d in found)
    if not found:
        return gaps
    how = f"DNS questions for the SPF and DMARC records at {asked.address} {asked.port.name}, their authority"
    evidence = source(MailDomains, how, asked.at, said, asked.port.name)
    return Collected((MailDomains(tuple(found)),), gaps.gaps, sources=(evidence,))


async def _domain(asked: Asked, domain: str) -> MailDomain:
    spf = await _texts(asked, domain, "v=spf1")
    dmarc = await _texts(asked, f"_dmarc.{domain}", "v=dmarc1")
    return MailDomain(asked.port.name, domain, spf, dmarc)


async def _texts(asked: Asked, name: str, start: str) -> tuple[str, ...]:
    import dns.rdatatype

    message = parsed(await answer(asked, dns_question(name, TXT, longest=_LONGEST)))
    if message is None:
        raise TalkError(f"no whole answer about {name}")
    if not message.flags & AUTHORITY or message.rcode() not in (NO_ERROR, NO_SUCH_NAME):
        raise TalkError(f"no answer with authority about {name}")
    records = (r for rrset in message.answer if rrset.rdtype == dns.rdatatype.TXT for r in rrset)
    texts = (printable(b"".join(r.strings).decode("utf-8", "backslashreplace")) for r in records)
    return tuple(text[:RECORD_LIMIT] for text in texts if _begins(text.lower(), start))


def _begins(text: str, version: str) -> bool:
    """Whether the version stands there as a whole: `v=spf10` is another one."""
    return text.startswith(version) and text[len(version) : len(version) + 1] in ("", " ", ";")


QUESTIONS = (
    Question(
        frozenset({MailDomains}),
        speaks("dns"),
        _ask,
        "DNS questions for the SPF and DMARC records of the owner's domains, at their own servers",
    ),
)
