"""Examples of the checks of functions, and of senders of mail."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.cloud.functions import FunctionUrl, FunctionUrls
from checks.facts.cloud.resource_policies import FunctionPolicies, ResourcePolicy
from checks.facts.cloud.ses import Sender, Senders
from tests.checks.cloud.examples.records import A, Facts, R, allow, fact, good

OPEN = allow("*", actions=("lambda:InvokeFunctionUrl",))
POLICIES = FunctionPolicies(A, (ResourcePolicy("arn:f", "f", R, OPEN),))

SENDER = Sender(f"arn:aws:ses:{R}:{A}:identity/example.com", "example.com", R, True, True)

EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.functions.url-without-signature": (
        (fact(FunctionUrls, good(FunctionUrl, signed=False)), POLICIES),
        (fact(FunctionUrls, good(FunctionUrl)), POLICIES),
    ),
    "cloud.ses.signature": (
        (Senders(A, (R,), (msgspec.structs.replace(SENDER, signs=False),)),),
        (Senders(A, (R,), (SENDER,)),),
    ),
}
