"""For each check of cloud accounts, facts on which it fails and facts on which it passes."""

from __future__ import annotations

from collections.abc import Mapping

from checks.facts.cloud.account import AccountRegions
from checks.facts.cloud.cloudtrail import Trail, TrailEvents, Trails, TrailSelectors, TrailState, TrailStates
from checks.facts.cloud.ebs import (
    EbsDefault,
    EbsDefaults,
    EbsVolume,
    EbsVolumes,
)
from checks.facts.cloud.ec2 import (
    Ec2Instances,
    Image,
    Instance,
    InstanceUserData,
    Interface,
    NetworkInterfaces,
    OwnImages,
    PlainSecret,
    PrefixLists,
    Rule,
    SecurityGroup,
    SecurityGroups,
    UserData,
)
from checks.facts.cloud.iam import (
    CredentialReport,
    Holder,
    IamPolicies,
    IamPolicy,
    IamUser,
    IamUsers,
    PasswordPolicy,
    ReportKey,
    ReportUser,
    RootAccount,
    RootCredentials,
)
from checks.facts.cloud.kms import KeyRotation, KmsKey, KmsKeyRotation, KmsKeys
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.rds import RdsInstance, RdsInstances
from checks.facts.cloud.s3 import (
    AccountPublicAccess,
    Bucket,
    BucketAcl,
    BucketAcls,
    BucketOwner,
    BucketOwnership,
    BucketPolicies,
    BucketPolicy,
    BucketPublicAccess,
    Buckets,
    Grant,
    PublicAccessBlock,
)
from checks.facts.cloud.vpc import AclEntry, FlowLog, FlowLogs, NetworkAcl, NetworkAcls, Vpc, Vpcs
from checks.facts.snapshot import Fact

A = "111122223333"
R = "eu-west-1"
HERE = (R,)
ARN = "arn:aws:s3:::data"
USER = f"arn:aws:iam::{A}:user/alice"
Facts = tuple[Fact, ...]

EVERYTHING = Policy((Statement(True, actions=("*",), resources=("*",)),))
SOMETHING = Policy((Statement(True, actions=("s3:GetObject",), resources=("*",)),))
PUBLIC = Policy((Statement(True, "Open", ("*",), actions=("s3:GetObject",), resources=(f"{ARN}/*",)),))
TLS_ONLY = Policy(
    (
        Statement(
            False,
            principals=("*",),
            actions=("s3:*",),
            resources=(ARN, f"{ARN}/*"),
            conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
        ),
    )
)


def user(**changes: object) -> CredentialReport:
    """A report with one user: a password used today, a second factor, one fresh key."""
    values: dict[str, object] = {
        "arn": USER,
        "name": "alice",
        "created": "2024-01-01T00:00:00Z",
        "password": True,
        "password_used": "2026-11-20T00:00:00Z",
        "password_changed": "2026-10-01T00:00:00Z",
        "mfa": True,
        "keys": (key(),),
        **changes,
    }
    return CredentialReport(A, "2026-11-23T00:00:00Z", (ReportUser(**values),))  # type: ignore[arg-type]


def key(**changes: object) -> ReportKey:
    """An active key made this month and used this week."""
    values = {"number": 1, "active": True, "rotated": "2026-11-01T00:00:00Z", "used": "2026-11-20T00:00:00Z"}
    return ReportKey(**{**values, **changes})  # type: ignore[arg-type]


def block(on: str, held: bool) -> PublicAccessBlock:
    return PublicAccessBlock(on, held, held, held, held)


def bucket(
    policy: Policy = Policy(),  # noqa: B008 - frozen
    *grants: Grant,
    held: bool = False,
    account: bool = False,
    owner: str = "ObjectWriter",
) -> Facts:
    """Everything that decides who gets into one bucket."""
    return (
        Buckets(A, (Bucket(ARN, "data", R),)),
        AccountPublicAccess(A, (block(A, account),)),
        BucketPublicAccess(A, (block(ARN, held),)),
        BucketPolicies(A, (BucketPolicy(ARN, policy),)),
        BucketAcls(A, (BucketAcl(ARN, grants),)),
        BucketOwnership(A, (BucketOwner(ARN, owner),)),
    )


