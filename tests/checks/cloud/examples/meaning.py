"""Examples of the checks that look at several things together."""

from __future__ import annotations

from collections.abc import Mapping

from checks.cloud.policy_kinds import KINDS
from checks.facts.cloud.accounts import AccountContacts
from checks.facts.cloud.cloudfront import Distribution, Distributions
from checks.facts.cloud.cloudtrail import (
    Trail,
    Trails,
)
from checks.facts.cloud.ec2 import (
    Ec2Instances,
    Instance,
    Interface,
    NetworkInterfaces,
    PrefixLists,
    Rule,
    SecurityGroup,
    SecurityGroups,
)
from checks.facts.cloud.ecr import Registries, Registry, Repositories, Repository
from checks.facts.cloud.functions import Function, Functions
from checks.facts.cloud.guardrails import CentralRoot, Guardrails
from checks.facts.cloud.iam import (
    Holder,
    IamPolicies,
    IamPolicy,
    IamRole,
    IamRoles,
    IamUser,
    IamUsers,
    RootAccount,
    RootDevices,
    ServerCertificate,
    ServerCertificates,
)
from checks.facts.cloud.kms import KmsKey, KmsKeys
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.rds_settings import RdsSnapshot, RdsSnapshots
from checks.facts.cloud.resource_policies import FileSystemPolicies, ResourcePolicy
from checks.facts.cloud.routes import AclWayOut, AclWaysOut, RouteTable, RouteTables
from checks.facts.cloud.s3 import Bucket, Buckets
from checks.facts.cloud.s3_data import BucketLog, BucketLogs
from checks.facts.cloud.sns import Subscription, Subscriptions
from checks.facts.cloud.ssm import Document, Documents
from checks.facts.cloud.vpc import NetworkAcl, NetworkAcls
from tests.checks.cloud.examples.beginnings import EVERYTHING, PUBLIC, bucket, entry, key, user
from tests.checks.cloud.examples.records import STRANGER, A, Facts, R, allow, fact, good

KNOWN = KnownAccounts(A, (A,), "o-a1b2c3d4e5", True)
HERE = (R,)
ME = f"arn:aws:iam::{A}:user/alice"
ROLE = f"arn:aws:iam::{A}:role/app"
ADMIN = f"arn:aws:iam::{A}:role/admin"
OPEN = "0.0.0.0/0"
ALL_OF_IT = (entry(100, True, OPEN, protocol="-1"),)


def policies(kind: type, policy: Policy) -> Facts:
    return (fact(kind, ResourcePolicy(f"arn:aws:x:{R}:{A}:thing", "thing", R, policy)),)


def _of_policies() -> Mapping[str, tuple[Facts, Facts]]:
    found: dict[str, tuple[Facts, Facts]] = {}
    deputy = allow("Service:sns.amazonaws.com")
    source = Condition("ArnLike", "aws:SourceArn", (f"arn:aws:sns:{R}:{A}:*",))
    named = allow("Service:sns.amazonaws.com", conditions=(source,))
    for kind in KINDS:
        own = allow(f"AWS:arn:aws:iam::{A}:root")
        other = allow(f"AWS:arn:aws:iam::{STRANGER}:root")
        found[f"cloud.{kind.topic}.public"] = policies(kind.fact, allow("*")), policies(kind.fact, own)
        found[f"cloud.{kind.topic}.outsiders"] = (
            (*policies(kind.fact, other), KNOWN),
            (*policies(kind.fact, own), KNOWN),
        )
        if kind.topic in ("sqs", "sns", "functions"):
            bad, fine = policies(kind.fact, deputy), policies(kind.fact, named)
            found[f"cloud.{kind.topic}.confused-deputy"] = bad, fine
    return found


TRAIL = f"arn:aws:cloudtrail:{R}:{A}:trail/all"

PROFILE = f"arn:aws:iam::{A}:instance-profile/web"
READER = f"arn:aws:iam::{A}:instance-profile/read"


