"""Names in public zones that lead to what the account no longer has, for others to take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from checks.check import Check, make_check
from checks.cloud.ec2_ranges import AS_OF, region_of
from checks.cloud.name_targets import (
    bucket_of,
    distribution_of,
    environment_of,
    environment_region,
    plain_name,
)
from checks.facts.cloud.cloudfront import Distributions
from checks.facts.cloud.ec2 import NetworkInterfaces
from checks.facts.cloud.route53 import (
    BucketTargets,
    ElasticAddresses,
    EnvironmentNames,
    NameRecord,
    NameRecords,
    StaticAddresses,
)
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, unknown

_GUIDE = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/protection-from-dangling-dns.html"
_ELASTIC = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html"
_ALL = "aws route53 list-resource-record-sets --hosted-zone-id @{zone} > records.before.json"
_CHANGE = "aws route53 change-resource-record-sets --hosted-zone-id @{zone} --change-batch file://change.json"
# A record of which a part is still one's own keeps that part.
_WITHOUT = (
    'jq --arg n @{record} --arg t @{kind} --arg lost @{lost} \'($lost|split(" ")) as $l | {Changes:'
    "[.ResourceRecordSets[]|select(.Name==$n and .Type==$t)"
    "|select([.ResourceRecords[]?.Value,.AliasTarget.DNSName?]|any(. as $v|$l|index($v)))"
    "|((.ResourceRecords//[])|map(select(.Value as $v|$l|index($v)|not))) as $left"
    '|if ($left|length)==0 then {Action:"DELETE",ResourceRecordSet:.} '
    'else {Action:"UPSERT",ResourceRecordSet:(.+{ResourceRecords:$left})} end]}\' '
    "records.before.json > change.json"
)
_AGAIN = (
    "jq --arg n @{record} --arg t @{kind} '{Changes:[.ResourceRecordSets[]|select(.Name==$n and .Type==$t)"
    '|{Action:"UPSERT",ResourceRecordSet:.}]}\' records.before.json > change.json'
)


def _fix(do: str) -> Fix:
    return Fix(
        action="Take @{name} (@{kind}) away from @{lost}",
        do=f"{do} Look in the record of the last weeks for who was sent there meanwhile.",
        verify="aws route53 list-resource-record-sets --hosted-zone-id @{zone} --start-record-name @{record} "
        "--start-record-type @{kind} --max-items 1   # nothing that is lost",
        effort=Effort(setup=0.25, each=0.25),
        undo="Put the saved record back.",
        key="route53:record @{zone}/@{record}/@{kind}",
        snippets=(
            Snippet(Language.AWS_CLI, f"{_ALL} &&\n{_WITHOUT} &&\n{_CHANGE}", f"{_AGAIN} &&\n{_CHANGE}"),
        ),
    )


def _lost(  # noqa: PLR0917 - one row of a table
    function: Callable[..., Verdicts], name: str, title: str, why: str, severity: Severity, fix: Fix
) -> Check[...]:
    return make_check(
        function,
        f"cloud.route53-names.{name}",
        title=title,
        why=why,
        severity=severity,
        impact=Impact.SERIOUS if severity.rank >= Severity.HIGH.rank else Impact.PARTIAL,
        exploit=Exploit.NO_EXPLOIT_NEEDED if severity.rank >= Severity.HIGH.rank else Exploit.HARDENING,
        surface=Surface.CONTROL_PLANE,
        fix=fix,
        refs=(_ELASTIC,) if name == "lost-address" else (_GUIDE,),
    )


def _sets(records: Iterable[NameRecord], kinds: tuple[str, ...]) -> Iterator[list[NameRecord]]:
    """The records of one name and kind together: several where they are weighted or by region."""
    found: dict[tuple[str, str, str], list[NameRecord]] = {}
    for one in records:
        if one.kind in kinds:
            found.setdefault((one.zone, one.name, one.kind), []).append(one)
    yield from found.values()


def _on(one: NameRecord) -> str:
    return f"{one.zone}/{plain_name(one)}/{one.kind}"


def _judged(
    one: NameRecord, lost: Iterable[str], held: str, what: str, confidence: Confidence = Confidence.LIKELY
) -> Verdict:
    gone = sorted(set(lost))
    return expect(
        not gone,
        on=_on(one),
        saw=f"{', '.join(gone)}: {what}" if gone else held,
        want=held,
        confidence=confidence,
        values={
            "name": plain_name(one),
            "record": one.name,
            "kind": one.kind,
            "zone": one.zone,
            "lost": " ".join(gone),
        },
    )


def _address(
    records: NameRecords,
    elastic: ElasticAddresses,
    interfaces: NetworkInterfaces,
    static: StaticAddresses,
) -> Verdicts:
    own = {one.address for one in (*elastic.addresses, *static.addresses)}
    own |= {address for one in interfaces.interfaces for address in one.public4}
    read = set(elastic.regions) & set(interfaces.regions) & set(static.regions)
    for several in _sets(records.records, ("A",)):
        one = several[0]
        known = {value: region for each in several for value in each.values if (region := region_of(value))}
        strange = sorted(set(known) - own)
        unread = sorted({known[value] for value in strange} - read)
        lost = [value for value in strange if known[value] in read]
        if known and unread and not lost:
            yield unknown(_on(one), f"the addresses of the account in {', '.join(unread)} were not read")
        elif known:
            yield _judged(
                one,
                lost,
                "addresses of this account",
                f"handed out by EC2 (list of {AS_OF}), and not to this account",
            )


def _bucket(records: NameRecords, buckets: BucketTargets) -> Verdicts:
    states = {one.name: one.state for one in buckets.buckets}
    for several in _sets(records.records, ("A", "AAAA", "CNAME")):
        one = next((each for each in several if bucket_of(each)), None)
        if one is None:
            continue
        name = bucket_of(one)
        targets = (one.alias,) if one.alias else one.values
        if "*" in name:
            yield _judged(
                one, targets, _HELD_BUCKET, f"a bucket of any name like {name} answers, by whomever"
            )
        elif states.get(name) == "closed":
            reason = f"bucket {name} is there, and nothing says whether it is one's own"
            yield unknown(_on(one), reason, needs="s3:GetBucketLocation")
        elif name in states:
            free = states[name] == "free"
            yield _judged(
                one,
                targets if free else (),
                _HELD_BUCKET,
                f"nobody has a bucket {name}, and anybody can make it",
                Confidence.CONFIRMED,
            )


_HELD_BUCKET = "a bucket of this account"


def _environment(records: NameRecords, own: EnvironmentNames) -> Verdicts:
    names = {one.name for one in own.names}
    for several in _sets(records.records, ("A", "CNAME")):
        found = [(each, environment_of(each)) for each in several if environment_of(each)]
        for one, name in found[:1]:
            region = environment_region(one)
            if region not in own.regions:
                yield unknown(_on(one), f"the environments of {region} were not read")
            else:
                gone = name not in names
                yield _judged(
                    one,
                    ((one.alias,) if one.alias else one.values) if gone else (),
                    "an environment of this account",
                    "no environment of this account has this name, and anybody can take a free one",
                )


def _distribution(records: NameRecords, found: Distributions) -> Verdicts:
    names = {one.name.lower() for one in found.distributions}
    for several in _sets(records.records, ("A", "CNAME")):
        leading = [(each, distribution_of(each)) for each in several if distribution_of(each)]
        for one, name in leading[:1]:
            if not names:
                # An account without any and one whose list was refused look alike from here.
                yield unknown(_on(one), "no distribution of the account was read")
            else:
                gone = name not in names
                yield _judged(
                    one,
                    ((one.alias,) if one.alias else one.values) if gone else (),
                    "a distribution of this account",
                    "no distribution of this account that is switched on",
                )


lost_address = _lost(
    _address,
    "lost-address",
    "No name leads to an address that the account has given back",
    "EC2 hands a released address to the next customer, who then serves under your name, reads its cookies "
    "and gets certificates for it.",
    Severity.HIGH,
    _fix("Find out whether another account of yours holds the address; if none does, delete the record now."),
)
lost_bucket = _lost(
    _bucket,
    "lost-bucket",
    "No name leads to a bucket that anybody can make",
    "Whoever makes a bucket of that name serves what they like under your domain.",
    Severity.HIGH,
    _fix("Make the bucket again at once so that nobody else can, then delete the record."),
)
lost_environment = _lost(
    _environment,
    "lost-environment",
    "No name leads to a Beanstalk environment that is gone",
    "The name of an ended environment is free for everybody, and with it all that your own name stands for.",
    Severity.HIGH,
    _fix("Find out whether another account of yours runs the environment; if none does, delete the record."),
)
lost_distribution = _lost(
    _distribution,
    "lost-distribution",
    "No name leads to a distribution that is gone",
    "A name that leads nowhere is the first half of a takeover, and tells strangers what used to be there.",
    Severity.LOW,
    _fix("Find out whether another account of yours runs the distribution; if none does, delete the record."),
)
