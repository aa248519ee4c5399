"""Mail that is sent from the account: who sends it, and whether receivers can tell it from a forgery."""

from __future__ import annotations

from checks.cloud.resource_policies import family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.ses import Senders
from checks.model import Severity

POLICIES = family("ses")

signature = setting(
    "cloud.ses.signature",
    Senders,
    lambda one: one.signs if one.domain else None,
    title="Mail of every domain is signed",
    why="Without a DKIM signature receivers cannot tell mail of the domain from a forgery, and reject both "
    "or neither.",
    severity=Severity.LOW,
    bad="mail goes out unsigned",
    good="mail is signed",
    fix=repair(
        "Sign the mail of domain @{name}",
        "Turn the signature on, and publish the three CNAME records of the tokens in the DNS of the domain. "
        "Mail is signed once AWS has found them.",
        "aws sesv2 get-email-identity --region @{region} --email-identity @{name} "
        "--query 'DkimAttributes.[SigningEnabled,Status]'   # true, SUCCESS",
        "aws sesv2 put-email-identity-dkim-attributes --region @{region} --email-identity @{name} "
        "--signing-enabled &&\n"
        "aws sesv2 get-email-identity --region @{region} --email-identity @{name} "
        "--query DkimAttributes.Tokens",
        "aws sesv2 put-email-identity-dkim-attributes --region @{region} --email-identity @{name} "
        "--no-signing-enabled",
        back="Turn the signature off; the records in the DNS do no harm.",
        key="ses:signature @{name}",
        terraform='resource "aws_ses_domain_dkim" "signed" {\n  domain = @{name}\n}\n\n'
        'resource "aws_route53_record" "dkim" {\n  count   = 3\n  zone_id = var.zone_id\n'
        '  name    = format("%s._domainkey.%s", aws_ses_domain_dkim.signed.dkim_tokens[count.index], '
        '@{name})\n  type    = "CNAME"\n  ttl     = 600\n'
        '  records = ["${aws_ses_domain_dkim.signed.dkim_tokens[count.index]}.dkim.amazonses.com"]\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim.html",),
)
