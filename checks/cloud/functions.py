"""Lambda functions: who starts them, what they run on, and what their settings give away."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from checks.check import check
from checks.cloud.of_aws import LAYERS
from checks.cloud.openness import covers, openings
from checks.cloud.resource_policies import deputy, family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.functions import Functions, FunctionUrls
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.policy import Policy
from checks.facts.cloud.resource_policies import FunctionPolicies
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

POLICIES = family("functions")
confused_deputy = deputy("functions")

_RUNTIMES = {
    "dotnet10": "2028-11-14",
    "dotnet5.0": "2022-05-10",
    "dotnet6": "2024-12-20",
    "dotnet7": "2024-05-14",
    "dotnet8": "2026-11-10",
    "dotnet9": "2026-11-10",
    "dotnetcore1.0": "2019-06-27",
    "dotnetcore2.0": "2019-05-30",
    "dotnetcore2.1": "2022-01-05",
    "dotnetcore3.1": "2023-04-03",
    "go1.x": "2024-01-08",
    "java11": "2027-06-30",
    "java11.al2023": "2029-06-30",
    "java17": "2027-06-30",
    "java17.al2023": "2029-06-30",
    "java21": "2029-06-30",
    "java25": "2029-06-30",
    "java8": "2024-01-08",
    "java8.al2": "2027-06-30",
    "java8.al2023": "2029-06-30",
    "nodejs": "2016-10-31",
    "nodejs10.x": "2021-07-30",
    "nodejs12.x": "2023-03-31",
    "nodejs14.x": "2023-12-04",
    "nodejs16.x": "2024-06-12",
    "nodejs18.x": "2025-09-01",
    "nodejs20.x": "2026-04-30",
    "nodejs22.x": "2027-04-30",
    "nodejs24.x": "2028-04-30",
    "nodejs4.3": "2020-03-05",
    "nodejs4.3-edge": "2020-03-05",
    "nodejs6.10": "2019-08-12",
    "nodejs8.10": "2020-03-06",
    "provided": "2024-01-08",
    "provided.al2": "2026-07-31",
    "provided.al2023": "2029-06-30",
    "python2.7": "2021-07-15",
    "python3.10": "2026-10-31",
    "python3.11": "2027-06-30",
    "python3.12": "2028-10-31",
    "python3.13": "2029-06-30",
    "python3.14": "2029-06-30",
    "python3.6": "2022-07-18",
    "python3.7": "2023-12-04",
    "python3.8": "2024-10-14",
    "python3.9": "2025-12-15",
    "ruby2.5": "2021-07-30",
    "ruby2.7": "2023-12-07",
    "ruby3.2": "2026-03-31",
    "ruby3.3": "2027-03-31",
    "ruby3.4": "2028-03-31",
    "ruby4.0": "2029-03-31",
}
"""The day from which AWS patches a runtime no more, as its developer guide lists them."""


@check(
    "cloud.functions.runtime",
    title="Functions run on a runtime that AWS still patches",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Move functions to a runtime with patches",
        "Build and test the code on a current runtime, then switch. AWS refuses changes of a function on an "
        "ended runtime some weeks later, so the day of an urgent fix is too late.",
        "aws lambda get-function-configuration --region @{region} --function-name @{on} --query Runtime   "
        "# a current one",
        "aws lambda update-function-configuration --region @{region} --function-name @{on} --runtime "
        '"$NEW_RUNTIME"',
        "aws lambda update-function-configuration --region @{region} --function-name @{on} --runtime "
        "@{runtime}",
        hours=(0.5, 2.0),
        terraform="# In the aws_lambda_function of @{on}:\nruntime = var.new_runtime\n",
    ),
    refs=("https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",),
)
def runtime(found: Functions, *, days_before: int = 0, now: datetime) -> Verdicts:
    """An ended runtime gets no more patches, and its flaws are known to everybody."""
    for one in found.functions:
        if not one.runtime:
            continue
        ends = _RUNTIMES.get(one.runtime)
        if ends is None:
            yield unknown(one.arn, f"when {one.runtime} ends is not known here", where=one.region)
            continue
        left = (date.fromisoformat(ends) - now.date()).days
        yield expect(
            left > days_before,
            on=one.arn,
            where=one.region,
            saw=f"{one.runtime}, patched until {ends}",
            want="a runtime that is patched",
            values={"runtime": one.runtime},
        )


@check(
    "cloud.functions.url-without-signature",
    title="Web addresses of functions ask for a signature",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    fix=repair(
        "Ask for a signature at the web address of function @{name}",
        "Set the authorisation of the address to AWS_IAM, or put CloudFront or an API with its own sign-in "
        "in front. Where the address is meant for everybody, the code itself has to check every request.",
        "aws lambda get-function-url-config --region @{region} --function-name @{on} --query AuthType   # "
        "AWS_IAM",
        "aws lambda update-function-url-config --region @{region} --function-name @{on} --auth-type AWS_IAM",
        "aws lambda update-function-url-config --region @{region} --function-name @{on} --auth-type NONE",
        terraform='# In the aws_lambda_function_url of @{name}:\nauthorization_type = "AWS_IAM"\n',
        key="functions:url @{on}",
    ),
    refs=("https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",),
)
def url_without_signature(found: FunctionUrls, policies: FunctionPolicies) -> Verdicts:
    """Whoever learns the address runs the function, with its role and on your bill."""
    written = {one.arn: one.policy for one in policies.policies}
    for one in found.urls:
        if not one.signed and one.arn not in written:
            reason = "the policy of the function, which may refuse unsigned requests, could not be read"
            yield unknown(one.arn, reason, needs="lambda:GetPolicy", where=one.region)
            continue
        # Without a signature the policy still decides: where it lets nobody in, every request is refused.
        shut = not one.signed and not _runs(written[one.arn])
        ok = one.signed or shut
        yield expect(
            ok,
            on=one.arn,
            where=one.region,
            saw="only signed requests"
            if one.signed
            else "no request runs it"
            if shut
            else "every request runs it",
            want="only signed requests",
            exposure=None if ok else Exposure.INTERNET_OPEN,
            exposure_evidence="" if ok else f"{one.name} has a public address that asks for nothing",
            values={"name": one.name},
        )


def _runs(policy: Policy) -> bool:
    """Whether a policy lets everybody run the function by an address without a signature."""
    invoke = ("lambda:InvokeFunctionUrl",)
    kept = [
        one
        for one in policy.statements
        if not one.allow or covers(one.actions, invoke, fold=True) or one.not_actions
        if not any(
            c.key.lower() == "lambda:functionurlauthtype" and "NONE" not in c.values for c in one.conditions
        )
    ]
    about = [
        msgspec.structs.replace(one, actions=invoke, not_actions=()) if one.allow else one for one in kept
    ]
    return bool(openings(Policy(tuple(about))))


url_origins = setting(
    "cloud.functions.url-origins",
    FunctionUrls,
    lambda one: not {"*", "http://*", "https://*"} & set(one.origins),
    title="Web addresses of functions answer chosen sites only",
    why="With every origin allowed, any page that a user opens can call the function with what the browser "
    "holds.",
    severity=Severity.LOW,
    bad="pages of every site may call it",
    good="pages of chosen sites only",
    fix=repair(
        "Name the sites that may call functions from a browser",
        "List the origins of your own pages in SITES, with commas between them, instead of *.",
        "aws lambda get-function-url-config --region @{region} --function-name @{on} --query "
        "Cors.AllowOrigins   # no *",
        "aws lambda get-function-url-config --region @{region} --function-name @{on} --query Cors "
        "--output json > cors.before.json &&\n"
        'jq --arg sites "$SITES" \'.AllowOrigins = ($sites | split(","))\' cors.before.json '
        "> cors.after.json &&\n"
        "aws lambda update-function-url-config --region @{region} --function-name @{on} "
        "--cors file://cors.after.json",
        "aws lambda update-function-url-config --region @{region} --function-name @{on} "
        "--cors file://cors.before.json",
        terraform="# In the cors block of the aws_lambda_function_url of @{on}:\nallow_origins = var.sites\n",
    ),
    refs=("https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html",),
)

environment_secrets = setting(
    "cloud.functions.environment-secrets",
    Functions,
    lambda one: not one.secrets,
    title="The settings of functions hold no secrets",
    why="Everybody who may read the function's configuration reads its environment, and so do logs and "
    "backups of it.",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    bad=lambda one: f"secrets in the clear in {', '.join(one.secrets)}",
    good="no secret in the environment",
    fix=repair(
        "Move secrets of function @{name} into Secrets Manager",
        "Store the value in Secrets Manager, let the role of the function read that one secret, have the "
        "code fetch it, then take the variable away and change the secret: it was readable until now.",
        "aws lambda get-function-configuration --region @{region} --function-name @{on} "
        "--query 'Environment.Variables'   # without the secret",
        hours=(1.0, 1.0),
        back="Put the variable back from the code's repository or its deployment.",
        key="functions:secrets @{on}",
        terraform="# In the aws_lambda_function of @{name}, without the variables that hold secrets:\n"
        "environment {\n  variables = {\n    SECRET_ARN = var.secret_arn # the code fetches it\n  }\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",),
)


@check(
    "cloud.functions.foreign-layers",
    title="Functions use layers of known accounts only",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Take layers of unknown accounts out of functions",
        "Publish the layer in an account of your own from its source, and use that one; or name the account "
        "in the option `trusted` when it belongs to a vendor you chose.",
        "aws lambda get-function-configuration --region @{region} --function-name @{on} --query "
        "'Layers[].Arn'",
        "aws lambda update-function-configuration --region @{region} --function-name @{on} --layers "
        "$OWN_LAYERS",
        "# With the layers that it had:\n"
        "aws lambda update-function-configuration --region @{region} --function-name @{on} --layers "
        "$FORMER_LAYERS",
        hours=(0.5, 0.5),
        terraform="# In the aws_lambda_function of @{on}:\nlayers = var.own_layers\n",
    ),
    refs=("https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",),
)
def foreign_layers(
    found: Functions, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()
) -> Verdicts:
    """A layer is code that runs with the rights of the function, and its owner can publish what they like."""
    friends = trusted | {*known.accounts} | LAYERS
    for one in found.functions:
        if one.layers:
            foreign = sorted({arn.split(":")[4] for arn in one.layers} - friends)
            yield expect(
                not foreign,
                on=one.arn,
                where=one.region,
                saw=f"layers of {', '.join(foreign)}" if foreign else "layers of known accounts",
                want="layers of known accounts",
                confidence=Confidence.CONFIRMED if known.whole or not foreign else Confidence.LIKELY,
            )


environment_key = setting(
    "cloud.functions.environment-key",
    Functions,
    lambda one: bool(one.key) if one.settings else None,
    title="The settings of functions are encrypted under a key of the account",
    why="Under a key of one's own, reading the environment is a right that can be given, taken and seen in "
    "the record.",
    severity=Severity.LOW,
    bad="under the key of AWS",
    good="under a key of the account",
    fix=repair(
        "Encrypt the settings of functions under a key of your own",
        "Make a KMS key whose policy lets the roles of the functions decrypt, and name it in the function.",
        "aws lambda get-function-configuration --region @{region} --function-name @{on} --query KMSKeyArn",
        "aws lambda update-function-configuration --region @{region} --function-name @{on} --kms-key-arn "
        '"$KEY_ARN"',
        'aws lambda update-function-configuration --region @{region} --function-name @{on} --kms-key-arn ""',
        terraform="# In the aws_lambda_function of @{on}:\nkms_key_arn = var.key_arn\n",
    ),
    refs=("https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",),
)