def role(name: str, trust: Policy, *, used: str = "2026-11-01T00:00:00Z", profile: str = "") -> IamRole:
    arn = f"arn:aws:iam::{A}:role/{name}"
    return IamRole(arn, name, "/", trust, "2024-01-01T00:00:00Z", used, "", (profile,) if profile else ())


def held(name: str, policy: Policy, holder: str, made_by: str = "account") -> IamPolicy:
    kind, _, short = holder.partition("/")
    arn = f"arn:aws:iam::aws:policy/{name}" if made_by == "aws" else f"arn:aws:iam::{A}:policy/{name}"
    return IamPolicy(arn, name, made_by, policy, (Holder(holder, f"arn:aws:iam::{A}:{kind}/{short}"),))


def may(*actions: str, on: str = "*") -> Policy:
    return Policy((Statement(True, actions=actions, resources=(on,)),))


def account(*found: IamPolicy, roles: tuple[IamRole, ...] = ()) -> Facts:
    """Policies, one user, and roles."""
    return IamPolicies(A, found), IamUsers(A, (IamUser(ME, "alice", (), ()),)), IamRoles(A, roles)


def trusting(*principals: str, conditions: tuple[Condition, ...] = ()) -> IamRoles:
    return IamRoles(A, (role("app", allow(*principals, actions=("sts:AssumeRole",), conditions=conditions)),))


def network(*cidrs: str, port: int = 22, profile: str = "", state: str = "running") -> Facts:
    """An instance with a public address behind a group, a route and an access list."""
    instance = Instance(
        "i-1", R, "web", state, "vpc-1", "subnet-1", "198.51.100.7", profile, True, "optional"
    )
    card = Interface("eni-1", R, "vpc-1", "subnet-1", ("sg-1",), "i-1", "interface", ("198.51.100.7",), ())
    rule = Rule("tcp", port, port, cidrs)
    return (
        Ec2Instances(A, HERE, (instance,)),
        NetworkInterfaces(A, HERE, (card,)),
        SecurityGroups(A, HERE, (SecurityGroup("sg-1", R, "vpc-1", "web", (rule,), ()),)),
        PrefixLists(A, HERE, ()),
        RouteTables(A, HERE, (RouteTable("rtb-1", R, "vpc-1", True, (), True, False, ()),)),
        NetworkAcls(A, HERE, (NetworkAcl("acl-1", R, "vpc-1", True, ("subnet-1",), ALL_OF_IT),)),
        AclWaysOut(A, HERE, (AclWayOut("acl-1", R, ALL_OF_IT),)),
    )  # fmt: skip


STRONG = (
    IamPolicies(A, (held("all", EVERYTHING, "role/admin"),)),
    IamRoles(A, (role("admin", Policy(), profile=PROFILE), role("reader", Policy(), profile=READER))),
)
TLS = Policy(
    (
        Statement(
            False,
            "",
            ("*",),
            actions=("*",),
            conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
        ),
    )
)
TO_ADMIN = role("admin", allow("Service:lambda.amazonaws.com", actions=("sts:AssumeRole",)))
HOP = role("hop", allow(f"AWS:{ME}", actions=("sts:AssumeRole",)))
LAMBDA = may("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction")
GITHUB = f"Federated:arn:aws:iam::{A}:oidc-provider/token.actions.githubusercontent.com"
SUBJECT = Condition("StringLike", "token.actions.githubusercontent.com:sub", ("repo:own/app:*",))
ID = Condition("StringEquals", "sts:ExternalId", ("word",))
HARMLESS = may("s3:GetObject", on="arn:aws:s3:::data/*")
WRITES = Policy(
    (Statement(True, "W", ("*",), actions=("s3:PutObject",), resources=("arn:aws:s3:::data/*",)),)
)
ONE_TRAIL = Trails(A, HERE, (Trail(TRAIL, "all", R, True, False, True, "data", ""),))


def wide(policy: Policy) -> tuple[Facts, Facts]:
    return (IamPolicies(A, (held("p", policy, "user/alice"),)),), (
        IamPolicies(A, (held("p", HARMLESS, "user/alice"),)),
    )


