"""What the account demands of console passwords."""

from __future__ import annotations

from checks import Effort, Exploit, Fix, Impact, Language, Severity, Snippet, Surface, Verdicts, check, expect
from checks.facts.cloud.iam import PasswordPolicy

_FIX = Fix(
    action="Set a strong password policy for IAM users",
    do="Demand at least 14 characters and remember 24 former passwords. Better still, let people sign in "
    "through your "
    "identity provider, so that IAM has no passwords to guard.",
    verify="aws iam get-account-password-policy   # MinimumPasswordLength 14, PasswordReusePrevention 24",
    effort=Effort(setup=0.25, each=0.25),
    undo="aws iam delete-account-password-policy gives the defaults of AWS back.",
    key="iam:password-policy @{account}",
    snippets=(
        Snippet(
            Language.AWS_CLI,
            "# This call replaces the whole policy; look at the present one first.\n"
            "aws iam get-account-password-policy\n"
            "aws iam update-account-password-policy --minimum-password-length 14 "
            "--password-reuse-prevention 24 --require-uppercase-characters --require-lowercase-characters "
            "--require-numbers --require-symbols --allow-users-to-change-password",
            "aws iam delete-account-password-policy",
        ),
        Snippet(
            Language.TERRAFORM,
            'resource "aws_iam_account_password_policy" "this" {\n'
            "  minimum_password_length        = 14\n"
            "  password_reuse_prevention      = 24\n"
            "  require_uppercase_characters   = true\n"
            "  require_lowercase_characters   = true\n"
            "  require_numbers                = true\n"
            "  require_symbols                = true\n"
            "  allow_users_to_change_password = true\n"
            "}\n",
        ),
    ),
)


@check(
    "cloud.passwords.length",
    title="Console passwords are long",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.CONTROL_PLANE,
    fix=_FIX,
)
def length(policy: PasswordPolicy, *, minimum: int = 14) -> Verdicts:
    """The sign-in page is open to the whole internet, where short passwords are tried by the million."""
    origin = "" if policy.custom else " (the default of AWS; the account has no policy)"
    yield expect(
        policy.minimum_length >= minimum,
        on="password length",
        saw=f"{policy.minimum_length} characters{origin}",
        want=f"at least {minimum} characters",
        values={"account": policy.account},
        cite="minimum_length",
    )


@check(
    "cloud.passwords.reuse",
    title="Former console passwords are refused",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=_FIX,
)
def reuse(policy: PasswordPolicy, *, remembered: int = 24) -> Verdicts:
    """A password that leaked once is tried again for years."""
    yield expect(
        policy.reuse >= remembered,
        on="password reuse",
        saw=f"{policy.reuse} remembered",
        want=f"{remembered} remembered",
        values={"account": policy.account},
        cite="reuse",
    )
