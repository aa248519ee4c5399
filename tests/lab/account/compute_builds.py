"""Stacks, build projects and state machines."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.account_compute import CANARY, with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

_TEMPLATE = {"Resources": {"Wait": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}


def plant(lab: Lab) -> None:
    """Builds them; what the emulator has not got, it is told to answer."""
    first = len(lab.planted)
    _stacks(lab)
    _projects(lab)
    _machines(lab)
    with_peers(lab, first)


def _stack(
    lab: Lab, name: str, *, region: str = MAIN, protected: bool = True, **parts: dict[str, str]
) -> str:
    """A stack with these `parameters` and `outputs`; its ARN."""
    parameters = parts.get("parameters", {})
    template = {
        **_TEMPLATE,
        "Parameters": {key: {"Type": "String"} for key in parameters},
        "Outputs": {key: {"Value": value} for key, value in parts.get("outputs", {}).items()},
    }
    made = lab.client("cloudformation", region).create_stack(
        StackName=f"builds-{name}",
        TemplateBody=json.dumps({key: value for key, value in template.items() if value}),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        EnableTerminationProtection=protected,
    )
    return str(made["StackId"])


def _stacks(lab: Lab) -> None:
    topic = "cloud.cloudformation"
    plain = _stack(lab, "plain", parameters={"DatabasePassword": CANARY})
    within = _stack(lab, "within", parameters={"Store": f"postgres://shop:{CANARY}@db:5432/shop"})
    named = _stack(
        lab,
        "named",
        parameters={
            "DatabasePassword": "****",
            "PasswordLength": "14",
            "ApiToken": "{{resolve:secretsmanager:shop/api:SecretString:token}}",
        },
        outputs={"SecretArn": f"arn:aws:secretsmanager:{MAIN}:{lab.account}:secret:shop-Ab12Cd"},
    )
    told = _stack(lab, "told", outputs={"AdminPassword": CANARY, "Url": "https://shop.example.org/"})
    loose = _stack(lab, "loose", protected=False)
    far = _stack(lab, "far", region=OTHER)
    name = f"{topic}.parameter-secrets"
    lab.problem(name, plain, "a password in the clear", region=MAIN)
    lab.problem(name, within, "a password within an address", region=MAIN, fools=True)
    lab.clean(name, named, "hidden, a length, and a reference", region=MAIN, fools=True)
    lab.problem(f"{topic}.output-secrets", told, "a password in the clear", region=MAIN)
    lab.clean(f"{topic}.output-secrets", named, "only where the secret is", region=MAIN, fools=True)
    lab.problem(f"{topic}.termination-protection", loose, "off", region=MAIN)
    lab.clean(f"{topic}.termination-protection", far, "on, elsewhere", region=OTHER)
    ground = {"FileAssetsBucketName": ""}
    old = _stack(lab, "ground", parameters=ground, outputs={"BootstrapVersion": "14"})
    new = _stack(lab, "ground", region=OTHER, parameters=ground, outputs={"BootstrapVersion": "27"})
    lab.problem(f"{topic}.cdk-bootstrap", old, "takes anybody's bucket", region=MAIN)
    lab.clean(f"{topic}.cdk-bootstrap", new, "only its own", region=OTHER)
    _states(lab)


def _states(lab: Lab) -> None:
    """Beside the stacks of the emulator, which never get stuck: those of a region of which it is told."""
    check = "cloud.cloudformation.state"
    listed = lab.client("cloudformation", OTHER).describe_stacks()["Stacks"]
    told = [
        {
            "StackId": one["StackId"],
            "StackName": one["StackName"],
            "CreationTime": {"$time": "2026-01-01T00:00:00Z"},
            "StackStatus": one["StackStatus"],
            "EnableTerminationProtection": one["EnableTerminationProtection"],
            "Parameters": one.get("Parameters", []),
            "Outputs": [{k: o[k] for k in ("OutputKey", "OutputValue")} for o in one.get("Outputs", [])],
        }
        for one in listed
    ]
    for name, status, inside in (
        ("stuck", "UPDATE_ROLLBACK_FAILED", False),
        ("back", "UPDATE_ROLLBACK_COMPLETE", False),
        ("leaving", "DELETE_IN_PROGRESS", False),
        ("inner", "CREATE_COMPLETE", True),
        ("review", "REVIEW_IN_PROGRESS", False),
    ):
        arn = f"arn:aws:cloudformation:{OTHER}:{lab.account}:stack/builds-{name}/0a1b2c3d"
        one: dict[str, Any] = {
            "StackId": arn,
            "StackName": f"builds-{name}",
            "CreationTime": {"$time": "2026-01-01T00:00:00Z"},
            "StackStatus": status,
            "EnableTerminationProtection": status != "REVIEW_IN_PROGRESS" and not inside,
        }
        if inside:
            one["ParentId"] = f"arn:aws:cloudformation:{OTHER}:{lab.account}:stack/builds-far/0a1b2c3d"
            one["Outputs"] = [{"OutputKey": "APIToken", "OutputValue": CANARY}]
            lab.problem(
                "cloud.cloudformation.output-secrets", arn, "of a nested stack", region=OTHER, fools=True
            )
        told.append(one)
        if name == "stuck":
            lab.problem(check, arn, "a rollback that failed", region=OTHER)
        if name == "back":
            lab.clean(check, arn, "rolled back as it should be", region=OTHER, fools=True)
    lab.answer("cloudformation", "DescribeStacks", {"Stacks": told}, region=OTHER)


def _project(lab: Lab, name: str, region: str = MAIN, **changes: Any) -> dict[str, Any]:
    """A project as AWS tells it, as it should be but for these changes."""
    return {
        "name": f"builds-{name}",
        "arn": f"arn:aws:codebuild:{region}:{lab.account}:project/builds-{name}",
        "source": {"type": "GITHUB", "location": "https://git.example.org/shop/app.git"},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": [],
            "privilegedMode": False,
        },
        "logsConfig": {"cloudWatchLogs": {"status": "ENABLED"}},
        "projectVisibility": "PRIVATE",
        **changes,
    }


def _variables(lab: Lab, *pairs: tuple[str, str, str]) -> dict[str, Any]:
    held = [{"name": name, "value": value, "type": kind} for name, value, kind in pairs]
    return {**_project(lab, "x")["environment"], "environmentVariables": held}


def _hook(*filters: tuple[str, str], approval: str = "DISABLED") -> dict[str, Any]:
    group = [{"type": kind, "pattern": pattern} for kind, pattern in filters]
    policy = {"requiresCommentApproval": approval}
    return {"filterGroups": [group] if group else [], "pullRequestBuildPolicy": policy}


_ASKED = ("EVENT", "PUSH, PULL_REQUEST_CREATED")
_STRANGERS = (
    "PULL_REQUEST_CREATED",
    "PULL_REQUEST_UPDATED",
    "PULL_REQUEST_REOPENED",
    "PULL_REQUEST_CLOSED",
)
_SILENT = {"cloudWatchLogs": {"status": "DISABLED"}, "s3Logs": {"status": "DISABLED"}}


def _projects(lab: Lab) -> None:
    with_address = {"type": "GITHUB", "location": f"https://bot:{CANARY}@git.example.org/shop/app.git"}
    with_name = {"type": "GITHUB", "location": "https://git@git.example.org/shop/app.git"}
    with_text = {"type": "NO_SOURCE", "buildspec": f"env:\n  variables:\n    URL: amqp://a:{CANARY}@mq/\n"}
    unchecked = {
        "type": "GITHUB_ENTERPRISE",
        "location": "https://git.example.org/a.git",
        "insecureSsl": True,
    }
    second = [{**unchecked, "sourceIdentifier": "tools"}]
    shared = {"type": "S3", "location": "artifacts", "encryptionDisabled": True}
    idle = {"type": "NO_ARTIFACTS", "encryptionDisabled": True}
    to_bucket = {"cloudWatchLogs": {"status": "DISABLED"}, "s3Logs": {"status": "ENABLED", "location": "b"}}
    by_http = {"type": "GITHUB_ENTERPRISE", "location": "http://git.example.org/a.git"}
    of_github = {"type": "GITHUB", "location": "https://git.example.org/a.git", "insecureSsl": True}
    one = ("ACTOR_ACCOUNT_ID", "^(12345|67890)$")
    anything = ("ACTOR_ACCOUNT_ID", ".*")
    readers = _hook(_ASKED, approval="ALL_PULL_REQUESTS")
    readers["pullRequestBuildPolicy"]["approverRoles"] = ["GITHUB_ADMIN", "GITHUB_READ"]
    closed = _hook(("EVENT", "PULL_REQUEST_CLOSED"))
    all_but = _hook(("EVENT", "PUSH"))
    all_but["filterGroups"][0][0]["excludeMatchedPattern"] = True
    none_of = _hook(("EVENT", ", ".join(_STRANGERS)))
    none_of["filterGroups"][0][0]["excludeMatchedPattern"] = True
    bad: tuple[tuple[str, str, str, bool, dict[str, Any]], ...] = (
        ("environment-secrets", "variable", "a token in a plain variable", False,
         {"environment": _variables(lab, ("NPM_TOKEN", CANARY, "PLAINTEXT"))}),
        ("environment-secrets", "written", "a password in its text", True, {"source": with_text}),
        ("source-secrets", "address", "a password in the address", False, {"source": with_address}),
        ("source-tls", "unchecked", "the certificate is not looked at", False, {"source": unchecked}),
        ("source-tls", "second", "that of a second source", True, {"secondarySources": second}),
        ("privileged", "docker", "root on its machine", False,
         {"environment": {**_variables(lab), "privilegedMode": True}}),
        ("public", "shown", "everybody reads its builds", False, {"projectVisibility": "PUBLIC_READ"}),
        ("badge", "badge", "a badge for everybody", False,
         {"badge": {"badgeEnabled": True, "badgeRequestUrl": "https://codebuild.example.org/badge"}}),
        ("logs", "silent", "no log", False, {"logsConfig": _SILENT}),
        ("encryption", "readable", "artifacts in the clear", False, {"artifacts": shared}),
        ("pull-requests", "everybody", "no filter at all", True, {"webhook": _hook()}),
        ("pull-requests", "anyone", "whoever asks", False, {"webhook": _hook(_ASKED)}),
        ("source-tls", "http", "no certificate at all", True, {"source": by_http}),
        ("encryption", "log-written", "its log in a bucket, in the clear", True,
         {"logsConfig": {"s3Logs": {"status": "ENABLED", "location": "b", "encryptionDisabled": True}}}),
        ("pull-requests", "anything", "a list that holds everybody", True,
         {"webhook": _hook(_ASKED, anything)}),
        ("pull-requests", "readers", "everybody who reads it may agree", True, {"webhook": readers}),
        ("pull-requests", "closed", "whoever closes what they opened", True, {"webhook": closed}),
        ("pull-requests", "all-but", "everything but pushes", True, {"webhook": all_but}),
        ("pull-requests", "longer", "a number that fits longer ones", True,
         {"webhook": _hook(_ASKED, ("ACTOR_ACCOUNT_ID", "12345|67890"))}),
    )  # fmt: skip
    clean: tuple[tuple[str, str, str, bool, dict[str, Any]], ...] = (
        ("environment-secrets", "stored", "only where the secrets are", True,
         {"environment": _variables(lab, ("DB_PASSWORD", "shop/db", "SECRETS_MANAGER"),
                                    ("NPM_TOKEN", "/shop/npm", "PARAMETER_STORE"))}),
        ("source-secrets", "named", "a name without a password", True, {"source": with_name}),
        ("source-tls", "ignored", "a switch that counts for servers of one's own alone", True,
         {"source": of_github}),
        ("pull-requests", "forks", "somebody has to agree to forks", True,
         {"webhook": _hook(_ASKED, approval="FORK_PULL_REQUESTS")}),
        ("pull-requests", "none-of", "everything but pull requests", True, {"webhook": none_of}),
        ("source-tls", "checked", "the certificate is looked at", False, {}),
        ("privileged", "plain", "no rights of its machine", False, {}),
        ("public", "private", "for the account alone", False, {}),
        ("badge", "unmarked", "no badge", False, {"badge": {"badgeEnabled": False}}),
        ("logs", "bucket", "into a bucket", True, {"logsConfig": to_bucket}),
        ("logs", "usual", "nothing is said: CloudWatch", True, {"logsConfig": {}}),
        ("encryption", "nothing", "nothing is stored", True, {"artifacts": idle}),
        ("pull-requests", "listed", "two people", True, {"webhook": _hook(_ASKED, one)}),
        ("pull-requests", "asked", "somebody has to agree", True,
         {"webhook": _hook(_ASKED, approval="ALL_PULL_REQUESTS")}),
        ("pull-requests", "pushes", "pushes alone", True, {"webhook": _hook(("EVENT", "PUSH"))}),
    )  # fmt: skip
    told = []
    for check, name, note, fools, changes in (*bad, *clean):
        made = _project(lab, name, **changes)
        told.append(made)
        tell = lab.problem if (check, name, note, fools, changes) in bad else lab.clean
        tell(f"cloud.codebuild.{check}", made["arn"], note, region=MAIN, fools=fools)
    names = [one["name"] for one in told]
    lab.answer("codebuild", "ListProjects", {"projects": names}, region=MAIN)
    lab.answer("codebuild", "BatchGetProjects", {"projects": told}, region=MAIN)


def _machine(lab: Lab, name: str, parameters: dict[str, Any] | None = None, **more: Any) -> str:
    """A state machine with one step; its ARN."""
    step = {"Type": "Pass", "Parameters": parameters or {}, "End": True}
    made = lab.client("stepfunctions").create_state_machine(
        name=f"builds-{name}",
        definition=json.dumps({"StartAt": "One", "States": {"One": step}}),
        roleArn=f"arn:aws:iam::{lab.account}:role/builds",
        **more,
    )
    return str(made["stateMachineArn"])


def _machines(lab: Lab) -> None:
    topic = "cloud.stepfunctions"
    group = f"arn:aws:logs:{MAIN}:{lab.account}:log-group:builds:*"

    def logged(level: str, *, data: bool = False) -> dict[str, Any]:
        to = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]
        return {"loggingConfiguration": {"level": level, "includeExecutionData": data, "destinations": to}}

    key = f"arn:aws:kms:{MAIN}:{lab.account}:key/0a1b2c3d-0000-4000-8000-000000000000"
    own = {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key}}
    silent = _machine(lab, "silent")
    quick = _machine(lab, "quick", type="EXPRESS", **logged("ERROR"))
    whole = _machine(lab, "whole", **logged("ALL", data=True))
    errors = _machine(lab, "errors", **logged("ERROR"), **own)
    held = _machine(lab, "held", {"Password": CANARY}, **logged("ALL"))
    given = _machine(lab, "given", {"Password.$": "$.password", "SecretId": "shop/db"}, **logged("ALL"))
    computed = _machine(lab, "computed", {"Password": "{% $states.input.password %}"}, **logged("ALL"))
    quoted = _machine(lab, "quoted", {"Password": f"{{% '{CANARY}' %}}"}, **logged("ALL"))
    lab.problem(f"{topic}.logs", silent, "no log", region=MAIN)
    lab.problem(f"{topic}.logs", quick, "errors of one that keeps no history", region=MAIN, fools=True)
    lab.clean(f"{topic}.logs", errors, "errors, beside its history", region=MAIN, fools=True)
    lab.problem(f"{topic}.execution-data", whole, "with what was put in", region=MAIN)
    lab.clean(f"{topic}.execution-data", errors, "without", region=MAIN)
    lab.clean(f"{topic}.execution-data", silent, "no log at all", region=MAIN, fools=True)
    lab.problem(f"{topic}.own-key", whole, "AWS's key", region=MAIN)
    lab.clean(f"{topic}.own-key", errors, "a key of the account", region=MAIN)
    lab.problem(f"{topic}.definition-secrets", held, "a password among the parameters", region=MAIN)
    lab.clean(f"{topic}.definition-secrets", given, "taken from the input", region=MAIN, fools=True)
    lab.clean(f"{topic}.definition-secrets", computed, "computed from the input", region=MAIN, fools=True)
    lab.problem(f"{topic}.definition-secrets", quoted, "computed, from nothing", region=MAIN, fools=True)