def kms(state: str) -> KmsKeys:
    arn = f"arn:aws:kms:{R}:{A}:key/1"
    one = KmsKey(arn, "1", R, "CUSTOMER", "SYMMETRIC_DEFAULT", "AWS_KMS", state, False)
    return KmsKeys(A, HERE, (one,))


def rails(**changes: object) -> tuple[Facts, Facts]:
    fine: dict[str, object] = {
        "account": A,
        "organization": "o-a1b2c3d4e5",
        "all_features": True,
        "policies": ("guardrails",),
        "loose": (),
    }
    return (Guardrails(**{**fine, **changes}),), (Guardrails(**fine),)  # type: ignore[arg-type]


EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    **_of_policies(),
    "cloud.accounts.security-contact": ((AccountContacts(A, False),), (AccountContacts(A, True),)),
    "cloud.cloudfront.lost-bucket": (
        (
            fact(Distributions, good(Distribution, origins=("gone.s3.amazonaws.com",))),
            Buckets(A, (Bucket("arn:aws:s3:::site", "site", R),)),
        ),
        (
            fact(Distributions, good(Distribution, origins=("site.s3.eu-west-1.amazonaws.com",))),
            Buckets(A, (Bucket("arn:aws:s3:::site", "site", R),)),
        ),
    ),
    "cloud.ec2-reach.admin-ports": (network(OPEN), network("198.51.100.0/24")),
    "cloud.ec2-reach.data-ports": (network(OPEN, port=5432), network(OPEN, port=443)),
    "cloud.ec2-reach.keys-to-the-account": (
        (*network(OPEN, port=443, profile=PROFILE), *STRONG),
        (*network(OPEN, port=443, profile=PROFILE, state="stopped"), *STRONG),
    ),
    "cloud.ecr.scanning": (
        (fact(Repositories, good(Repository, scans=False)), Registries(A, (Registry(R, False, ()),))),
        (fact(Repositories, good(Repository, scans=False)), Registries(A, (Registry(R, False, ("*",)),))),
    ),
    "cloud.efs.tls-only": (
        policies(FileSystemPolicies, Policy()),
        policies(FileSystemPolicies, TLS),
    ),
    "cloud.functions.foreign-layers": (
        (fact(Functions, good(Function, layers=(f"arn:aws:lambda:{R}:{STRANGER}:layer:x:1",))), KNOWN),
        (fact(Functions, good(Function, layers=(f"arn:aws:lambda:{R}:{A}:layer:x:1",))), KNOWN),
    ),
    "cloud.iam-credentials.certificates": (
        (ServerCertificates(A, (ServerCertificate("arn:c", "c", "2026-01-01T00:00:00Z"),)),),
        (ServerCertificates(A, (ServerCertificate("arn:c", "c", "2027-01-01T00:00:00Z"),)),),
    ),
    "cloud.iam-credentials.key-made-with-user": (
        (user(keys=(key(rotated="2024-01-01T00:00:00Z", used=""),)),),
        (user(),),
    ),
    "cloud.iam-credentials.one-key": ((user(keys=(key(), key(number=2))),), (user(),)),
    "cloud.iam-credentials.root-hardware": (
        (RootAccount(A, False, True, True), RootDevices(A, True)),
        (RootAccount(A, False, True, True), RootDevices(A, False)),
    ),
    "cloud.iam-escalation.one-step": (
        account(held("p", LAMBDA, "user/alice"), held("all", EVERYTHING, "role/admin"), roles=(TO_ADMIN,)),
        account(held("p", HARMLESS, "user/alice"), held("all", EVERYTHING, "role/admin"), roles=(TO_ADMIN,)),
    ),
    "cloud.iam-escalation.several-hops": (
        account(held("p", LAMBDA, "role/hop"), held("all", EVERYTHING, "role/admin"), roles=(TO_ADMIN, HOP)),
        account(
            held("p", HARMLESS, "role/hop"), held("all", EVERYTHING, "role/admin"), roles=(TO_ADMIN, HOP)
        ),
    ),
    "cloud.iam-rights.all-but": wide(
        Policy((Statement(True, not_actions=("iam:*", "organizations:*"), resources=("*",)),))
    ),
    "cloud.iam-rights.assume-any-role": wide(may("sts:AssumeRole")),
    "cloud.iam-rights.cloudshell": (
        (IamPolicies(A, (held("AWSCloudShellFullAccess", may("cloudshell:*"), "user/alice", "aws"),)),),
        (IamPolicies(A, (held("p", HARMLESS, "user/alice"),)),),
    ),
    "cloud.iam-rights.decrypt-everything": wide(may("kms:Decrypt")),
    "cloud.iam-rights.pass-any-role": wide(may("iam:PassRole")),
    "cloud.iam-rights.read-every-secret": wide(may("secretsmanager:Get*")),
    "cloud.iam-rights.support-role": (
        (IamPolicies(A, (held("p", HARMLESS, "user/alice"),)),),
        (IamPolicies(A, (held("AWSSupportAccess", may("support:*"), "role/support", "aws"),)),),
    ),
    "cloud.iam-rights.whole-service": wide(may("s3:*")),
    "cloud.iam-roles.external-id": (
        (trusting(f"AWS:arn:aws:iam::{STRANGER}:root"), KNOWN),
        (trusting(f"AWS:arn:aws:iam::{STRANGER}:root", conditions=(ID,)), KNOWN),
    ),
    "cloud.iam-roles.oidc-subject": ((trusting(GITHUB),), (trusting(GITHUB, conditions=(SUBJECT,)),)),
    "cloud.iam-roles.trust-everybody": ((trusting("*"),), (trusting(f"AWS:arn:aws:iam::{A}:root"),)),
    "cloud.iam-roles.trusted-outsiders": (
        (trusting(f"AWS:arn:aws:iam::{STRANGER}:root"), KNOWN),
        (trusting(f"AWS:arn:aws:iam::{A}:root"), KNOWN),
    ),
    "cloud.iam-roles.unused": (
        (IamRoles(A, (role("app", Policy(), used=""),)),),
        (IamRoles(A, (role("app", Policy()),)),),
    ),
    "cloud.kms.pending-deletion": ((kms("PendingDeletion"),), (kms("Enabled"),)),
    "cloud.organization.all-features": rails(all_features=False),
    "cloud.organization.guardrails": rails(policies=()),
    "cloud.organization.root-credentials": (
        (CentralRoot(A, "o-a1b2c3d4e5", False),),
        (CentralRoot(A, "o-a1b2c3d4e5", True),),
    ),
    "cloud.rds-settings.snapshot-sharing": (
        (fact(RdsSnapshots, good(RdsSnapshot, shared=("all",))), KNOWN),
        (fact(RdsSnapshots, good(RdsSnapshot, shared=(A,))), KNOWN),
    ),
    "cloud.s3-data.foreign-accounts": (
        (*bucket(allow(f"AWS:arn:aws:iam::{STRANGER}:root"))[0:4:3], KNOWN),
        (*bucket(allow(f"AWS:arn:aws:iam::{A}:root"))[0:4:3], KNOWN),
    ),
    "cloud.s3-data.public-write": (bucket(WRITES), bucket(PUBLIC)),
    "cloud.s3-data.trail-bucket-logs": (
        (fact(BucketLogs, good(BucketLog, target="")), ONE_TRAIL),
        (fact(BucketLogs, good(BucketLog)), ONE_TRAIL),
    ),
    "cloud.s3-data.trail-bucket-open": (
        (bucket(PUBLIC)[0], ONE_TRAIL, *bucket(PUBLIC)[1:]),
        (bucket(PUBLIC)[0], ONE_TRAIL, *bucket(PUBLIC, held=True)[1:]),
    ),
    "cloud.sns.outside-subscribers": (
        (fact(Subscriptions, good(Subscription, account=STRANGER)), KNOWN),
        (fact(Subscriptions, good(Subscription)), KNOWN),
    ),
    "cloud.ssm.shared-documents": (
        (fact(Documents, good(Document, shared=("all",))), KNOWN),
        (fact(Documents, good(Document)), KNOWN),
    ),
}
