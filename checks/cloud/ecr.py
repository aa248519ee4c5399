"""Image repositories: who pulls and pushes, and whether flaws in images are seen."""

from __future__ import annotations

from checks.check import check
from checks.cloud.resource_policies import family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.ecr import Registries, Repositories
from checks.facts.cloud.policy import matches
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect

POLICIES = family("ecr")


@check(
    "cloud.ecr.scanning",
    title="Images are scanned for known flaws when they are pushed",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Scan all images of region @{region}",
        "Let the registry scan every repository on push; that covers repositories that are made later.",
        "aws ecr get-registry-scanning-configuration --region @{region} --query scanningConfiguration.rules",
        "aws ecr put-registry-scanning-configuration --region @{region} --scan-type BASIC "
        "--rules 'scanFrequency=SCAN_ON_PUSH,repositoryFilters=[{filter=*,filterType=WILDCARD}]'",
        "# This empties the rules; put those that were there before back instead, where there were any.\n"
        "aws ecr put-registry-scanning-configuration --region @{region} --scan-type BASIC --rules '[]'",
        key="ecr:scan-all @{region} @{account}",
    ),
    refs=("https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html",),
)
def scanning(found: Repositories, registries: Registries) -> Verdicts:
    """An image that nobody scans brings known flaws into production and keeps them there."""
    rules = {one.region: one for one in registries.registries}
    for one in found.repositories:
        registry = rules.get(one.region)
        if registry is None:
            continue
        by_rule = [pattern for pattern in registry.filters if _filters(pattern, one.name)]
        # With enhanced scanning the switch of a repository has no effect.
        ok = bool(by_rule) or (one.scans and not registry.enhanced)
        how = f"the registry's rule {by_rule[0]}" if by_rule else "its own setting"
        yield expect(
            ok,
            on=one.arn,
            where=one.region,
            saw=f"scanned by {how}" if ok else "not scanned",
            want="scanned when pushed",
            values={"account": found.account},
        )


def _filters(pattern: str, name: str) -> bool:
    # Without a wildcard a filter of the registry is for every name that holds it.
    return matches(pattern, name) if "*" in pattern else pattern in name


fixed_tags = setting(
    "cloud.ecr.fixed-tags",
    Repositories,
    lambda one: one.fixed,
    title="Tags of images cannot be moved",
    why="Whoever may push can otherwise put another image under the tag that production pulls.",
    severity=Severity.LOW,
    bad="tags can be moved",
    good="tags are fixed",
    fix=repair(
        "Fix the tags of images",
        "Make tags immutable, and let builds tag each image with its version or digest. Builds that push "
        "`latest` again "
        "and again fail from then on: change them first.",
        "aws ecr describe-repositories --region @{region} --repository-names @{name} "
        "--query 'repositories[].imageTagMutability'   # IMMUTABLE",
        "aws ecr put-image-tag-mutability --region @{region} --repository-name @{name} "
        "--image-tag-mutability IMMUTABLE",
        "aws ecr put-image-tag-mutability --region @{region} --repository-name @{name} "
        "--image-tag-mutability MUTABLE",
        terraform='# In the aws_ecr_repository with name @{name}:\nimage_tag_mutability = "IMMUTABLE"\n',
    ),
    refs=("https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",),
)
