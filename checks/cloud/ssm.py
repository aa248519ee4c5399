"""Systems Manager: what is shared, and what lies in the clear."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud.ages import days_since
from checks.cloud.setting import repair, setting
from checks.facts.cloud.ec2 import Ec2Instances
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.ssm import (
    Documents,
    DocumentShareBlocks,
    ManagedInstances,
    Parameters,
    PatchState,
    PatchStates,
    SessionLogs,
)
from checks.fix import Disruption
from checks.model import Confidence, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable


@check(
    "cloud.ssm.shared-documents",
    title="Documents are shared with nobody unknown",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Stop sharing document @{name}",
        "Take the share away; look in the document for names, addresses and secrets: they may have been "
        "read.",
        "aws ssm describe-document-permission --region @{region} --name @{name} --permission-type Share   # "
        "nobody",
        "aws ssm modify-document-permission --region @{region} --name @{name} --permission-type Share "
        "--account-ids-to-remove @{shared}",
        "aws ssm modify-document-permission --region @{region} --name @{name} --permission-type Share "
        "--account-ids-to-add @{shared}",
        key="ssm:share @{on}",
        terraform="# In the aws_ssm_document @{name}, without @{shared}; where nobody is left, without "
        'permissions:\npermissions = {\n  type        = "Share"\n'
        '  account_ids = join(",", var.known_accounts)\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html",),
)
def shared_documents(
    found: Documents, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()
) -> Verdicts:
    """Scripts for one's own machines tell an attacker how those are built, and often hold a password."""
    friends = trusted | {*known.accounts}
    for one in found.documents:
        strangers = [name for name in one.shared if name not in friends]
        yield expect(
            not strangers,
            on=one.arn,
            where=one.region,
            saw=f"shared with "
            f"{'everybody' if 'all' in (s.lower() for s in strangers) else ', '.join(strangers)}"
            if strangers
            else "shared with nobody unknown",
            want="shared with nobody unknown",
            confidence=Confidence.CONFIRMED if known.whole else Confidence.LIKELY,
            values={"name": one.name, "shared": strangers[0] if strangers else ""},
        )


plain_secrets = setting(
    "cloud.ssm.plain-secrets",
    Parameters,
    lambda one: one.secure if one.suspect else None,
    title="Parameters that are secrets are encrypted",
    why="Whoever may read parameters reads them all; an encrypted one takes a second right, on its key.",
    severity=Severity.MEDIUM,
    bad="in the clear, by its name a secret",
    good="encrypted",
    fix=repair(
        "Encrypt parameter @{name}",
        "Put the value again as a SecureString under another name, let the applications read that, then "
        "delete this one and "
        "change the secret: it was readable until now.",
        "aws ssm describe-parameters --region @{region} --parameter-filters Key=Name,Values=@{name} "
        "--query 'Parameters[].Type'   # SecureString",
        "aws ssm delete-parameter --region @{region} --name @{name}",
        "# With its value from the application:\naws ssm put-parameter --region @{region} --name @{name} "
        "--type String "
        '--value "$VALUE"',
        hours=(0.5, 0.5),
        back="Put the parameter again.",
        terraform="# In place of the aws_ssm_parameter with name @{name}, once the applications read "
        'this one:\nresource "aws_ssm_parameter" "secret" {\n  name             = var.new_name\n'
        '  type             = "SecureString"\n  value_wo         = var.renewed_secret\n'
        "  value_wo_version = 1\n}\n",
    ),
    refs=(
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-securestring.html",
    ),
)


