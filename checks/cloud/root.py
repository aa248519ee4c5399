"""The root user: the one identity that no policy limits."""

from __future__ import annotations

from datetime import datetime

from checks import Effort, Exploit, Fix, Impact, Language, Severity, Snippet, Surface, Verdicts, check, expect
from checks.facts.cloud.iam import RootAccount, RootCredentials

_ON = "root"


@check(
    "cloud.root.keys",
    title="The root user has no access keys",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.HARDENING,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Delete the access keys of the root user",
        do="Find what still signs with a key of root (its last use is on the root user's security page), "
        "give that "
        "workload a role of its own, then sign in as root and delete the key under Security credentials.",
        verify="aws iam get-account-summary --query SummaryMap.AccountAccessKeysPresent   # 0",
        effort=Effort(setup=1.0, each=0.5),
        undo="A deleted key does not come back; deactivate it first and wait a week.",
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html",),
)
def keys(root: RootAccount) -> Verdicts:
    """A key of root opens everything in the account without a second factor, and nothing can limit it."""
    yield expect(
        not root.keys, on=_ON, saw="access keys" if root.keys else "no access key", want="no access key"
    )


@check(
    "cloud.root.mfa",
    title="The root user signs in with a second factor",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Give the root user a second factor",
        do="Sign in as root and register a FIDO2 security key, better two, under Security credentials. In an "
        "organisation, better take the passwords of member roots away altogether.",
        verify="aws iam get-account-summary --query SummaryMap.AccountMFAEnabled   # 1",
        effort=Effort(setup=0.25, each=0.5),
        undo="Remove the device on the same page, with the device at hand.",
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/enable-mfa-for-root.html",),
)
def mfa(root: RootAccount) -> Verdicts:
    """With a password alone, one phished mail gives away the whole account."""
    if not root.password and not root.keys:
        yield expect(True, on=_ON, saw="no password and no key: root cannot sign in", want="second factor")
    else:
        yield expect(
            root.mfa, on=_ON, saw="second factor" if root.mfa else "password alone", want="second factor"
        )


@check(
    "cloud.root.use",
    title="The root user is not used for daily work",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Stop working as root",
        do="Ask who signed in as root and for what, give them a role that may do it, and put the password "
        "of root "
        "away where two people are needed to get it.",
        verify="aws iam generate-credential-report && aws iam get-credential-report --query Content "
        "--output text | base64 -d | grep '^<root_account>'   # no recent date",
        effort=Effort(setup=1.0, each=0.5),
        undo="None needed: nothing is switched off.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "# Who worked as root, and what was done:\n"
                "aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue=root "
                "--max-results 50",
            ),
        ),
    ),
)
def use(root: RootCredentials, *, days: int = 30, now: datetime) -> Verdicts:
    """Whoever works as root can destroy everything by one mistake, and the log does not say who it was."""
    used = [moment for moment in (root.password_used, *(key.used for key in root.keys)) if moment]
    last = max(used, default="")
    recent = bool(last) and (now - datetime.fromisoformat(last)).days < days
    yield expect(
        not recent,
        on=_ON,
        saw=f"last used {last}" if last else "never used",
        want=f"not used in the last {days} days",
        cite="password_used",
    )
