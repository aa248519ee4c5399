"""Launch templates: what the next instances will be like, before they are there."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair
from checks.facts.cloud.ec2_defaults import MetadataDefaults
from checks.facts.cloud.launch_templates import LaunchTemplate, LaunchTemplates
from checks.fix import Fix
from checks.model import Exploit, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, unknown

_GUIDE = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-launch-templates.html"
_SHOW = (
    "aws ec2 describe-launch-template-versions --region @{region} --launch-template-id @{id} "
    "--versions '$Default' '$Latest'"
)


def _fix(
    action: str, do: str, query: str, data: str, *, key: str, prepare: str = "", terraform: str = ""
) -> Fix:
    """A new version with other data, which becomes the default; what runs is left alone."""
    query_of = "--query 'LaunchTemplateVersions[].LaunchTemplateData"
    return repair(
        action,
        do,
        f"{_SHOW} {query_of}.{query}",
        f"{_SHOW} > template.before.json &&\n{prepare}"
        "aws ec2 create-launch-template-version --region @{region} --launch-template-id @{id} "
        f"--source-version @{{version}} {data} "
        "--query LaunchTemplateVersion.VersionNumber --output text > template.version &&\n"
        "aws ec2 modify-launch-template --region @{region} --launch-template-id @{id} "
        '--default-version "$(cat template.version)"',
        "aws ec2 modify-launch-template --region @{region} --launch-template-id @{id} --default-version "
        "\"$(jq -r '.LaunchTemplateVersions[] | select(.DefaultVersion) | .VersionNumber' "
        'template.before.json | head -n 1)"',
        back="The version that was the default becomes so again.",
        hours=(0.5, 0.25),
        terraform=terraform,
        key=key,
    )


def _name(one: LaunchTemplate) -> str:
    return f"{one.id}:{one.version}"


def _values(one: LaunchTemplate) -> dict[str, str]:
    return {"id": one.id, "name": one.name, "version": str(one.version)}


@check(
    "cloud.launch-templates.imdsv2",
    title="Launch templates give metadata only to callers with a token",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=_fix(
        "Demand tokens for instance metadata in launch template @{name}",
        "Make a version that demands tokens (IMDSv2) and let it be the default, or set the default of the "
        "region; then renew the instances that came from the old one.",
        "MetadataOptions.HttpTokens'   # required",
        "--launch-template-data 'MetadataOptions={HttpTokens=required,HttpEndpoint=enabled}'",
        key="ec2:launch-template-tokens @{id}",
        terraform="# In the aws_launch_template @{name}:\nmetadata_options {\n"
        '  http_endpoint = "enabled"\n  http_tokens   = "required"\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-new-instances.html",),
)
def imdsv2(found: LaunchTemplates, defaults: MetadataDefaults) -> Verdicts:
    """Every instance of an autoscaling group repeats what its template says, mended or not."""
    regions = {one.region: one.tokens for one in defaults.defaults}
    for one in found.templates:
        tokens = one.tokens or regions.get(one.region)
        if not one.metadata:
            yield _tokens(one, True, "the metadata service is off")
        elif tokens is None:
            reason = "it says nothing, and the default of the region could not be read"
            yield unknown(_name(one), reason, needs="ec2:GetInstanceMetadataDefaults", where=one.region)
        else:
            by = "" if one.tokens else " by the default of the region"
            yield _tokens(one, tokens == "required", f"tokens {tokens}{by}" if tokens else "nothing is said")


def _tokens(one: LaunchTemplate, held: bool, saw: str) -> Verdict:
    return expect(held, on=_name(one), where=one.region, saw=saw, want="tokens required", values=_values(one))


@check(
    "cloud.launch-templates.public-address",
    title="Launch templates give instances no public address",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=_fix(
        "Give instances of launch template @{name} no public address",
        "Put a load balancer or NAT gateway in front, then make a version without the public address and let "
        "it be the default. The interfaces of the template are written anew: copy the groups and subnets "
        "that the old version names.",
        "NetworkInterfaces[].AssociatePublicIpAddress'   # false",
        "--launch-template-data file://template.data.json",
        prepare="jq -c --argjson version @{version} "
        "'{NetworkInterfaces: ([.LaunchTemplateVersions[] | select(.VersionNumber == $version)][0]"
        ".LaunchTemplateData.NetworkInterfaces | map(.AssociatePublicIpAddress = false))}' "
        "template.before.json > template.data.json &&\n",
        key="ec2:launch-template-address @{id}",
        terraform="# In each network_interfaces block of the aws_launch_template @{name}:\n"
        "associate_public_ip_address = false\n",
    ),
    refs=(_GUIDE,),
)
def public_address(found: LaunchTemplates) -> Verdicts:
    """What scales out by itself with public addresses is a new door to the internet each time."""
    for one in found.templates:
        yield expect(
            not one.public,
            on=_name(one),
            where=one.region,
            saw="each instance gets a public address" if one.public else "no public address by the template",
            want="no public address",
            values=_values(one),
        )


@check(
    "cloud.launch-templates.user-data-secrets",
    title="User data of launch templates holds no secrets",
    severity=Severity.HIGH,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Take secrets out of launch template @{name}, and renew them",
        "Let the instance's role read the secret at start, make a version without it and let that be the "
        "default, then delete the versions that hold it: old versions stay readable. Renew the secret.",
        f"{_SHOW} --query 'LaunchTemplateVersions[].LaunchTemplateData.UserData'   # no secret in any",
        "# After a new version is the default:\n"
        "aws ec2 delete-launch-template-versions --region @{region} --launch-template-id @{id} "
        "--versions @{version}",
        "# A version that is gone stays gone; the new one can be changed again:\n"
        "aws ec2 describe-launch-template-versions --region @{region} --launch-template-id @{id}",
        back="None: a secret that was renewed stays renewed.",
        hours=(1.0, 1.0),
        key="ec2:launch-template-secrets @{id}",
        terraform="# In the aws_launch_template @{name}; then delete the versions with the secret by "
        'the call:\nuser_data              = filebase64("user-data-without-secrets.sh")\n'
        "update_default_version = true\n",
    ),
    refs=(_GUIDE,),
)
def user_data_secrets(found: LaunchTemplates) -> Verdicts:
    """Everybody who may describe templates reads their user data, and every instance carries a copy."""
    for one in found.templates:
        places = [f"{secret.kind} in line {secret.line}" for secret in one.secrets]
        yield expect(
            not places,
            on=_name(one),
            where=one.region,
            saw=places or "no secret",
            want="no secret",
            values=_values(one),
        )
