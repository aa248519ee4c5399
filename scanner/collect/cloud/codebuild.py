"""Collects build projects: a list of names, then a hundred projects by one call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from urllib.parse import urlsplit

from checks.facts.cloud.codebuild import BuildProject, BuildProjects
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, some, text
from scanner.collect.cloud.secrets import find
from scanner.collect.cloud.variables import secret_names
from scanner.collect.collector import Collected

LIST = Call("codebuild", "ListProjects", (BuildProjects,))
PROJECTS = Call("codebuild", "BatchGetProjects", (BuildProjects,), key="projects")

_AT_ONCE = 100
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,}")
_ASKS = frozenset(
    {"PULL_REQUEST_CREATED", "PULL_REQUEST_UPDATED", "PULL_REQUEST_REOPENED", "PULL_REQUEST_CLOSED"}
)
"""What whoever opened a pull request causes; only those who may write merge it."""
_READERS = frozenset({"GITHUB_READ", "GITLAB_GUEST", "GITLAB_PLANNER", "GITLAB_REPORTER", "BITBUCKET_READ"})
"""Roles that everybody has in a public repository, or that decide on no code."""
_OWN_SERVERS = frozenset({"GITHUB_ENTERPRISE", "GITLAB_SELF_MANAGED"})
"""The sources for which `insecureSsl` means something; the others are AWS's own or checked anyway."""
_WHOLE = r"\^(?:\d+|\((?:\?:)?\d+(?:\|\d+)*\))\$"
_EXACT = re.compile(rf"{_WHOLE}(?:\|{_WHOLE})*")
_NUMBERS = re.compile(r"[\d|^$()?:]+")
_ANYTHING = frozenset({"", ".*", ".+", "^.*", "^.+", ".*$", ".+$", "^.*$", "^.+$"})
_WORST = ("nobody", "listed", "unclear", "loose", "everybody")


def projects(place: Place) -> Collected:
    """The projects."""
    names = sorted(str(one) for page in place.pages(LIST) for one in some(page, "projects"))
    empty = Collected(facts=(BuildProjects(place.account, (place.region,), ()),))
    parts = [names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE)]
    things = [
        (
            place.region if len(parts) == 1 else place.where(f"{part[0]}…"),
            PROJECTS,
            partial(_some, place, part),
        )
        for part in parts
    ]
    return empty + place.each(things)


def _some(place: Place, names: Sequence[str]) -> Collected:
    raw = place.all_of(PROJECTS, names=list(names))
    found, lost = place.read(raw, PROJECTS, "name", partial(_project, place.region))
    fact = BuildProjects(place.account, (place.region,), found)
    return lost + place.found(fact, PROJECTS, found, names=[one.arn for one in found])


def _project(region: str, raw: Raw) -> BuildProject:
    environment, logs = group(raw, "environment"), group(raw, "logsConfig")
    sources = {"source": group(raw, "source")}
    sources |= {text(one, "sourceIdentifier"): one for one in some(raw, "secondarySources")}
    strangers, approval = _webhook(group(raw, "webhook"))
    return BuildProject(
        arn=text(raw, "arn"),
        name=text(raw, "name"),
        region=region,
        secrets=_secrets(environment, sources["source"]),
        source_secrets=_where(name for name, one in sources.items() if _signed_in(text(one, "location", ""))),
        insecure=_where(name for name, one in sources.items() if _unchecked(one)),
        privileged=flag(environment, "privilegedMode", False),
        public=text(raw, "projectVisibility", "PRIVATE") == "PUBLIC_READ",
        badge=flag(group(raw, "badge"), "badgeEnabled", False),
        # Logs go to CloudWatch unless they are told not to.
        logs=text(group(logs, "cloudWatchLogs"), "status", "ENABLED") == "ENABLED"
        or text(group(logs, "s3Logs"), "status", "DISABLED") == "ENABLED",
        plain=_plain(raw, group(logs, "s3Logs")),
        strangers=strangers,
        approval=approval,
    )


def _where(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _secrets(environment: Raw, source: Raw) -> tuple[str, ...]:
    """Names of plain variables that hold a secret, and `buildspec` where its text does."""
    variables = {
        text(one, "name"): text(one, "value", "")
        for one in some(environment, "environmentVariables")
        if text(one, "type", "PLAINTEXT") == "PLAINTEXT"
    }
    written = ("buildspec",) if find(text(source, "buildspec", "").encode()) else ()
    return (*secret_names(variables), *written)


def _signed_in(location: str) -> bool:
    """Whether an address carries a password or token; a name alone is none."""
    try:
        parts = urlsplit(location)
        password, name = parts.password or "", parts.username or ""
    except ValueError:
        return bool(find(location.encode()))
    return bool(password) or bool(_TOKEN.fullmatch(name))


def _unchecked(source: Raw) -> bool:
    """Whether nobody checks that the source is the one it is meant to be."""
    if text(source, "location", "").lower().startswith("http://"):
        return True
    return text(source, "type", "") in _OWN_SERVERS and flag(source, "insecureSsl", False)


def _plain(raw: Raw, logs: Raw) -> tuple[str, ...]:
    stores = [group(raw, "artifacts"), *some(raw, "secondaryArtifacts")]
    kept = [one for one in stores if text(one, "type", "NO_ARTIFACTS") == "S3"]
    shipped = any(flag(one, "encryptionDisabled", False) for one in kept)
    written = text(logs, "status", "DISABLED") == "ENABLED" and flag(logs, "encryptionDisabled", False)
    return tuple(name for name, plain in (("artifacts", shipped), ("logs", written)) if plain)


def _webhook(raw: Raw) -> tuple[str, str]:
    """Whose pull requests start a build, and whether somebody has to agree."""
    if not raw:
        return "nobody", ""
    groups = some(raw, "filterGroups")
    # Without any filter every push and every pull request is built.
    who = max((_of(one) for one in groups), key=_WORST.index) if groups else "everybody"
    policy = group(raw, "pullRequestBuildPolicy")
    approval = text(policy, "requiresCommentApproval", "")
    if approval not in ("", "DISABLED") and not _READERS.isdisjoint(some(policy, "approverRoles")):
        approval = "READERS"
    return who, approval


def _of(filters: Sequence[Raw]) -> str:
    """Whose pull requests one group of filters lets through: all of its filters have to fit."""
    asks = set(_ASKS)
    for one in filters:
        if text(one, "type") == "EVENT":
            events = {event.strip() for event in text(one, "pattern").split(",")}
            asks = asks - events if flag(one, "excludeMatchedPattern", False) else asks & events
    if not asks:
        return "nobody"
    patterns = [
        text(one, "pattern")
        for one in filters
        if text(one, "type") == "ACTOR_ACCOUNT_ID" and not flag(one, "excludeMatchedPattern", False)
    ]
    if all(pattern in _ANYTHING for pattern in patterns):
        return "everybody"
    if any(_EXACT.fullmatch(pattern) for pattern in patterns):
        return "listed"
    # Without ^ and $ around each number, whoever has a longer number that holds it is let in too.
    return "loose" if all(_NUMBERS.fullmatch(pattern) for pattern in patterns) else "unclear"


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("codebuild projects", True, (LIST, PROJECTS), projects)