@check(
    "cloud.ssm.managed",
    title="Running instances are managed by Systems Manager",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Let Systems Manager manage instance @{on}",
        "Give the role of the instance AmazonSSMManagedInstanceCore, install the agent where the image lacks "
        "it, and let it reach the service over the internet or over endpoints in the VPC. Default Host "
        "Management does the first for a whole region.",
        "aws ssm describe-instance-information --region @{region} --filters Key=InstanceIds,Values=@{on} "
        "--query 'InstanceInformationList[].PingStatus'   # Online",
        'aws iam attach-role-policy --role-name "$ROLE" --policy-arn '
        "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
        'aws iam detach-role-policy --role-name "$ROLE" --policy-arn '
        "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
        hours=(0.5, 0.25),
        back="Take the policy from the role again.",
        terraform='resource "aws_iam_role_policy_attachment" "managed" {\n'
        "  role       = var.role # that of instance @{on}\n"
        '  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/systems-manager/latest/userguide/managed_instances.html",),
)
def managed(instances: Ec2Instances, found: ManagedInstances) -> Verdicts:
    """What nobody manages nobody patches, and people open SSH to it because there is no other way in."""
    known = {(one.region, one.id): one for one in found.instances}
    for one in instances.instances:
        if one.region not in found.regions or one.state != "running":
            continue
        its = known.get((one.region, one.id))
        last = f", last heard of at {its.seen}" if its and its.seen else ""
        yield expect(
            its is not None and its.online,
            on=one.id,
            where=one.region,
            saw="not managed" if its is None else "online" if its.online else f"managed, but silent{last}",
            want="online",
        )


@check(
    "cloud.ssm.patches",
    title="Managed machines have their patches",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Install the missing patches on @{on}",
        "Install them in a maintenance window, and let a patch policy do it every week from then on.",
        "aws ssm describe-instance-patch-states --region @{region} --instance-ids @{on} --query "
        "'InstancePatchStates[].[MissingCount,FailedCount,InstalledPendingRebootCount]'   # 0 0 0",
        "aws ssm send-command --region @{region} --document-name AWS-RunPatchBaseline --instance-ids @{on} "
        "--parameters Operation=Install,RebootOption=RebootIfNeeded",
        "# Patches are taken back one by one, by the package manager of the machine.\ntrue",
        hours=(0.5, 0.25),
        disruption=Disruption.REBOOT,
        back="Take back the one patch that breaks something, on the machine.",
        key="ssm:patches @{region}",
        terraform='resource "aws_ssm_association" "patches" {\n'
        '  name                        = "AWS-RunPatchBaseline"\n'
        '  schedule_expression         = "cron(0 3 ? * SUN *)"\n  apply_only_at_cron_interval = true\n'
        '  parameters = {\n    Operation    = "Install"\n    RebootOption = "RebootIfNeeded"\n  }\n'
        '  targets {\n    key    = "InstanceIds"\n    values = [@{on}]\n  }\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager.html",),
)
def patches(found: ManagedInstances, states: PatchStates, *, now: datetime, days: int = 30) -> Verdicts:
    """Known flaws are tried on every machine within days; what was not looked at for weeks has them."""
    known = {(one.region, one.id): one for one in states.states}
    for one in found.instances:
        if one.region in states.regions:
            its = known.get((one.region, one.id))
            problems = _lacks(its, now, days) if its else ("nobody has ever looked for patches",)
            pressing = its is not None and its.critical + its.security > 0
            yield expect(
                not problems,
                on=one.id,
                where=one.region,
                saw="; ".join(problems) or "no patch missing",
                want=f"no patch missing, looked for within {days} days",
                severity=Severity.HIGH if pressing else None,
            )


def _lacks(one: PatchState, now: datetime, days: int) -> tuple[str, ...]:
    since = days_since(one.looked, now) or 0
    counts = (
        (one.critical, "critical"),
        (one.security, "for security"),
        (one.missing, "missing"),
        (one.failed, "failed"),
        (one.waiting, "waiting for a restart"),
    )
    told = [f"{number} {words}" for number, words in counts if number]
    return (*told, *((f"looked for {since} days ago",) if since > days else ()))


