"""Instances: the ports that their groups open, their metadata service, images and user data."""

from __future__ import annotations

from checks import (
    Effort,
    Exploit,
    Exposure,
    Fix,
    Impact,
    Language,
    Severity,
    Snippet,
    Surface,
    Verdicts,
    Weakness,
    check,
    expect,
)
from checks.cloud.groups import close_fix, judge
from checks.facts.cloud.ec2 import (
    Ec2Instances,
    NetworkInterfaces,
    OwnImages,
    PrefixLists,
    SecurityGroups,
    UserData,
)

ADMINISTRATION = frozenset(
    {22, 23, 512, 513, 514, 2375, 2376, 3389, 5800, 5900, 5901, 5985, 5986, 6443, 10250}
)
"""Shells, remote desktops and management interfaces: each gives control of the machine behind it."""
DATABASES = frozenset(
    {
        1433,
        1521,
        2379,
        3306,
        5432,
        5984,
        6379,
        7000,
        7001,
        8086,
        9042,
        9200,
        9300,
        11211,
        26257,
        27017,
        27018,
        50000,
    }
)
FILE_SHARING = frozenset({111, 137, 138, 139, 445, 873, 2049})


@check(
    "cloud.ec2.admin-ports",
    title="Security groups keep administration ports from the internet",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=close_fix("administration ports", "Use Session Manager or a VPN instead"),
    refs=("https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html",),
)
def admin_ports(
    found: SecurityGroups,
    lists: PrefixLists,
    interfaces: NetworkInterfaces,
    *,
    ports: frozenset[int] = ADMINISTRATION,
) -> Verdicts:
    """An administration port that the internet reaches is tried around the clock by machines."""
    yield from judge(found, lists, interfaces, ports)


@check(
    "cloud.ec2.database-ports",
    title="Security groups keep database ports from the internet",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=close_fix("database ports", "Let only the group of the application in"),
)
def database_ports(
    found: SecurityGroups,
    lists: PrefixLists,
    interfaces: NetworkInterfaces,
    *,
    ports: frozenset[int] = DATABASES,
) -> Verdicts:
    """Databases on the internet are found within hours, guessed into, emptied and held to ransom."""
    yield from judge(found, lists, interfaces, ports)


@check(
    "cloud.ec2.file-sharing-ports",
    title="Security groups keep file sharing from the internet",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=close_fix("file-sharing ports", "Mount over a VPN or within the network only"),
)
def file_sharing_ports(
    found: SecurityGroups,
    lists: PrefixLists,
    interfaces: NetworkInterfaces,
    *,
    ports: frozenset[int] = FILE_SHARING,
) -> Verdicts:
    """File-sharing protocols were made for friendly networks, and worms still travel over them."""
    yield from judge(found, lists, interfaces, ports)


@check(
    "cloud.ec2.imdsv2",
    title="Instances give metadata only to callers with a token",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.POC_AUTOMATABLE,
    surface=Surface.DATA,
    fix=Fix(
        action="Demand tokens for instance metadata (IMDSv2)",
        do="Check with the CloudWatch metric MetadataNoToken that nothing on the instance asks without a "
        "token, update "
        "old SDKs if something does, then demand tokens.",
        verify="aws ec2 describe-instances --region @{region} --instance-ids @{on} "
        "--query 'Reservations[].Instances[].MetadataOptions.HttpTokens'   # required",
        effort=Effort(setup=0.5, each=0.1),
        undo="The same call with --http-tokens optional.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws ec2 modify-instance-metadata-options --region @{region} --instance-id @{on} "
                "--http-tokens required --http-endpoint enabled",
                "aws ec2 modify-instance-metadata-options --region @{region} --instance-id @{on} "
                "--http-tokens optional",
            ),
            Snippet(
                Language.TERRAFORM,
                "# In the aws_instance of @{on}:\nmetadata_options {\n"
                '  http_endpoint = "enabled"\n  http_tokens   = "required"\n}\n',
            ),
        ),
    ),
    refs=("https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",),
)
def imdsv2(found: Ec2Instances) -> Verdicts:
    """With version 1, one request that an application is tricked into hands out the role's credentials."""
    for instance in found.instances:
        if instance.metadata:
            place = f"public address {instance.public}" if instance.public else "no public address"
            yield expect(
                instance.tokens == "required",
                on=instance.id,
                where=instance.region,
                saw=f"tokens {instance.tokens}, {'a role' if instance.profile else 'no role'}",
                want="tokens required",
                severity=Severity.HIGH if instance.profile and instance.public else None,
                exposure=Exposure.INTERNET_LIMITED if instance.public else Exposure.OTHER_ZONE,
                exposure_evidence=f"{instance.id} has {place}; its metadata answers without a token",
            )


@check(
    "cloud.ec2.user-data-secrets",
    title="User data holds no secrets",
    severity=Severity.HIGH,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Take secrets out of user data, and renew them",
        do="Put the secret into Secrets Manager or a SecureString parameter and let the instance's role "
        "read it at start. "
        "Renew the secret: it has been readable to everybody who may describe instances. User data can only "
        "be "
        "changed while the instance is stopped; a new instance is often simpler.",
        verify="aws ec2 describe-instance-attribute --region @{region} --instance-id @{on} --attribute "
        "userData "
        "--query UserData.Value --output text | base64 -d   # no secret",
        effort=Effort(setup=1.0, each=1.0),
        undo="None: a secret that was renewed stays renewed.",
        key="ec2:user-data @{on}",
    ),
)
def user_data_secrets(found: UserData) -> Verdicts:
    """Everybody who may describe instances reads user data, and so does every program on the machine."""
    for instance in found.instances:
        places = [f"{secret.kind} in line {secret.line}" for secret in instance.secrets]
        yield expect(
            not places,
            on=instance.id,
            where=instance.region,
            saw=places or ("no secret" if instance.size else "no user data"),
            want="no secret",
        )


@check(
    "cloud.ec2.public-images",
    title="No machine image is open to every AWS account",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Make public machine images private",
        do="Take the launch permission for everybody away, and share with the accounts that need the image. "
        "Look "
        "through the image for credentials: it may have been copied.",
        verify="aws ec2 describe-images --region @{region} --image-ids @{on} --query 'Images[].Public'   # "
        "false",
        effort=Effort(setup=0.5, each=0.1),
        undo="Add the permission for everybody again.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws ec2 modify-image-attribute --region @{region} --image-id @{on} "
                "--launch-permission 'Remove=[{Group=all}]'",
                "aws ec2 modify-image-attribute --region @{region} --image-id @{on} "
                "--launch-permission 'Add=[{Group=all}]'",
            ),
        ),
    ),
)
def public_images(found: OwnImages) -> Verdicts:
    """Anybody starts a public image and reads the whole disk, with the keys that were left on it."""
    for image in found.images:
        evidence = f"{image.id} may be started by every AWS account, and anybody can open one"
        yield expect(
            not image.public,
            on=image.id,
            where=image.region,
            saw="every AWS account may start it" if image.public else "private",
            want="private",
            exposure=Exposure.INTERNET_OPEN if image.public else None,
            exposure_evidence=evidence if image.public else "",
        )
