"""Public zones of Route 53: whether queries are recorded and answers signed."""

from __future__ import annotations

from checks.cloud.setting import repair, setting
from checks.facts.cloud.route53 import ZoneLogs, ZoneSignings
from checks.model import Severity

_LOGS = "aws route53 list-query-logging-configs --hosted-zone-id @{id}"
_DNSSEC = "aws route53 get-dnssec --hosted-zone-id @{id}"

query_log = setting(
    "cloud.route53.query-log",
    ZoneLogs,
    lambda one: one.logged,
    title="Queries of public zones are logged",
    why="Who looked for which names shows the scouting before an attack, and names that leak data; without "
    "the log nobody can look back.",
    severity=Severity.LOW,
    bad="queries are not logged",
    good="queries are logged",
    fix=repair(
        "Log the queries of zone @{name}",
        "Make a log group in us-east-1, let route53.amazonaws.com write into it by a resource policy of "
        "CloudWatch Logs, then make the logging configuration.",
        f"{_LOGS} --query 'length(QueryLoggingConfigs)'   # 1",
        "aws route53 create-query-logging-config --hosted-zone-id @{id} "
        '--cloud-watch-logs-log-group-arn "$LOG_GROUP_ARN"',
        f"{_LOGS} --query 'QueryLoggingConfigs[0].Id' --output text > logging.id &&\n"
        'aws route53 delete-query-logging-config --id "$(cat logging.id)"',
        back="Delete the configuration; the log group stays.",
        hours=(0.5, 0.1),
        terraform='resource "aws_route53_query_log" "queries" {\n  zone_id                  = @{id}\n'
        "  cloudwatch_log_group_arn = var.log_group_arn\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/query-logs.html",),
)
dnssec = setting(
    "cloud.route53.dnssec",
    ZoneSignings,
    lambda one: one.state == "SIGNING",
    title="Public zones are signed",
    why="Without signatures a forged answer sends visitors and mail to somebody else, and no resolver "
    "can tell.",
    severity=Severity.LOW,
    bad=lambda one: f"signing: {one.state}",
    good="signing: SIGNING",
    fix=repair(
        "Sign zone @{name}",
        "Make a key-signing key over an asymmetric KMS key (ECC_NIST_P256) in us-east-1, turn signing on, "
        "then put the DS record into the parent zone. Lower the TTLs a day before, and set an alarm on "
        "DNSSECInternalFailure: a broken chain takes the whole name off the net.",
        f"{_DNSSEC} --query Status.ServeSignature --output text   # SIGNING",
        'aws route53 create-key-signing-key --hosted-zone-id @{id} --caller-reference "$(date +%s)" '
        '--key-management-service-arn "$KMS_KEY_ARN" --name signing --status ACTIVE &&\n'
        "aws route53 enable-hosted-zone-dnssec --hosted-zone-id @{id}",
        "aws route53 disable-hosted-zone-dnssec --hosted-zone-id @{id}",
        back="Take the DS record out of the parent zone first and wait until its TTL is over, then turn "
        "signing off.",
        hours=(2.0, 1.0),
        terraform='resource "aws_route53_key_signing_key" "signing" {\n'
        "  hosted_zone_id             = @{id}\n  key_management_service_arn = var.kms_key_arn\n"
        '  name                       = "signing"\n}\n\n'
        'resource "aws_route53_hosted_zone_dnssec" "signed" {\n'
        "  hosted_zone_id = aws_route53_key_signing_key.signing.hosted_zone_id\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-configuring-dnssec.html",),
)
