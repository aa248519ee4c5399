"""Search domains: who gets in, and over what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from checks.check import Check, check
from checks.cloud import releases
from checks.cloud.resource_policies import family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.opensearch import Domains
from checks.facts.snapshot import Fact
from checks.fix import Disruption
from checks.model import Severity, Surface
from checks.verdict import Verdicts, unknown

POLICIES = family("opensearch")

_UPDATE = "aws opensearch update-domain-config --region @{region} --domain-name @{name}"
_READ = "aws opensearch describe-domain --region @{region} --domain-name @{name} --query"
_ANEW = ".\n# Elasticsearch before 6.7 is made anew for this, and loses its data: look at the plan first.\n"
_REFERENCE = "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/security.html"


def _switch(  # noqa: PLR0917 - the columns of the table below
    name: str, held: Callable[[Any], bool], title: str, why: str, words: tuple[str, str], fix: tuple[str, ...]
) -> Check[[Fact]]:
    action, do, query, on, off, terraform = fix
    return setting(
        f"cloud.opensearch.{name}",
        Domains,
        held,
        title=title,
        why=why,
        severity=Severity.MEDIUM,
        bad=words[0],
        good=words[1],
        fix=repair(
            action,
            do,
            f"{_READ} DomainStatus.{query}",
            f"{_UPDATE} {on}",
            f"{_UPDATE} {off}"
            if off
            else "# This cannot be switched off again; restore a snapshot instead.\ntrue",
            terraform=f"# In the aws_opensearch_domain with domain_name @{{name}}{terraform}",
            hours=(0.5, 0.5),
            key=f"opensearch:{name} @{{on}}",
        ),
        refs=(_REFERENCE,),
    )


SWITCHES = (
    _switch(
        "https",
        lambda one: one.https and "TLS-1-0" not in one.tls,
        "Search domains answer over current TLS only",
        "Over plain HTTP or TLS 1.0 queries, answers and passwords can be read on the way.",
        ("plain HTTP or TLS 1.0 is answered", "HTTPS with TLS 1.2 only"),
        (
            "Answer over TLS 1.2 only at domain @{name}",
            "Enforce HTTPS with a policy of TLS 1.2, after the clients use it.",
            "DomainEndpointOptions",
            "--domain-endpoint-options EnforceHTTPS=true,TLSSecurityPolicy=Policy-Min-TLS-1-2-PFS-2023-10",
            "--domain-endpoint-options EnforceHTTPS=false",
            ":\ndomain_endpoint_options {\n  enforce_https       = true\n"
            '  tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"\n}\n',
        ),
    ),
    _switch(
        "encryption",
        lambda one: one.at_rest,
        "Search domains are encrypted",
        "The index holds a copy of the data that it makes searchable, snapshots included.",
        ("not encrypted", "encrypted"),
        (
            "Encrypt domain @{name}",
            "Turn on encryption at rest; the domain is rebuilt behind the scenes, and it cannot be turned "
            "off again.",
            "EncryptionAtRestOptions",
            "--encryption-at-rest-options Enabled=true",
            "",
            f"{_ANEW}encrypt_at_rest {{\n  enabled = true\n}}\n",
        ),
    ),
    _switch(
        "between-nodes",
        lambda one: one.between,
        "Nodes of search domains speak encrypted",
        "Data that moves between the nodes of a domain crosses the network in the clear without it.",
        ("in the clear", "encrypted"),
        (
            "Encrypt between the nodes of domain @{name}",
            "Turn on node-to-node encryption; it cannot be turned off again.",
            "NodeToNodeEncryptionOptions",
            "--node-to-node-encryption-options Enabled=true",
            "",
            f"{_ANEW}node_to_node_encryption {{\n  enabled = true\n}}\n",
        ),
    ),
    _switch(
        "fine-grained",
        lambda one: one.fine,
        "Search domains know who is asking",
        "Without rights of single users everybody who gets through the policy may do everything.",
        ("no users and roles of its own", "users and roles of its own"),
        (
            "Turn on fine-grained access at domain @{name}",
            "Turn on advanced security with an IAM role as master user, then map roles to users. Needs "
            "HTTPS and both "
            "encryptions first; it cannot be turned off again.",
            "AdvancedSecurityOptions",
            '--advanced-security-options "Enabled=true,MasterUserOptions={MasterUserARN=$ROLE_ARN}"',
            "",
            "; it cannot be turned off again:\nadvanced_security_options {\n  enabled = true\n"
            "  master_user_options {\n    master_user_arn = var.role_arn\n  }\n}\n",
        ),
    ),
    _switch(
        "audit-logs",
        lambda one: one.audit,
        "Search domains record who asked for what",
        "After an incident nobody can say what was read without it.",
        ("no audit log", "audit log"),
        (
            "Record access at domain @{name}",
            "Publish audit logs into a log group whose policy lets the service write.",
            "LogPublishingOptions",
            '--log-publishing-options "AUDIT_LOGS={CloudWatchLogsLogGroupArn=$LOG_GROUP_ARN,Enabled=true}"',
            "--log-publishing-options 'AUDIT_LOGS={Enabled=false}'",
            ':\nlog_publishing_options {\n  log_type                 = "AUDIT_LOGS"\n'
            "  cloudwatch_log_group_arn = var.log_group_arn\n}\n",
        ),
    ),
    _switch(
        "updates",
        lambda one: not one.update,
        "Search domains have their service updates",
        "Updates of the service software close flaws; a domain takes them when somebody says so.",
        ("an update waits", "up to date"),
        (
            "Update domain @{name}",
            "Start the update, or let the domain take updates in its off-peak window.",
            "ServiceSoftwareOptions",
            "--software-update-options AutoSoftwareUpdateEnabled=true",
            "--software-update-options AutoSoftwareUpdateEnabled=false",
            ":\nsoftware_update_options {\n  auto_software_update_enabled = true\n}\n",
        ),
    ),
)


@check(
    "cloud.opensearch.supported-release",
    title="Search domains run a release with support",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Upgrade domain @{name} to a release with support",
        "Ask for the upgrade check first: old indices have to be written anew before some releases. Take a "
        "snapshot of your own; the upgrade itself runs beside the old nodes.",
        f"{_READ} DomainStatus.EngineVersion",
        "aws opensearch get-compatible-versions --region @{region} --domain-name @{name} &&\n"
        "aws opensearch upgrade-domain --region @{region} --domain-name @{name} "
        '--target-version "$NEW_VERSION" --perform-check-only &&\n'
        "aws opensearch upgrade-domain --region @{region} --domain-name @{name} "
        '--target-version "$NEW_VERSION"',
        "# An upgrade cannot be undone: restore the snapshot into a domain of the old release instead.\ntrue",
        hours=(1.0, 4.0),
        back="Restore the snapshot from before the upgrade.",
        disruption=Disruption.OUTAGE,
        key="opensearch:upgrade @{on}",
        terraform="# In the aws_opensearch_domain with domain_name @{name}, after the upgrade check:\n"
        "engine_version = var.new_version\n",
    ),
    refs=("https://docs.aws.amazon.com/opensearch-service/latest/developerguide/what-is.html",),
)
def supported_release(found: Domains, *, now: datetime) -> Verdicts:
    """A release without support gets no more fixes, and AWS charges extra for keeping it."""
    for one in found.domains:
        engine, _, version = one.version.partition("_")
        if not version:
            yield unknown(one.arn, "its release is not told", where=one.region)
            continue
        yield releases.judged(one.arn, engine, version, now, where=one.region, values={"name": one.name})
