"""Functions and image repositories: who runs and pulls them, and what their settings give away."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.lab.account.policies_queues import STRANGER, Raw, document, statement, tell
from tests.lab.planted_account import MAIN, OTHER, Lab

PASSWORD = "Planted-Horse-7"
SECRETS = (("awslambda_function_no_secrets_in_variables",), ())
URLS = (("awslambda_function_url_public",), ())
RUNTIMES = (("awslambda_function_using_supported_runtimes",), ())
PUBLIC = (("awslambda_function_not_publicly_accessible",), ())
PULLED = (("ecr_repositories_not_publicly_accessible",), ())


def plant(lab: Lab) -> None:
    """Builds them."""
    _roles(lab)
    _settings(lab)
    _policies(lab)
    _addresses(lab)
    _repositories(lab)


def _roles(lab: Lab) -> None:
    trust = document(statement({"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole"))
    lab.client("iam").create_role(RoleName="policies-runner", AssumeRolePolicyDocument=trust)


def _code() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as one:
        one.writestr("app.py", "def run(event, context): return 1\n")
    return held.getvalue()


def function(lab: Lab, name: str, *, region: str = MAIN, runtime: str = "python3.13", **more: Any) -> str:
    """A function; its ARN."""
    made = lab.client("lambda", region).create_function(
        FunctionName=name, Role=f"arn:aws:iam::{lab.account}:role/policies-runner", Runtime=runtime,
        Handler="app.run", Code={"ZipFile": _code()}, **more,
    )  # fmt: skip
    return str(made["FunctionArn"])


def _settings(lab: Lab) -> None:
    own = lab.account
    key = f"arn:aws:kms:{MAIN}:{own}:key/11111111-2222-4333-8444-555555555555"
    told: tuple[tuple[str, dict[str, str], bool, bool], ...] = (
        ("policies-password", {"DB_PASSWORD": PASSWORD, "STAGE": "prod"}, True, False),
        ("policies-hump", {"ordersDbPassword": PASSWORD}, True, True),
        ("policies-address", {"DATABASE": f"postgres://app:{PASSWORD}@db.example.org/orders"}, True, True),
        ("policies-numbered", {"API_TOKEN_2": "9f8e7d6c5b4a39281706"}, True, True),
        (
            "policies-references",
            {
                "DB_PASSWORD": f"arn:aws:secretsmanager:{MAIN}:{own}:secret:db-AbCdEf",
                "API_TOKEN": "{{resolve:ssm-secure:/orders/token}}",
                "DB_SECRET": "prod/orders/db-password",
                "TOKEN": "",
            },
            False,
            True,
        ),
        (
            "policies-look-alike",
            {"SECRET_NAME": "orders-db", "TOKEN_TTL": "36000000", "KMS_KEY": key, "SORT_KEY": "customer"},
            False,
            True,
        ),
        ("policies-quiet", {"STAGE": "prod"}, False, False),
    )  # fmt: skip
    for name, variables, bad, fools in told:
        arn = function(lab, name, Environment={"Variables": variables}, KMSKeyArn=key)
        tell(lab, "cloud.functions.environment-secrets", arn, name, bad=bad, fools=fools, peers=SECRETS)
    unkeyed = function(lab, "policies-unkeyed", region=OTHER, Environment={"Variables": {"STAGE": "prod"}})
    tell(lab, "cloud.functions.environment-key", unkeyed, "AWS's key", bad=True, region=OTHER)
    quiet = f"arn:aws:lambda:{MAIN}:{own}:function:policies-quiet"
    tell(lab, "cloud.functions.environment-key", quiet, "a key of its own", bad=False)
    for name, runtime, bad in (
        ("policies-ended", "python3.8", True),
        ("policies-new", "nodejs22.x", False),
    ):
        arn = function(lab, name, region=OTHER, runtime=runtime)
        tell(lab, "cloud.functions.runtime", arn, runtime, bad=bad, region=OTHER, peers=RUNTIMES)
    layers = {
        "policies-layers": (f"arn:aws:lambda:{OTHER}:{STRANGER}:layer:logging:3", True),
        "policies-powertools": (f"arn:aws:lambda:{OTHER}:017000801446:layer:AWSLambdaPowertools:60", False),
    }
    for name, (layer, bad) in layers.items():
        arn = function(lab, name, region=OTHER)
        tell(lab, "cloud.functions.foreign-layers", arn, layer, bad=bad, fools=not bad, region=OTHER)
    _layered(lab, {name: layer for name, (layer, _) in layers.items()})


def _layered(lab: Lab, layers: dict[str, str]) -> None:
    """Has the list of functions name these layers: the emulator knows none of another account."""
    listed = json.loads(json.dumps(lab.client("lambda", OTHER).list_functions()["Functions"], default=str))
    for one in listed:
        if one["FunctionName"] in layers:
            one["Layers"] = [{"Arn": layers[one["FunctionName"]], "CodeSize": 1}]
    lab.answer("lambda", "ListFunctions", {"Functions": listed}, region=OTHER)


def _policies(lab: Lab) -> None:
    own = lab.account
    client = lab.client("lambda", MAIN)
    told: tuple[tuple[str, str, Raw, bool, bool], ...] = (
        ("policies-anybody", "public", {"Principal": "*"}, True, False),
        ("policies-sourced", "public", {"Principal": "*", "SourceAccount": own}, False, True),
        ("policies-membership", "public", {"Principal": "*", "PrincipalOrgID": "o-a1b2c3d4e5"}, False, True),
        ("policies-lent", "outsiders", {"Principal": f"arn:aws:iam::{STRANGER}:root"}, True, False),
        ("policies-given", "outsiders", {"Principal": "*", "SourceAccount": STRANGER}, True, True),
        ("policies-own", "outsiders", {"Principal": f"arn:aws:iam::{own}:root"}, False, False),
        ("policies-hook", "confused-deputy", {"Principal": "apigateway.amazonaws.com"}, True, False),
        (
            "policies-hook-named", "confused-deputy",
            {"Principal": "apigateway.amazonaws.com", "SourceArn": f"arn:aws:execute-api:{MAIN}:{own}:abc/*"},
            False, False,
        ),
        (
            "policies-hook-any", "confused-deputy",
            {"Principal": "events.amazonaws.com", "SourceArn": "arn:aws:events:*:*:rule/nightly"},
            True, True,
        ),
    )  # fmt: skip
    for name, check, permission, bad, fools in told:
        arn = function(lab, name)
        client.add_permission(
            FunctionName=name, StatementId="It", Action="lambda:InvokeFunction", **permission
        )
        tell(lab, f"cloud.functions.{check}", arn, name, bad=bad, fools=fools, peers=PUBLIC)


def _addresses(lab: Lab) -> None:
    client = lab.client("lambda", MAIN)
    check = "cloud.functions.url-without-signature"

    # The emulator makes addresses, but does not list them.
    lab.answer("lambda", "ListFunctionUrlConfigs", {"FunctionUrlConfigs": []})

    def address(name: str, kind: str, origins: list[str], *, granted: bool = False) -> str:
        arn = function(lab, name)
        if granted:
            client.add_permission(
                FunctionName=name, StatementId="It", Action="lambda:InvokeFunctionUrl", Principal="*",
                FunctionUrlAuthType="NONE",
            )  # fmt: skip
        _address(lab, arn, kind, origins)
        return arn

    site = ["https://shop.example.org"]
    bare = address("policies-url-bare", "NONE", ["*"], granted=True)
    tell(lab, check, bare, "everybody may", bad=True, peers=URLS)
    tell(lab, "cloud.functions.public", bare, "everybody by its address", bad=True, peers=PUBLIC)
    tell(
        lab,
        "cloud.functions.url-origins",
        bare,
        "every site",
        bad=True,
        peers=(("awslambda_function_url_cors_policy",), ()),
    )
    signed = address("policies-url-signed", "AWS_IAM", site)
    tell(lab, check, signed, "signed", bad=False, peers=URLS)
    tell(lab, "cloud.functions.url-origins", signed, "one site", bad=False)
    shut = address("policies-url-shut", "NONE", site)
    tell(lab, check, shut, "no statement lets anybody in", bad=False, fools=True, peers=URLS)
    _alias(lab, check)


def _address(lab: Lab, arn: str, kind: str, origins: list[str]) -> None:
    told = {
        "FunctionArn": arn, "FunctionUrl": f"https://abc.lambda-url.{MAIN}.on.aws/", "AuthType": kind,
        "Cors": {"AllowOrigins": origins}, "CreationTime": "2026-01-01T00:00:00Z",
        "LastModifiedTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    listed = {"FunctionUrlConfigs": [told]}
    name = arn.split(":")[6]
    lab.answer("lambda", "ListFunctionUrlConfigs", listed, region=MAIN, about=f"{name}/")


def _alias(lab: Lab, check: str) -> None:
    """An address of an alias, whose policy is another one than that of its function."""
    arn = f"{function(lab, 'policies-url-alias')}:live"
    _address(lab, arn, "NONE", [])
    policy = document(statement("*", Action="lambda:InvokeFunctionUrl", Resource=arn))
    lab.answer("lambda", "GetPolicy", {"Policy": policy}, region=MAIN, about="Qualifier")
    tell(lab, check, arn, "by its alias", bad=True, fools=True, peers=URLS)
    tell(lab, "cloud.functions.public", arn, "by its alias", bad=True, fools=True, peers=PUBLIC)


def _repositories(lab: Lab) -> None:
    own = lab.account
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    ecr = lab.client("ecr", MAIN)
    vpc = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    agent = {"StringLike": {"aws:UserAgent": "ci/*"}}
    denial = statement("*", effect="Deny", Action="ecr:*")
    vendor = statement({"AWS": f"arn:aws:iam::{STRANGER}:role/ci"})
    told: tuple[tuple[str, str, tuple[Raw, ...], bool, bool], ...] = (
        ("policies/open", "public", (statement("*"),), True, False),
        ("policies/agent", "public", (statement("*", agent),), True, True),
        ("policies/closed", "public", (), False, False),
        ("policies/denied", "public", (statement("*"), denial), False, True),
        ("policies/within", "public", (statement("*", vpc),), False, True),
        ("policies/vendor", "outsiders", (vendor,), True, False),
        ("policies/team", "outsiders", (statement({"AWS": own}),), False, False),
    )  # fmt: skip
    for name, check, statements, bad, fools in told:
        arn = ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")["repository"][
            "repositoryArn"
        ]
        if statements:
            written = [{"Action": pull, **one} for one in statements]
            ecr.set_repository_policy(repositoryName=name, policyText=document(*written), force=True)
        tell(lab, f"cloud.ecr.{check}", arn, name, bad=bad, fools=fools, peers=PULLED)
    other = lab.client("ecr", OTHER)
    filters = [{"filter": "policies-prod", "filterType": "WILDCARD"}]
    rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters}]
    other.put_registry_scanning_configuration(scanType="BASIC", rules=rules)
    peers = (("ecr_repositories_scan_images_on_push_enabled",), ())
    for name, bad in (("policies-dev", True), ("policies-prod-web", False)):
        arn = other.create_repository(repositoryName=name)["repository"]["repositoryArn"]
        tell(lab, "cloud.ecr.scanning", arn, name, bad=bad, fools=not bad, region=OTHER, peers=peers)
    peers = (("ecr_repositories_tag_immutability",), ())
    tell(lab, "cloud.ecr.fixed-tags", arn, "tags move", bad=True, region=OTHER, peers=peers)
    fixed = f"arn:aws:ecr:{MAIN}:{own}:repository/policies/open"
    tell(lab, "cloud.ecr.fixed-tags", fixed, "tags stay", bad=False, peers=peers)
