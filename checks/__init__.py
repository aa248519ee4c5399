"""What can be known, asked and answered: facts, checks and verdicts.

The face for authors of checks. A check is a function under `@check(...)` that asks for facts by its
positional parameter types and yields verdicts:

    @check("host.ssh.root-login", title="SSH refuses direct root logins", severity=..., fix=...)
    def root_login(sshd: Sshd, *, allowed: frozenset[str] = frozenset({"no"})) -> Verdicts:
        '''A root login over SSH hides who acted, and one guessed password owns the host.'''
        yield expect(sshd.permit_root_login in allowed, on="PermitRootLogin", saw=..., want=...)
"""

from checks.check import Check, CheckError, Option, check, make_check
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Exposure, Impact, Kind, Outcome, Severity, Surface, Weakness
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

__all__ = [
    "Check",
    "CheckError",
    "Confidence",
    "Disruption",
    "Effort",
    "Exploit",
    "Exposure",
    "Fix",
    "Impact",
    "Kind",
    "Language",
    "Option",
    "Outcome",
    "Severity",
    "Snippet",
    "Surface",
    "Verdict",
    "Verdicts",
    "Weakness",
    "check",
    "expect",
    "make_check",
    "not_applicable",
    "unknown",
]
