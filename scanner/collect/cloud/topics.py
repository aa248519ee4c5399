"""The topics that are collected from cloud accounts."""

from __future__ import annotations

from scanner.collect.cloud import (
    cloudtrail,
    ebs,
    ec2,
    iam,
    kms,
    rds,
    s3,
    vpc,
)

TOPICS = (
    cloudtrail,
    ebs,
    ec2,
    iam,
    kms,
    rds,
    s3,
    vpc,
)
