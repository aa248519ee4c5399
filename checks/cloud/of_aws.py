"""Accounts that AWS itself uses: what they are let do, AWS does."""

from __future__ import annotations

BALANCER_LOGS = frozenset(
    {
        "009996457667", "027434742980", "033677994240", "037604701340", "048591011584", "054676820928",
        "076674570225", "098369216593", "114774131450", "127311923021", "156460612806", "190560391635",
        "383597477331", "507241528517", "582318560864", "589379963580", "600734575887", "635631232127",
        "638102146993", "652711504416", "718504428378", "754344448648", "783225319266", "797873946194",
        "897822967062", "985666609251",
    }
)  # fmt: skip
"""Load balancers write their logs from these, one in each of the older regions.

Compared one by one with the table that was in the AWS guide, as others keep it:
https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/enable-access-logs.html and
https://hackage.haskell.org/package/amazonka-elb-2.0/docs/src/Amazonka.ELB.Internal.html
"""
LAYERS = frozenset({"017000801446", "336392948345", "580247275435", "901920570463"})
"""Layers of AWS for every region: Powertools, the SDK for pandas, Lambda Insights, OpenTelemetry.

In this order: https://docs.powertools.aws.dev/lambda/python/latest/,
https://aws-sdk-pandas.readthedocs.io/en/stable/layers.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights-extension-versions.html,
https://aws-otel.github.io/docs/getting-started/lambda
"""
