"""Keys, devices and certificates: what people and machines sign in with."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud.ages import days_until
from checks.cloud.setting import repair, setting
from checks.facts.cloud.iam import CredentialReport, RootAccount, RootDevices, ServerCertificates
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable

one_key = setting(
    "cloud.iam-credentials.one-key",
    CredentialReport,
    lambda user: sum(key.active for key in user.keys) <= 1 if any(key.active for key in user.keys) else None,
    records="users",
    title="Nobody has two active keys",
    why="A second key is one that nobody looks after: it stays when the first one is renewed.",
    severity=Severity.LOW,
    bad="two active keys",
    good="one active key",
    fix=repair(
        "Deactivate the second key of user @{name}",
        "Find out which key is in use by its last use, deactivate the other, and delete it a week later.",
        "aws iam list-access-keys --user-name @{name} --query \"AccessKeyMetadata[?Status=='Active']\"   # "
        "one",
        'aws iam update-access-key --user-name @{name} --access-key-id "$KEY_ID" --status Inactive',
        'aws iam update-access-key --user-name @{name} --access-key-id "$KEY_ID" --status Active',
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",),
)


@check(
    "cloud.iam-credentials.key-made-with-user",
    title="No key is made together with a console user",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Delete the key of user @{name} that was never used",
        "Keys that the form for new users made and that nobody used are not needed; delete them.",
        "aws iam list-access-keys --user-name @{name}   # none that was never used",
        'aws iam update-access-key --user-name @{name} --access-key-id "$KEY_ID" --status Inactive',
        'aws iam update-access-key --user-name @{name} --access-key-id "$KEY_ID" --status Active',
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",),
)
def key_made_with_user(report: CredentialReport) -> Verdicts:
    """It lies in somebody's downloads folder, works, and nobody would miss it."""
    for user in report.users:
        if user.password:
            made = [k for k in user.keys if k.active and not k.used and k.rotated[:16] == user.created[:16]]
            yield expect(
                not made,
                on=user.arn,
                saw="a key of the same minute, never used" if made else "no such key",
                want="no such key",
                values={"name": user.name},
            )


@check(
    "cloud.iam-credentials.root-hardware",
    title="The second factor of root is a device",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Give the root user a security key",
        "Register a security key for root, keep it in a safe, then take the app away.",
        "aws iam list-virtual-mfa-devices --assignment-status Assigned   # none ends in "
        "root-account-mfa-device",
        hours=(0.5, 0.0),
        back="Register the app again.",
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/enable-fido-mfa-for-root.html",),
)
def root_hardware(root: RootAccount, devices: RootDevices) -> Verdicts:
    """The seed of an app is in the backup of somebody's phone; a device is in one place."""
    if not root.mfa:
        yield not_applicable("root", "root has no second factor at all, which another check tells")
        return
    yield expect(
        not devices.virtual,
        on="root",
        saw="an app" if devices.virtual else "a device",
        want="a device",
    )


@check(
    "cloud.iam-credentials.certificates",
    title="No expired certificate is kept in IAM",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Delete expired certificates from IAM",
        "Move what is still used to Certificate Manager, which renews by itself, then delete the expired "
        "ones.",
        "aws iam list-server-certificates --query "
        "'ServerCertificateMetadataList[].[ServerCertificateName,Expiration]'",
        "aws iam delete-server-certificate --server-certificate-name @{name}",
        "# Upload it again from its files:\n"
        "aws iam upload-server-certificate --server-certificate-name @{name} --certificate-body "
        "file://certificate.pem "
        "--private-key file://key.pem",
        back="Upload the certificate again.",
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs.html",),
)
def certificates(found: ServerCertificates, *, now: datetime) -> Verdicts:
    """An expired certificate that is put before a site by mistake teaches users to click warnings away."""
    for one in found.certificates:
        left = days_until(one.ends, now)
        if left is not None:
            yield expect(
                left >= 0,
                on=one.arn,
                saw=f"ended {-left} days ago" if left < 0 else f"valid for {left} days",
                want="valid",
                values={"name": one.name},
            )
