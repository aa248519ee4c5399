"""What somebody is to be told of: the fifteen events of the benchmark, and patterns for them."""

from __future__ import annotations

from dataclasses import dataclass

from checks.cloud.patterns import Event


@dataclass(frozen=True, slots=True)
class Watched:
    """What is to be told: its name, words, the pattern that we propose, and events that it must match.

    `reads` says that calls which only read are among them, `many` that one alone means nothing: an alarm
    may wait for several.
    """

    name: str
    what: str
    why: str
    pattern: str
    events: tuple[Event, ...]
    reads: bool = False
    many: bool = False

    @property
    def sources(self) -> frozenset[str]:
        """The services whose events these are, where they are those of certain services."""
        return frozenset(str(one["eventSource"]) for one in self.events if "eventSource" in one)


def _calls(source: str, *names: str) -> tuple[Event, ...]:
    return tuple(
        {
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "eventType": "AwsApiCall",
            "eventCategory": "Management",
            "managementEvent": True,
            "readOnly": False,
            # Most calls are made by roles: a filter that leaves them out lets most pass.
            "userIdentity.type": "AssumedRole",
        }
        for name in names
    )


def _pattern(*names: str) -> str:
    return "{ " + " || ".join(f"($.eventName = {name})" for name in names) + " }"


_IAM = (
    "DeleteGroupPolicy", "DeleteRolePolicy", "DeleteUserPolicy", "PutGroupPolicy", "PutRolePolicy",
    "PutUserPolicy", "CreatePolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion",
    "AttachRolePolicy", "DetachRolePolicy", "AttachUserPolicy", "DetachUserPolicy", "AttachGroupPolicy",
    "DetachGroupPolicy",
)  # fmt: skip
_TRAIL = ("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")
_BUCKET = (
    "PutBucketAcl", "PutBucketPolicy", "PutBucketCors", "PutBucketLifecycle", "PutBucketReplication",
    "DeleteBucketPolicy", "DeleteBucketCors", "DeleteBucketLifecycle", "DeleteBucketReplication",
)  # fmt: skip
_CONFIG = (
    "StopConfigurationRecorder",
    "DeleteDeliveryChannel",
    "PutDeliveryChannel",
    "PutConfigurationRecorder",
)
_GROUPS = (
    "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress",
    "RevokeSecurityGroupEgress", "CreateSecurityGroup", "DeleteSecurityGroup",
)  # fmt: skip
_LISTS = (
    "CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry",
    "ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation",
)  # fmt: skip
_GATEWAYS = (
    "CreateCustomerGateway", "DeleteCustomerGateway", "AttachInternetGateway", "CreateInternetGateway",
    "DeleteInternetGateway", "DetachInternetGateway",
)  # fmt: skip
_ROUTES = (
    "CreateRoute", "CreateRouteTable", "ReplaceRoute", "ReplaceRouteTableAssociation", "DeleteRouteTable",
    "DeleteRoute", "DisassociateRouteTable",
)  # fmt: skip
_VPCS = (
    "CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "AcceptVpcPeeringConnection",
    "CreateVpcPeeringConnection", "DeleteVpcPeeringConnection", "RejectVpcPeeringConnection",
)  # fmt: skip
_ORGANIZATION = (
    "AcceptHandshake", "AttachPolicy", "CreateAccount", "CreateOrganizationalUnit", "CreatePolicy",
    "DeclineHandshake", "DeleteOrganization", "DeleteOrganizationalUnit", "DeletePolicy", "DetachPolicy",
    "DisablePolicyType", "EnablePolicyType", "InviteAccountToOrganization", "LeaveOrganization",
    "MoveAccount", "RemoveAccountFromOrganization", "UpdatePolicy", "UpdateOrganizationalUnit",
)  # fmt: skip

