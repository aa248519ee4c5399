"""Projects that build software: what they give away, what they may do, and who starts them."""

from __future__ import annotations

from collections.abc import Sequence

from checks.check import check
from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.codebuild import BuildProjects
from checks.fix import Fix
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_GUIDE = "https://docs.aws.amazon.com/codebuild/latest/userguide"
_SHOW = "aws codebuild batch-get-projects --region @{region} --names @{name} --query"
_UPDATE = "aws codebuild update-project --region @{region} --name @{name}"
_STATES = {
    "nobody": "no pull request starts a build",
    "listed": "pull requests of listed accounts start builds",
    "loose": "the pattern of the listed accounts fits other numbers too",
    "everybody": "everybody's pull requests start builds",
}

_SELF = ", when somebody approves who may read the source"


def _fix(action: str, do: str, parts: Sequence[str], change: str = "") -> Fix:
    """A repair of parts of a project, which are saved first: the call replaces each of them as a whole.

    `change` is what jq does with them; without it somebody edits them.
    """
    saved = f"{parts[0]}.before.json"
    changed = f"{parts[0]}.after.json"
    shown = f"'projects[0].{{{', '.join(f'{part}: {part}' for part in ('name', *parts))}}}'"
    edit = (
        f"jq '{change}' {saved} > {changed}"
        if change
        else f"cp {saved} {changed} && ${{EDITOR:-vi}} {changed}"
    )
    return repair(
        action,
        do,
        f"{_SHOW} {shown}",
        # A part that the project has not got must not be there at all when it is sent back.
        f"{_SHOW} {shown} | jq 'with_entries(select(.value != null))' > {saved} &&\n{edit} &&\n"
        f"aws codebuild update-project --region @{{region}} --cli-input-json file://{changed}",
        f"aws codebuild update-project --region @{{region}} --cli-input-json file://{saved}",
        hours=(0.5, 0.25),
        key=f"codebuild:{parts[0]} @{{on}}",
    )


_SOURCES = ("source", "secondarySources")

environment_secrets = setting(
    "cloud.codebuild.environment-secrets",
    BuildProjects,
    lambda one: not one.secrets,
    title="Build projects hold no secrets",
    why="Everybody who may look at the project reads its variables, and every build prints them on demand.",
    severity=Severity.HIGH,
    bad=lambda one: joined(one.secrets),
    good="none",
    fix=_fix(
        "Move the secrets of build project @{name} into Secrets Manager",
        "Store the value, let the variable have the type SECRETS_MANAGER, and change the secret: it was "
        "readable until now. Delete the saved files when the build works.",
        ("environment", *_SOURCES),
    ),
    refs=(f"{_GUIDE}/change-project.html",),
)
source_secrets = setting(
    "cloud.codebuild.source-secrets",
    BuildProjects,
    lambda one: not one.source_secrets,
    title="Addresses of sources hold no credentials",
    why="An address with a token in it is shown in the console, in builds, and in every log of them.",
    severity=Severity.HIGH,
    bad=lambda one: joined(one.source_secrets),
    good="none",
    fix=_fix(
        "Take the credentials out of the source of build project @{name}",
        "Connect the repository by a connection or a secret, and revoke the token.",
        _SOURCES,
    ),
    refs=(f"{_GUIDE}/access-tokens.html",),
)
source_tls = setting(
    "cloud.codebuild.source-tls",
    BuildProjects,
    lambda one: not one.insecure,
    title="Builds check whom their source is from",
    why="Without a certificate that is checked, whoever sits between hands the build a program of their own.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"not checked: {joined(one.insecure)}",
    good="checked",
    fix=_fix(
        "Check the certificate of the source of build project @{name}",
        "Turn insecureSsl off and take sources by HTTPS; give the project the authority where it is a "
        "private one.",
        _SOURCES,
        "(.. | objects | select(.insecureSsl)).insecureSsl = false | "
        '(.. | objects | .location? | strings) |= sub("^http:"; "https:"; "i")',
    ),
    refs=(f"{_GUIDE}/change-project.html",),
)
privileged = setting(
    "cloud.codebuild.privileged",
    BuildProjects,
    lambda one: not one.privileged,
    title="Builds do not run with all rights of their machine",
    why="Whoever changes the source of a privileged build is root on the machine and has its role's keys.",
    severity=Severity.LOW,
    bad="privileged",
    good="not privileged",
    fix=_fix(
        "Take privileged mode from build project @{name}",
        "Build images by a tool that needs no daemon, and turn privileged mode off.",
        ("environment",),
        ".environment.privilegedMode = false",
    ),
    refs=(f"{_GUIDE}/change-project.html",),
)
logs = setting(
    "cloud.codebuild.logs",
    BuildProjects,
    lambda one: one.logs,
    title="Builds keep their logs",
    why="Without a log nobody can tell what a build did that brought a foreign program in.",
    severity=Severity.LOW,
    bad="nowhere",
    good="to CloudWatch or a bucket",
    fix=_fix(
        "Keep the logs of build project @{name}",
        "Send them to CloudWatch.",
        ("logsConfig",),
        '.logsConfig.cloudWatchLogs.status = "ENABLED"',
    ),
    refs=(f"{_GUIDE}/change-project.html",),
)
encryption = setting(
    "cloud.codebuild.encryption",
    BuildProjects,
    lambda one: not one.plain,
    title="Builds encrypt what they store",
    why="What is shipped, and logs that may show secrets, lie readable for whoever gets at the bucket.",
    severity=Severity.LOW,
    bad=lambda one: f"plain: {joined(one.plain)}",
    good="encrypted",
    fix=_fix(
        "Encrypt what build project @{name} stores",
        "Set encryptionDisabled to false for its artifacts, and for its logs in a bucket.",
        ("artifacts", "secondaryArtifacts", "logsConfig"),
        "(.. | objects | select(.encryptionDisabled)).encryptionDisabled = false",
    ),
    refs=(f"{_GUIDE}/change-project.html",),
)
badge = setting(
    "cloud.codebuild.badge",
    BuildProjects,
    lambda one: not one.badge,
    title="Builds do not tell everybody whether they work",
    why="The address of a badge needs no sign-in, and shows that the project is there and when it breaks.",
    severity=Severity.INFO,
    bad="a public badge",
    good="no badge",
    fix=repair(
        "Turn the badge of build project @{name} off",
        "Turn it off unless the project is public.",
        f"{_SHOW} 'projects[0].badge.badgeEnabled'  # false",
        f"{_UPDATE} --no-badge-enabled",
        f"{_UPDATE} --badge-enabled",
        back="Turn it on again; its address is another one then.",
    ),
    refs=(f"{_GUIDE}/sample-build-badges.html",),
)


