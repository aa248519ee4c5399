"""Lightsail: what the internet reaches of machines, databases and buckets."""

from __future__ import annotations

from checks.check import check
from checks.cloud.addresses import opened
from checks.cloud.setting import repair
from checks.facts.cloud.lightsail import (
    LightBucket,
    LightBuckets,
    LightDatabases,
    LightMachine,
    LightMachines,
)
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/lightsail/latest/userguide"
_RISKY = frozenset(
    {21, 22, 23, 135, 445, 1433, 1521, 2375, 2379, 3306, 3389, 5432, 5900, 5985, 6379, 9200, 11211, 27017}
)


@check(
    "cloud.lightsail.open-ports",
    title="Machines of Lightsail open no administration or database ports",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=repair(
        "Close ports of Lightsail machine @{name} to the internet",
        "Let in your own networks only, for SSH the browser's own client of Lightsail too. The call replaces "
        "all rules, so the others go along.",
        "aws lightsail get-instance-port-states --region @{region} --instance-name @{name}",
        "aws lightsail get-instance-port-states --region @{region} --instance-name @{name} "
        "> ports.before.json &&\n"
        'jq --arg net "$OWN_NETWORK" --arg open @{ports} \'[.portStates[] | del(.state) '
        '| (.fromPort as $p | .toPort as $q | $open | split(" ") | any(tonumber >= $p and tonumber <= $q)) '
        "as $h | if $h then .cidrs=[$net] | .ipv6Cidrs=[] else . end]' "
        "ports.before.json > ports.after.json &&\n"
        "aws lightsail put-instance-public-ports --region @{region} --instance-name @{name} "
        "--port-infos file://ports.after.json",
        "jq '[.portStates[] | del(.state)]' ports.before.json > ports.after.json &&\n"
        "aws lightsail put-instance-public-ports --region @{region} --instance-name @{name} "
        "--port-infos file://ports.after.json",
        back="Put the saved rules back.",
        key="lightsail:ports @{region}/@{name}",
        terraform="# In the port_info blocks of ports @{ports} of the "
        "aws_lightsail_instance_public_ports of @{name}:\ncidrs      = [var.own_network]\n"
        "ipv6_cidrs = [var.own_network6]\n",
    ),
    refs=(f"{_GUIDE}/understanding-firewall-and-port-mappings-in-amazon-lightsail.html",),
)
def open_ports(found: LightMachines) -> Verdicts:
    """Lightsail opens SSH to everybody by itself, and bots find it within minutes."""
    for one in found.machines:
        reached = _reached(one)
        words = ", ".join(f"tcp/{port}" for port in reached)
        bad = bool(reached)
        evidence = f"{one.name} at {one.address or one.address6}: {words} from everywhere"
        yield expect(
            not bad,
            on=one.arn,
            where=one.region,
            saw=f"{words} open to the internet" if bad else "no such port is open to the internet",
            want="no such port is open to the internet",
            port=f"tcp/{reached[0]}" if bad else "",
            exposure=Exposure.INTERNET_OPEN if bad else None,
            exposure_evidence=evidence if bad else "",
            values={"name": one.name, "ports": " ".join(str(port) for port in reached)},
        )


def _reached(one: LightMachine) -> list[int]:
    """The risky ports that the rules together open to the internet."""
    found = []
    for port in sorted(_RISKY):
        cidrs = [
            cidr
            for rule in one.ports
            if rule.protocol in ("tcp", "all") and rule.low <= port <= rule.high
            for cidr in rule.cidrs
            if (one.address6 if ":" in cidr else one.address)
        ]
        if opened(cidrs):
            found.append(port)
    return found


@check(
    "cloud.lightsail.public-database",
    title="Databases of Lightsail are not public",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=repair(
        "Take database @{name} of Lightsail off the internet",
        "Switch public mode off; machines of Lightsail in the same region still reach it.",
        "aws lightsail get-relational-database --region @{region} --relational-database-name @{name} "
        "--query relationalDatabase.publiclyAccessible   # false",
        "aws lightsail update-relational-database --region @{region} --relational-database-name @{name} "
        "--no-publicly-accessible --apply-immediately",
        "aws lightsail update-relational-database --region @{region} --relational-database-name @{name} "
        "--publicly-accessible --apply-immediately",
        key="lightsail:database @{region}/@{name}",
        terraform="# In the aws_lightsail_database with relational_database_name @{name}:\n"
        "publicly_accessible = false\napply_immediately   = true\n",
    ),
    refs=(f"{_GUIDE}/amazon-lightsail-configuring-database-public-mode.html",),
)
def public_database(found: LightDatabases) -> Verdicts:
    """No firewall stands before it: its password alone keeps everybody out."""
    for one in found.databases:
        yield expect(
            not one.public,
            on=one.arn,
            where=one.region,
            saw="public" if one.public else "reached from Lightsail only",
            want="reached from Lightsail only",
            exposure=Exposure.INTERNET_OPEN if one.public else None,
            exposure_evidence=f"{one.name} is in public mode, and no firewall stands before it"
            if one.public
            else "",
            values={"name": one.name},
        )


@check(
    "cloud.lightsail.public-bucket",
    title="Buckets of Lightsail are not public",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=repair(
        "Close bucket @{name} of Lightsail to the public",
        "Make all objects private; what a site needs goes behind a distribution of Lightsail.",
        "aws lightsail get-buckets --region @{region} --bucket-name @{name} --query 'buckets[].accessRules'",
        "aws lightsail get-buckets --region @{region} --bucket-name @{name} > bucket.before.json &&\n"
        "aws lightsail update-bucket --region @{region} --bucket-name @{name} "
        "--access-rules getObject=private,allowPublicOverrides=false",
        "jq '.buckets[0].accessRules' bucket.before.json > rules.json &&\n"
        "aws lightsail update-bucket --region @{region} --bucket-name @{name} --access-rules file://rules.json",
        back="Put the saved rules back.",
        key="lightsail:bucket @{region}/@{name}",
    ),
    refs=(f"{_GUIDE}/amazon-lightsail-understanding-bucket-permissions.html",),
)
def public_bucket(found: LightBuckets) -> Verdicts:
    """Everybody who knows or guesses the name copies what is in it."""
    for one in found.buckets:
        words = _open(one)
        bad = bool(words) and not one.blocked
        good = "private, with all objects"
        yield expect(
            not bad,
            on=one.arn,
            where=one.region,
            saw=words if bad else f"{words}, but the account blocks it" if words else good,
            want=good,
            severity=None if one.public else Severity.MEDIUM,
            # Whether any object was given away is not told.
            confidence=Confidence.CONFIRMED if one.public or not bad else Confidence.POSSIBLE,
            exposure=Exposure.INTERNET_OPEN if bad else None,
            exposure_evidence=f"{one.name}: {words}" if bad else "",
            values={"name": one.name},
        )


def _open(one: LightBucket) -> str:
    if one.public:
        return "everybody may read all objects"
    return "single objects may be made public" if one.overrides else ""
