"""Data events: whether a running trail of all regions records them for all resources of a kind."""

from __future__ import annotations

from collections.abc import Callable

from checks.check import Check, make_check
from checks.cloud.setting import repair
from checks.facts.cloud.cloudtrail import TrailDataSelectors, TrailObjectEvents, Trails, TrailStates
from checks.fix import Fix
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect, unknown

GUIDE = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide"


def data_fix(what: str, kind: str, every: str) -> Fix:
    """The repair that adds a selector for all resources of a kind, beside those that are there."""
    newer = (
        f'{{"Name":"all {what}","FieldSelectors":[{{"Field":"eventCategory","Equals":["Data"]}},'
        f'{{"Field":"resources.type","Equals":["{kind}"]}}]}}'
    )
    older = (
        '{"ReadWriteType":"All","IncludeManagementEvents":false,"DataResources":'
        f'[{{"Type":"{kind}","Values":["{every}"]}}]}}'
    )
    put = "aws cloudtrail put-event-selectors --region @{region} --trail-name @{trail}"

    def both(now: str, then: str) -> str:
        return (
            "if jq -e '.AdvancedEventSelectors // [] | length > 0' selectors.before.json > /dev/null; then\n"
            f"  jq '.AdvancedEventSelectors{now}' selectors.before.json > selectors.now.json &&\n"
            f"  {put} --advanced-event-selectors file://selectors.now.json\n"
            "else\n"
            f"  jq '.EventSelectors{then}' selectors.before.json > selectors.now.json &&\n"
            f"  {put} --event-selectors file://selectors.now.json\nfi"
        )

    read = "aws cloudtrail get-event-selectors --region @{region} --trail-name @{trail}"
    return repair(
        f"Record {what} in trail @{{trail}}",
        "Add a selector for these data events to the trail of all regions, beside those that it has. They "
        "cost by their number: where that is too much, record those of the resources that matter, and note "
        "the rest as an accepted risk.",
        f"{read}   # {kind}",
        f"{read} > selectors.before.json &&\n{both(f' + [{newer}]', f' + [{older}]')}",
        both("", ""),
        terraform="# In the aws_cloudtrail with name @{trail}, beside the advanced selectors that it has.\n"
        "# Plain ones (event_selector) give way to them: write each of those anew, management events first.\n"
        'advanced_event_selector {\n  name = "management events"\n  field_selector {\n'
        '    field  = "eventCategory"\n    equals = ["Management"]\n  }\n}\n'
        f'advanced_event_selector {{\n  name = "all {what}"\n  field_selector {{\n'
        '    field  = "eventCategory"\n    equals = ["Data"]\n  }\n  field_selector {\n'
        f'    field  = "resources.type"\n    equals = ["{kind}"]\n  }}\n}}\n',
        back="Put the saved selectors back.",
        key=f"cloudtrail:{kind} @{{account}}",
    )


def data_check(
    name: str, title: str, why: str, what: str, fix: Fix, *, has: Callable[[TrailObjectEvents], bool]
) -> Check[[Trails, TrailStates, TrailDataSelectors]]:
    """A check that a running trail of all regions records one kind of data events everywhere."""

    def judge(trails: Trails, states: TrailStates, found: TrailDataSelectors) -> Verdicts:
        on = name.replace("-", " ")
        logging = {one.arn: one.logging for one in states.states}
        chosen = {one.arn: has(one) for one in found.events}
        wide = [trail for trail in trails.trails if trail.every_region]
        good = [t for t in wide if logging.get(t.arn, False) and chosen.get(t.arn, False)]
        unsure = [t for t in wide if logging.get(t.arn, True) and chosen.get(t.arn, True)]
        if unsure and not good:
            yield unknown(on, f"what {unsure[0].name} records could not be read")
            return
        idle = [t.name for t in trails.trails if chosen.get(t.arn, False)]
        seen = f"only by {', '.join(idle)}, stopped or of one region" if idle else f"no trail records {what}"
        home = next((t for t in wide if logging.get(t.arn, False)), None)
        yield expect(
            bool(good),
            on=on,
            saw=good[0].name if good else seen,
            want=f"a running trail of all regions that records {what}",
            values={
                "account": found.account,
                "trail": home.name if home else "all-regions",
                "region": home.region if home else "us-east-1",
            },
            cite=good[0].arn if good else "",
        )

    judge.__module__ = "checks.cloud.cloudtrail"
    return make_check(
        judge,
        f"cloud.cloudtrail.{name}",
        title=title,
        severity=Severity.LOW,
        surface=Surface.CONTROL_PLANE,
        why=why,
        fix=fix,
        refs=(f"{GUIDE}/logging-data-events-with-cloudtrail.html",),
    )
