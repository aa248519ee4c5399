"""HTTP APIs that serve whoever asks."""

from __future__ import annotations

from checks.check import Check, make_check
from checks.facts.network.logins import ApiLogins
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Surface
from checks.network.apis_table import APIS, Api
from checks.verdict import Verdicts, expect, unknown


def _check(api: Api) -> Check[[ApiLogins]]:
    def run(found: ApiLogins) -> Verdicts:
        for login in found.apis:
            if login.api != api.name:
                continue
            if not login.decided:
                yield unknown(login.port, login.answer, needs=f"an answer from {login.port}", port=login.port)
                continue
            version = f" (version {login.version})" if login.version else ""
            yield expect(
                login.needed,
                on=login.port,
                saw=f"{login.answer}{version}",
                want="a login is asked for",
                port=login.port,
                values={"scheme": "https" if login.tls else "http"},
            )

    return make_check(
        run,
        f"network.apis.{api.name}-login",
        title=api.title,
        severity=api.severity,
        impact=api.impact,
        exploit=Exploit.NO_EXPLOIT_NEEDED,
        surface=Surface.SERVICE,
        weakness=api.weakness,
        why=api.why,
        fix=Fix(
            action=api.action,
            do=api.do,
            verify=f"curl -sk -m 5 -o /dev/null -w '%{{http_code}}\\n' "
            f"@{{scheme}}://@{{target}}:@{{port}}'{api.path}'   # {api.expected}",
            effort=Effort(setup=api.hours, each=api.hours / 4),
            disruption=Disruption.RESTART,
            undo="Put the old configuration back and restart the service.",
            snippets=(
                Snippet(Language.SHELL, f"# On @{{target}}, for port @{{port}}:\n{api.snippet}", api.back),
            ),
            key=f"api-{api.name}:@{{target}}:@{{on}}",
        ),
        refs=(api.reference,) if api.reference else (),
    )


CHECKS = tuple(_check(api) for api in APIS)