def group(*rules: Rule, users: tuple[Interface, ...] = (), name: str = "web") -> Facts:
    """One security group and the interfaces that use it."""
    return (
        SecurityGroups(A, HERE, (SecurityGroup("sg-1", R, "vpc-1", name, rules, ()),)),
        PrefixLists(A, HERE, ()),
        NetworkInterfaces(A, HERE, users),
    )


def tcp(low: int, high: int, *cidrs: str) -> Rule:
    return Rule("tcp", low, high, cidrs)


def interface(public4: tuple[str, ...] = (), public6: tuple[str, ...] = ()) -> Interface:
    return Interface("eni-1", R, "vpc-1", "subnet-1", ("sg-1",), "i-1", "interface", public4, public6)


def acl(*entries: AclEntry, subnets: tuple[str, ...] = ("subnet-1",)) -> NetworkAcls:
    return NetworkAcls(A, HERE, (NetworkAcl("acl-1", R, "vpc-1", False, subnets, entries),))


def entry(
    number: int, allow: bool, cidr: str, low: int = 0, high: int = 65535, protocol: str = "tcp"
) -> AclEntry:
    return AclEntry(number, allow, protocol, low, high, cidr)


TRAIL = f"arn:aws:cloudtrail:{R}:{A}:trail/all"


def trail(*, wide: bool = True, logging: bool = True, reads: bool = True, good: bool = True) -> Facts:
    """One trail with its state and its selectors."""
    return (
        AccountRegions(A, "aws", HERE, ()),
        Trails(A, HERE, (Trail(TRAIL, "all", R, wide, False, good, "logs", "arn:key" if good else ""),)),
        TrailStates(A, (TrailState(TRAIL, R, logging, ""),)),
        TrailSelectors(A, (TrailEvents(TRAIL, R, reads, True),)),
    )


def kms(on: bool) -> Facts:
    arn = f"arn:aws:kms:{R}:{A}:key/1"
    one = KmsKey(arn, "1", R, "CUSTOMER", "SYMMETRIC_DEFAULT", "AWS_KMS", "Enabled", False)
    return KmsKeys(A, HERE, (one,)), KmsKeyRotation(A, (KeyRotation(arn, R, on),))


def rds(good: bool) -> RdsInstances:
    arn = f"arn:aws:rds:{R}:{A}:db:orders"
    return RdsInstances(
        A, HERE, (RdsInstance(arn, "orders", R, "postgres", not good, good, good, 5432, ("sg-1",)),)
    )


def instance(tokens: str) -> Ec2Instances:
    one = Instance("i-1", R, "", "running", "vpc-1", "subnet-1", "", "", True, tokens)
    return Ec2Instances(A, HERE, (one,))


def held_policy(policy: Policy, made_by: str) -> IamPolicies:
    arn = f"{USER}/p" if made_by == "inline" else f"arn:aws:iam::{A}:policy/p"
    return IamPolicies(A, (IamPolicy(arn, "p", made_by, policy, (Holder("user/alice", USER),)),))


OPEN_WORLD = "0.0.0.0/0"
IDLE = interface()

EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.root.keys": ((RootAccount(A, True, True, True),), (RootAccount(A, False, True, True),)),
    "cloud.root.mfa": ((RootAccount(A, False, False, True),), (RootAccount(A, False, True, True),)),
    "cloud.root.use": (
        (RootCredentials(A, "2026-11-23T00:00:00Z", "2026-11-20T00:00:00Z", ()),),
        (RootCredentials(A, "2026-11-23T00:00:00Z", "", ()),),
    ),
    "cloud.passwords.length": ((PasswordPolicy(A, False, 8, 0, 0),), (PasswordPolicy(A, True, 14, 24, 0),)),
    "cloud.passwords.reuse": ((PasswordPolicy(A, True, 14, 23, 0),), (PasswordPolicy(A, True, 14, 24, 0),)),
    "cloud.iam.console-mfa": ((user(mfa=False),), (user(),)),
    "cloud.iam.key-age": ((user(keys=(key(rotated="2026-01-01T00:00:00Z"),)),), (user(),)),
    "cloud.iam.unused-credentials": ((user(password_used="2026-01-01T00:00:00Z"),), (user(),)),
    "cloud.iam.user-policies": (
        (IamUsers(A, (IamUser(USER, "alice", (), ("p",)),)),),
        (IamUsers(A, (IamUser(USER, "alice", ("g",), ()),)),),
    ),
    "cloud.iam.full-administrator": (
        (held_policy(EVERYTHING, "account"),),
        (held_policy(SOMETHING, "account"),),
    ),
    "cloud.iam.inline-administrator": (
        (held_policy(EVERYTHING, "inline"),),
        (held_policy(SOMETHING, "inline"),),
    ),
    "cloud.s3.public-access": (bucket(PUBLIC), bucket()),
    "cloud.s3.account-block": (bucket()[1:2], bucket(account=True)[1:2]),
    "cloud.s3.bucket-block": (bucket()[2:0:-1], bucket(held=True)[2:0:-1]),
    "cloud.s3.tls-only": (bucket()[0:4:3], bucket(TLS_ONLY)[0:4:3]),
    "cloud.ec2.admin-ports": (
        group(tcp(22, 22, OPEN_WORLD), users=(interface(("198.51.100.7",)),)),
        group(tcp(22, 22, "198.51.100.0/24")),
    ),
    "cloud.ec2.database-ports": (group(tcp(5432, 5432, "::/0")), group(tcp(443, 443, OPEN_WORLD))),
    "cloud.ec2.file-sharing-ports": (group(tcp(445, 445, OPEN_WORLD)), group(tcp(446, 446, OPEN_WORLD))),
    "cloud.ec2.imdsv2": ((instance("optional"),), (instance("required"),)),
    "cloud.ec2.user-data-secrets": (
        (UserData(A, HERE, (InstanceUserData("i-1", R, 80, (PlainSecret("private key", 3),)),)),),
        (UserData(A, HERE, (InstanceUserData("i-1", R, 80, ()),)),),
    ),
    "cloud.ec2.public-images": (
        (OwnImages(A, HERE, (Image("ami-1", R, "golden", True),)),),
        (OwnImages(A, HERE, (Image("ami-1", R, "golden", False),)),),
    ),
    "cloud.ebs.default-encryption": (
        (EbsDefaults(A, (EbsDefault(R, False),)),),
        (EbsDefaults(A, (EbsDefault(R, True),)),),
    ),
    "cloud.ebs.volume-encryption": (
        (EbsVolumes(A, HERE, (EbsVolume("vol-1", R, False, 8, ()),)),),
        (EbsVolumes(A, HERE, (EbsVolume("vol-1", R, True, 8, ("i-1",)),)),),
    ),
    "cloud.vpc.acl-admin-ports": (
        (acl(entry(100, True, OPEN_WORLD)), NetworkInterfaces(A, HERE, (IDLE,))),
        (
            acl(
                entry(10, False, OPEN_WORLD, 22, 22),
                entry(11, False, OPEN_WORLD, 3389, 3389),
                entry(100, True, OPEN_WORLD),
            ),
            NetworkInterfaces(A, HERE, (IDLE,)),
        ),
    ),
    "cloud.vpc.default-group": (
        group(tcp(0, 65535, "10.0.0.0/8"), name="default")[0:3:2],
        group(name="default")[0:3:2],
    ),
    "cloud.vpc.flow-logs": (
        (Vpcs(A, HERE, (Vpc("vpc-1", R, True),)), FlowLogs(A, HERE, ()), NetworkInterfaces(A, HERE, (IDLE,))),
        (
            Vpcs(A, HERE, (Vpc("vpc-1", R, True),)),
            FlowLogs(A, HERE, (FlowLog("fl-1", R, "vpc-1", True, True, "REJECT"),)),
            NetworkInterfaces(A, HERE, (IDLE,)),
        ),
    ),
    "cloud.cloudtrail.every-region": (trail(wide=False), trail()),
    "cloud.cloudtrail.validation": (trail(good=False)[1:2], trail()[1:2]),
    "cloud.cloudtrail.key": (trail(good=False)[1:2], trail()[1:2]),
    "cloud.kms.rotation": (kms(False), kms(True)),
    "cloud.rds.public": ((rds(False),), (rds(True),)),
    "cloud.rds.encryption": ((rds(False),), (rds(True),)),
    "cloud.rds.minor-upgrades": ((rds(False),), (rds(True),)),
}
