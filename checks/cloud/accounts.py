"""The account itself: whom AWS reaches about it."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair
from checks.facts.cloud.accounts import AccountContacts
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect


@check(
    "cloud.accounts.security-contact",
    title="AWS knows whom to write to about security",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Name a contact for security",
        "Give the address of a team, not of one person; it gets word of leaked keys and abuse at once.",
        "aws account get-alternate-contact --alternate-contact-type SECURITY   # the address of a team",
        "aws account put-alternate-contact --alternate-contact-type SECURITY --name Security --title "
        "Security "
        '--email-address "$ADDRESS" --phone-number "$PHONE"',
        "aws account delete-alternate-contact --alternate-contact-type SECURITY",
        terraform='resource "aws_account_alternate_contact" "security" {\n'
        '  alternate_contact_type = "SECURITY"\n'
        '  name                   = "Security"\n'
        '  title                  = "Security"\n'
        "  email_address          = var.security_address\n"
        "  phone_number           = var.security_phone\n}\n",
        back="Delete the contact, or put the former one back.",
    ),
    refs=("https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html",),
)
def security_contact(found: AccountContacts) -> Verdicts:
    """Word that a key has leaked goes to the root address, which in many companies nobody reads."""
    yield expect(
        found.security,
        on="security contact",
        saw="named" if found.security else "none",
        want="named",
    )
