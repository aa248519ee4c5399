"""Registered domains: whether they can be moved away, run out, or tell too much."""

from __future__ import annotations

from datetime import datetime, timedelta

from checks.check import check
from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.route53_domains import Domain, DomainContacts, RegisteredDomains
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide"
_CALL = "aws route53domains"
_READ = f"{_CALL} get-domain-detail --region us-east-1 --domain-name @{{name}}"
_NO_LOCK = frozenset(
    {
        *("ar", "au", "ch", "cl", "de", "es", "eu", "fi", "it", "jp", "nl", "nz", "qa", "ru", "se", "uk"),
        "za",
    }
)
"""Registries of countries of which the guide of Route 53 says that domains cannot be locked.

Each has a page of its own there, as https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/de.html, and
they stand in https://github.com/awsdocs/amazon-route53-docs. It says the contrary of `be` and `cz`, and the
lock of `fr` is on for all domains that were registered or moved lately.
"""


def _locked(one: Domain) -> bool | None:
    return None if not one.locked and one.name.rpartition(".")[2].lower() in _NO_LOCK else one.locked


transfer_lock = setting(
    "cloud.route53-domains.transfer-lock",
    RegisteredDomains,
    _locked,
    on="name",
    title="Domains are locked against transfer",
    why="Without the lock one stolen authorisation code moves the domain to another registrar, and with it "
    "every site and mailbox.",
    severity=Severity.MEDIUM,
    impact=Impact.TOTAL,
    bad="can be moved to another registrar",
    good="locked",
    fix=repair(
        "Lock domain @{name} against transfer",
        "Turn on the transfer lock.",
        f"{_READ} --query StatusList   # holds clientTransferProhibited",
        f"{_CALL} enable-domain-transfer-lock --region us-east-1 --domain-name @{{name}}",
        f"{_CALL} disable-domain-transfer-lock --region us-east-1 --domain-name @{{name}}",
        terraform="# In the aws_route53domains_registered_domain with domain_name @{name}:\n"
        "transfer_lock = true\n",
    ),
    refs=(f"{_GUIDE}/domain-lock.html",),
)
renewal = setting(
    "cloud.route53-domains.renewal",
    RegisteredDomains,
    lambda one: one.renews,
    on="name",
    title="Domains are renewed by themselves",
    why="A domain that runs out is bought within minutes by somebody who then receives its mail and its "
    "password resets.",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    bad="runs out unless somebody thinks of it",
    good="renewed by itself",
    fix=repair(
        "Renew domain @{name} by itself",
        "Turn on automatic renewal.",
        f"{_READ} --query AutoRenew   # true",
        f"{_CALL} enable-domain-auto-renew --region us-east-1 --domain-name @{{name}}",
        f"{_CALL} disable-domain-auto-renew --region us-east-1 --domain-name @{{name}}",
        terraform="# In the aws_route53domains_registered_domain with domain_name @{name}:\n"
        "auto_renew = true\n",
    ),
    refs=(f"{_GUIDE}/domain-enable-disable-auto-renewal.html",),
)
privacy = setting(
    "cloud.route53-domains.privacy",
    DomainContacts,
    lambda one: not one.shown,
    on="name",
    title="The register does not show who is behind a domain",
    why="Names, numbers and mail addresses of those who run a domain are what a call that pretends to be "
    "the registrar begins with.",
    severity=Severity.LOW,
    bad=lambda one: f"everybody can look up: {joined(one.shown)}",
    good="nothing shown",
    fix=repair(
        "Hide the contacts of domain @{name}",
        "Turn on privacy for all contacts; some registries show companies all the same.",
        f"{_READ} --query '[AdminPrivacy,RegistrantPrivacy,TechPrivacy]'   # three times true",
        f"{_READ} > domain.before.json &&\n"
        f"{_CALL} update-domain-contact-privacy --region us-east-1 --domain-name @{{name}} --admin-privacy "
        "--registrant-privacy --tech-privacy",
        "jq '{DomainName,AdminPrivacy,RegistrantPrivacy,TechPrivacy}' domain.before.json > privacy.json &&\n"
        f"{_CALL} update-domain-contact-privacy --region us-east-1 --cli-input-json file://privacy.json",
        terraform="# In the aws_route53domains_registered_domain with domain_name @{name}:\n"
        "admin_privacy      = true\nregistrant_privacy = true\ntech_privacy       = true\n",
    ),
    refs=(f"{_GUIDE}/domain-privacy-protection.html",),
)


@check(
    "cloud.route53-domains.expiry",
    title="No domain is about to run out",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Renew domain @{name} now",
        "Renew it for a year, and turn on automatic renewal. Where it renews by itself and has not, the "
        "payment failed.",
        f"{_READ} --query ExpirationDate",
        f"{_CALL} renew-domain --region us-east-1 --domain-name @{{name}} --duration-in-years 1 "
        "--current-expiry-year @{year}",
        f"{_CALL} disable-domain-auto-renew --region us-east-1 --domain-name @{{name}}",
        back="A renewal is paid and cannot be taken back.",
    ),
    refs=(f"{_GUIDE}/domain-renew.html",),
)
def expiry(found: RegisteredDomains, *, days: int = 30, renewing_days: int = 7, now: datetime) -> Verdicts:
    """Once a domain has run out, whoever buys it answers for your name and receives your mail."""
    for one in found.domains:
        if not one.ends:
            continue
        ends = datetime.fromisoformat(one.ends)
        # Route 53 renews weeks ahead, so a domain that renews and is still close has a problem.
        late = ends - now < timedelta(days=renewing_days if one.renews else days)
        yield expect(
            not late,
            on=one.name,
            saw=f"{'ran' if ends < now else 'runs'} out on {ends:%Y-%m-%d}",
            want=f"more than {renewing_days if one.renews else days} days left",
            values={"name": one.name, "year": f"{ends:%Y}"},
        )