@check(
    "cloud.codebuild.public",
    title="Builds are not shown to everybody",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=repair(
        "Hide the builds of @{name}",
        "Make the project private; look through its logs and artifacts for secrets that were shown.",
        f"{_SHOW} 'projects[0].projectVisibility'  # PRIVATE",
        "aws codebuild update-project-visibility --region @{region} --project-arn @{on} "
        "--project-visibility PRIVATE",
        "aws codebuild update-project-visibility --region @{region} --project-arn @{on} "
        '--project-visibility PUBLIC_READ --resource-access-role "$ROLE_ARN"',
        key="codebuild:public @{on}",
    ),
    refs=(f"{_GUIDE}/public-builds.html",),
)
def public(found: BuildProjects) -> Verdicts:
    """Everybody reads the logs and the artifacts of a public project, and whatever a build printed."""
    for one in found.projects:
        yield expect(
            not one.public,
            on=one.arn,
            where=one.region,
            saw="shown to everybody" if one.public else "private",
            want="private",
            exposure=Exposure.INTERNET_OPEN if one.public else None,
            exposure_evidence=f"the builds of {one.name} need no sign-in" if one.public else "",
            values={"name": one.name},
        )


@check(
    "cloud.codebuild.pull-requests",
    title="Pull requests of strangers start no build",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Let nobody but your own people start builds of @{name}",
        "Ask for an approval before a pull request is built, and put ^ and $ around each number of an "
        "account in the filters of the webhook. Let only those approve who may write.",
        f"{_SHOW} 'projects[0].webhook.[pullRequestBuildPolicy, filterGroups]'",
        f"{_SHOW} 'projects[0].webhook.pullRequestBuildPolicy' > policy.before.json &&\n"
        "aws codebuild update-webhook --region @{region} --project-name @{name} "
        "--pull-request-build-policy requiresCommentApproval=ALL_PULL_REQUESTS,"
        "approverRoles=GITHUB_ADMIN,GITHUB_MAINTAIN,GITHUB_WRITE,GITLAB_OWNER,GITLAB_MAINTAINER,"
        "GITLAB_DEVELOPER,BITBUCKET_ADMIN,BITBUCKET_WRITE",
        "aws codebuild update-webhook --region @{region} --project-name @{name} "
        "--pull-request-build-policy file://policy.before.json",
        hours=(0.5, 0.25),
        key="codebuild:webhook @{on}",
    ),
    refs=(f"{_GUIDE}/pull-request-build-policy.html",),
)
def pull_requests(found: BuildProjects) -> Verdicts:
    """A build runs what the pull request says, with the role and the secrets of the project."""
    for one in found.projects:
        asked = one.approval in ("ALL_PULL_REQUESTS", "FORK_PULL_REQUESTS")
        if one.strangers == "unclear" and not asked:
            yield unknown(one.arn, "whom the pattern of its webhook lets in is unclear", where=one.region)
            continue
        if one.strangers in ("loose", "everybody") and not one.approval:
            yield unknown(one.arn, "whether pull requests need an approval is not told", where=one.region)
            continue
        held = asked or one.strangers in ("nobody", "listed")
        yield expect(
            held,
            on=one.arn,
            where=one.region,
            saw="after an approval"
            if asked
            else _STATES[one.strangers] + _SELF * (one.approval == "READERS"),
            want="an approval, or exact numbers of accounts",
            # Whether strangers can open pull requests at all, the repository decides.
            confidence=Confidence.CONFIRMED if held else Confidence.LIKELY,
            values={"name": one.name},
        )
