"""IAM Access Analyzer: whether AWS itself looks for outsiders and unused rights."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair, setting
from checks.facts.cloud.detection import Analyzers
from checks.facts.cloud.iam import IamRoles, IamUsers
from checks.facts.cloud.unused import UnusedRights
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-getting-started.html"
_UNUSED_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings-view.html"

external = setting(
    "cloud.access-analyzer.external",
    Analyzers,
    lambda one: one.external,
    on="region",
    title="Access Analyzer looks for outsiders in every region",
    why="It tells at once when a policy lets in somebody from outside, in the days between two scans.",
    severity=Severity.LOW,
    bad="no active analyzer",
    good="active",
    fix=repair(
        "Let Access Analyzer look for outsiders",
        "Make an analyzer in each region; of the organization, in its delegated administrator. It costs "
        "nothing.",
        "aws accessanalyzer list-analyzers --region @{on} --query 'analyzers[].[type,status]'",
        "aws accessanalyzer create-analyzer --region @{on} --analyzer-name outsiders --type ACCOUNT",
        "aws accessanalyzer delete-analyzer --region @{on} --analyzer-name outsiders",
        terraform="# With the provider of region @{on}:\n"
        'resource "aws_accessanalyzer_analyzer" "outsiders" {\n'
        '  analyzer_name = "outsiders"\n  type          = "ACCOUNT"\n}\n',
        back="Delete the analyzer.",
        key="access-analyzer:external @{account}",
    ),
    refs=(_GUIDE,),
)


@check(
    "cloud.access-analyzer.unused-rights",
    title="Users and roles have no rights that they do not use",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Take the unused rights from @{name}",
        "See which services and actions the finding lists, take them out of the policies of @{name}, and "
        "archive the finding where they are meant for emergencies.",
        "aws accessanalyzer get-findings-statistics --region @{home} --analyzer-arn @{analyzer}   "
        "# fewer active findings",
        "# Which services its holder has not used for as long as AWS remembers:\n"
        "JOB_ID=$(aws iam generate-service-last-accessed-details --arn @{on} "
        "--query JobId --output text) &&\n"
        "sleep 10 &&\n"
        'aws iam get-service-last-accessed-details --job-id "$JOB_ID" --query '
        "'ServicesLastAccessed[?!LastAuthenticated].ServiceName'",
        "# Nothing was changed.\ntrue",
        back="Set the former version of the policy as its default again.",
        hours=(0.5, 0.5),
    ),
    refs=(_UNUSED_GUIDE,),
)
def unused_rights(found: UnusedRights, users: IamUsers, roles: IamRoles) -> Verdicts:
    """A right that its holder does not miss is one that only an intruder would use."""
    if not found.analyzers:
        return
    idle = {one.arn for one in found.findings}
    analyzer = found.analyzers[0]
    names = {user.arn: f"user/{user.name}" for user in users.users}
    names |= {role.arn: f"role/{role.name}" for role in roles.roles if not role.linked}
    for arn, name in names.items():
        yield expect(
            arn not in idle,
            on=arn,
            saw="rights that were not used" if arn in idle else "no unused right was found",
            want="no unused right",
            values={
                "name": name,
                "analyzer": analyzer,
                "home": analyzer.split(":")[3],
            },
        )
