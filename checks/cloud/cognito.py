"""Users of applications: how they sign in."""

from __future__ import annotations

from checks.cloud.setting import repair, setting
from checks.facts.cloud.cognito import IdentityPools, UserPools
from checks.fix import Fix
from checks.model import Severity

_GUIDE = "https://docs.aws.amazon.com/cognito/latest/developerguide/managing-security.html"


def _fix(action: str, do: str, query: str) -> Fix:
    return repair(
        action,
        do + " A change of a pool by the command line replaces every setting that it leaves out: make it in "
        "the console or in the code that made the pool.",
        f"aws cognito-idp describe-user-pool --region @{{region}} --user-pool-id @{{id}} --query "
        f"UserPool.{query}",
        back="Set the former value again.",
        hours=(0.5, 0.25),
    )


self_sign_up = setting(
    "cloud.cognito.self-sign-up",
    UserPools,
    lambda one: not one.sign_up,
    title="Nobody signs up to an application by themselves",
    why="Where any account of the pool is trusted, whoever signs up is in; open it for public sites alone.",
    severity=Severity.INFO,
    bad="everybody signs up by themselves",
    good="administrators alone make users",
    fix=_fix(
        "Let administrators alone make users of @{name}",
        "Turn self-registration off unless the application is for the public.",
        "AdminCreateUserConfig",
    ),
    refs=(
        "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-admin-create-user-policy.html",
    ),
)
second_factor = setting(
    "cloud.cognito.second-factor",
    UserPools,
    lambda one: one.mfa in ("ON", "OPTIONAL"),
    title="Users of applications can have a second factor",
    why="Passwords of users are the same as on a site that was broken into last year.",
    severity=Severity.MEDIUM,
    bad="no second factor",
    good="a second factor",
    fix=_fix("Offer a second factor to users of @{name}", "Turn MFA on, optional first.", "MfaConfiguration"),
    refs=("https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html",),
)
passwords = setting(
    "cloud.cognito.passwords",
    UserPools,
    lambda one: one.password_length >= 10,
    title="Users of applications have passwords of at least ten characters",
    why="Shorter ones are guessed.",
    severity=Severity.LOW,
    bad=lambda one: f"{one.password_length} characters are enough",
    good="at least 10 characters",
    fix=_fix(
        "Ask for longer passwords in @{name}",
        "Set the minimum length; old passwords stay valid.",
        "Policies.PasswordPolicy",
    ),
    refs=(_GUIDE,),
)
deletion_protection = setting(
    "cloud.cognito.deletion-protection",
    UserPools,
    lambda one: one.protected,
    title="Directories of users cannot be deleted by mistake",
    why="With the pool go all users and their passwords, which nobody can bring back.",
    severity=Severity.LOW,
    bad="can be deleted in one call",
    good="protected from deletion",
    fix=_fix("Protect @{name} from deletion", "Turn on deletion protection.", "DeletionProtection"),
    refs=(
        "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-deletion-protection.html",
    ),
)
threat_protection = setting(
    "cloud.cognito.threat-protection",
    UserPools,
    lambda one: one.threats,
    title="Sign-ins of users are judged by their risk",
    why="Leaked passwords and sign-ins from strange places are stopped without a word from the user.",
    severity=Severity.INFO,
    bad="not judged, or only recorded",
    good="judged and stopped",
    fix=_fix(
        "Judge sign-ins at @{name}", "Turn threat protection on, recording only at first.", "UserPoolAddOns"
    ),
    refs=(_GUIDE,),
)
_IDENTITY = "aws cognito-identity describe-identity-pool --region @{region} --identity-pool-id @{id}"
_CHANGE = "aws cognito-identity update-identity-pool --region @{region} --cli-input-json"


def _switch(field: str, before: str) -> tuple[str, str]:
    """Commands that turn one field of a pool off and leave the others, and that bring them all back."""
    do = (
        f"{_IDENTITY} > {before} &&\n"
        f"jq '.{field} = false' {before} > pool.after.json &&\n{_CHANGE} file://pool.after.json"
    )
    return do, f"{_CHANGE} file://{before}"


guests = setting(
    "cloud.cognito.guests",
    IdentityPools,
    lambda one: not (one.guests and one.role),
    title="Guests get no credentials of the account",
    why="Everybody who knows the id of the pool, which stands in the program, gets keys of the account.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"guests get {one.role}",
    good="guests get no role",
    fix=repair(
        "Give guests of @{name} no credentials",
        "Turn access of guests off; where the application needs it, leave the role one read of public data.",
        f"{_IDENTITY} --query AllowUnauthenticatedIdentities  # false",
        *_switch("AllowUnauthenticatedIdentities", "guests.before.json"),
        key="cognito:guests @{on}",
    ),
    refs=("https://docs.aws.amazon.com/cognito/latest/developerguide/identity-pools.html",),
)
classic_flow = setting(
    "cloud.cognito.classic-flow",
    IdentityPools,
    lambda one: not one.classic,
    title="Identity pools do not allow the classic flow",
    why="In it the program picks the role itself, and the limits that AWS sets on guests do not hold.",
    severity=Severity.LOW,
    bad="the classic flow is allowed",
    good="the enhanced flow alone",
    fix=repair(
        "Turn the classic flow of @{name} off",
        "Let programs use the enhanced flow first.",
        f"{_IDENTITY} --query AllowClassicFlow  # false",
        *_switch("AllowClassicFlow", "flow.before.json"),
        key="cognito:classic @{on}",
    ),
    refs=("https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html",),
)