@check(
    "cloud.ssm.session-logs",
    title="Sessions on machines are recorded",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Record the sessions in region @{region}",
        "Write the preferences of Session Manager: a log group or a bucket, and a key for both. The roles of "
        "the instances need the right to write there.",
        "aws ssm get-document --region @{region} --name SSM-SessionManagerRunShell --query Content "
        "--output text   # cloudWatchLogGroupName or s3BucketName is not empty",
        "aws ssm get-document --region @{region} --name SSM-SessionManagerRunShell --query Content --output "
        "text > sessions.before.json 2> sessions.error || {\n"
        '  grep -q InvalidDocument sessions.error && jq -n \'{schemaVersion:"1.0",description:"sessions",'
        'sessionType:"Standard_Stream",inputs:{}}\' > sessions.before.json; } &&\n'
        "jq --arg g \"$LOG_GROUP\" '.inputs.cloudWatchLogGroupName=$g' sessions.before.json > "
        "sessions.after.json &&\n"
        "{ aws ssm update-document --region @{region} --name SSM-SessionManagerRunShell --document-version "
        "'$LATEST' --content file://sessions.after.json ||\n"
        "  aws ssm create-document --region @{region} --name SSM-SessionManagerRunShell --document-type "
        "Session --document-format JSON --content file://sessions.after.json; }",
        "aws ssm update-document --region @{region} --name SSM-SessionManagerRunShell --document-version "
        "'$LATEST' --content file://sessions.before.json",
        hours=(0.5, 0.1),
        back="Write the saved preferences again.",
        key="ssm:session-logs @{region}",
        terraform="# In region @{region}; where the document is there, import it and keep its other "
        'inputs:\nresource "aws_ssm_document" "sessions" {\n'
        '  name            = "SSM-SessionManagerRunShell"\n  document_type   = "Session"\n'
        '  document_format = "JSON"\n  content = jsonencode({\n    schemaVersion = "1.0"\n'
        '    description   = "sessions"\n    sessionType   = "Standard_Stream"\n'
        "    inputs        = { cloudWatchLogGroupName = var.log_group }\n  })\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html",),
)
def session_logs(found: SessionLogs, machines: ManagedInstances) -> Verdicts:
    """The trail says that somebody opened a session; only its record says what was typed."""
    used = {one.region for one in machines.instances}
    for one in found.settings:
        where = [name for name in (one.log_group, one.bucket) if name]
        if not where and one.region not in used:
            if one.region in machines.regions:
                yield not_applicable(one.region, "no machine that a session could open", where=one.region)
            continue
        yield expect(
            bool(where),
            on=one.region,
            where=one.region,
            saw=f"recorded in {' and '.join(where)}" if where else "recorded nowhere",
            want="recorded in a log group or a bucket",
        )


share_block = setting(
    "cloud.ssm.share-block",
    DocumentShareBlocks,
    lambda one: one.blocked,
    on="region",
    title="Documents cannot be shared with everybody",
    why="With the block on, no mistake publishes a script with the names and secrets that are in it.",
    severity=Severity.LOW,
    bad="everybody may be let in",
    good="sharing with everybody is blocked",
    fix=repair(
        "Block the sharing of documents with everybody in region @{on}",
        "Turn the block on; documents that are public already stay so until their share is taken away.",
        "aws ssm get-service-setting --region @{on} --setting-id "
        "/ssm/documents/console/public-sharing-permission --query ServiceSetting.SettingValue   # Disable",
        "aws ssm update-service-setting --region @{on} --setting-id "
        "/ssm/documents/console/public-sharing-permission --setting-value Disable",
        "aws ssm update-service-setting --region @{on} --setting-id "
        "/ssm/documents/console/public-sharing-permission --setting-value Enable",
        key="ssm:share-block @{on}",
        terraform='# With a provider of region @{on}:\nresource "aws_ssm_service_setting" "share_block" {\n'
        "  setting_id = format(\n"
        '    "arn:aws:ssm:%s:%s:servicesetting/ssm/documents/console/public-sharing-permission",\n'
        '    @{on}, @{account}\n  )\n  setting_value = "Disable"\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html",),
)