WATCHED = (
    Watched(
        "refused-calls",
        "refused calls",
        "Somebody who tries what they may not is either broken or an intruder who looks around.",
        '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
        (
            {
                "errorCode": "Client.UnauthorizedOperation",
                "eventName": "DescribeInstances",
                "userIdentity.type": "AssumedRole",
                "eventType": "AwsApiCall",
                "readOnly": True,
            },
            {
                "errorCode": "AccessDenied",
                "eventName": "GetUser",
                "userIdentity.type": "AssumedRole",
                "eventType": "AwsApiCall",
                "readOnly": True,
            },
            {
                "errorCode": "AccessDeniedException",
                "eventName": "CreateFunction",
                "userIdentity.type": "AssumedRole",
                "eventType": "AwsApiCall",
                "readOnly": False,
            },
        ),
        reads=True,
        many=True,
    ),
    Watched(
        "sign-in-without-mfa",
        "console sign-ins without a second factor",
        "A sign-in with a password alone is what a phished password looks like.",
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && '
        '($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
        (
            {
                "eventSource": "signin.amazonaws.com",
                "eventName": "ConsoleLogin",
                "eventType": "AwsConsoleSignIn",
                "additionalEventData.MFAUsed": "No",
                "userIdentity.type": "IAMUser",
                "responseElements.ConsoleLogin": "Success",
            },
        ),
    ),
    Watched(
        "root-use",
        "use of the root user",
        "Nobody uses root from day to day: whoever does is an emergency or an intruder.",
        '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != '
        '"AwsServiceEvent" }',
        (
            {
                "eventSource": "iam.amazonaws.com",
                "eventName": "CreateUser",
                "eventType": "AwsApiCall",
                "readOnly": False,
                "userIdentity.type": "Root",
            },
            {
                "eventSource": "signin.amazonaws.com",
                "eventName": "ConsoleLogin",
                "eventType": "AwsConsoleSignIn",
                # Not only the sign-ins of which another alarm tells.
                "additionalEventData.MFAUsed": "Yes",
                "userIdentity.type": "Root",
                "responseElements.ConsoleLogin": "Success",
            },
        ),
    ),
    Watched("iam-changes", "changes of rights", "New rights are how an intruder stays.",
            _pattern(*_IAM), _calls("iam", *_IAM)),
    Watched("trail-changes", "changes of trails", "Whoever stops the record does not want to be seen.",
            _pattern(*_TRAIL), _calls("cloudtrail", *_TRAIL)),
    Watched(
        "failed-sign-ins",
        "failed console sign-ins",
        "Many failed sign-ins are somebody who guesses passwords.",
        '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
        tuple(
            {
                "eventSource": "signin.amazonaws.com",
                "eventName": "ConsoleLogin",
                "eventType": "AwsConsoleSignIn",
                "additionalEventData.MFAUsed": used,
                "errorMessage": "Failed authentication",
                "userIdentity.type": "IAMUser",
                "responseElements.ConsoleLogin": "Failure",
            }
            for used in ("No", "Yes")
        ),
        many=True,
    ),
    Watched(
        "key-deletion",
        "disabling and deletion of keys",
        "With its key, everything that is encrypted under it is gone: that is how ransom is made.",
        "{ ($.eventSource = kms.amazonaws.com) && (($.eventName = DisableKey) || "
        "($.eventName = ScheduleKeyDeletion)) }",
        _calls("kms", "DisableKey", "ScheduleKeyDeletion"),
    ),
    Watched("bucket-policies", "changes of bucket policies", "One changed policy publishes a bucket.",
            _pattern(*_BUCKET), _calls("s3", *_BUCKET)),
    Watched("config-changes", "changes of AWS Config", "Without Config nobody sees what is changed next.",
            _pattern(*_CONFIG), _calls("config", *_CONFIG)),
    Watched("security-groups", "changes of security groups", "One rule opens a server to the internet.",
            _pattern(*_GROUPS), _calls("ec2", *_GROUPS)),
    Watched("network-acls", "changes of network access lists", "The second wall is opened before the first.",
            _pattern(*_LISTS), _calls("ec2", *_LISTS)),
    Watched("gateways", "changes of gateways", "A new gateway is a new way out for data.",
            _pattern(*_GATEWAYS), _calls("ec2", *_GATEWAYS)),
    Watched("routes", "changes of routes", "A changed route leads traffic past what watches it.",
            _pattern(*_ROUTES), _calls("ec2", *_ROUTES)),
    Watched("networks", "changes of virtual networks", "A peering joins a network that nobody here knows.",
            _pattern(*_VPCS), _calls("ec2", *_VPCS)),
    Watched("organization", "changes of the organization", "An account that leaves takes off all limits.",
            "{ ($.eventSource = organizations.amazonaws.com) && (" + _pattern(*_ORGANIZATION)[2:-2] + ") }",
            _calls("organizations", *_ORGANIZATION)),
)  # fmt: skip
"""The fifteen events of the benchmark, each with the calls that a pattern has to let through."""

EVERYDAY: Event = {
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetBucketLocation",
    "eventType": "AwsApiCall",
    "eventCategory": "Management",
    "managementEvent": True,
    "readOnly": True,
    "userIdentity.type": "AssumedRole",
    "userIdentity.invokedBy": "cloudtrail.amazonaws.com",
}
"""An event of every minute: whatever counts this one tells nobody anything."""
