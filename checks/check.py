"""A check: one question about facts, with its thresholds, its rationale and its repair."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, ParamSpec, cast, get_type_hints

from checks.facts.snapshot import Fact
from checks.fix import Fix
from checks.model import Exploit, Impact, Kind, Severity, Surface, Weakness
from checks.verdict import Verdict, Verdicts

P = ParamSpec("P")

_IDENTIFIER = re.compile(r"(network|host|cloud)(\.[a-z0-9]+(-[a-z0-9]+)*){2}")
_KINDS = {"network": Kind.NETWORK, "host": Kind.HOST, "cloud": Kind.AWS}
_IMPACT = {
    Severity.CRITICAL: Impact.TOTAL,
    Severity.HIGH: Impact.SERIOUS,
    Severity.MEDIUM: Impact.PARTIAL,
    Severity.LOW: Impact.MINOR,
    Severity.INFO: Impact.MINOR,
}
CLOCK_PARAMETER = "now"
"""The keyword-only parameter that is given the time of judging, in UTC, instead of a threshold."""


class CheckError(TypeError):
    """A check is written wrongly; raised when its module is imported."""


@dataclass(frozen=True, slots=True)
class Option:
    """One threshold of a check that a baseline may set: its type and its default."""

    name: str
    type: Any
    default: object


@dataclass(frozen=True, slots=True)
class Check(Generic[P]):
    """A question about facts. Call it with facts and thresholds to get verdicts.

    `needs` are the fact types in the order of the positional parameters; `options` the keyword-only
    thresholds; `why` the rationale from the docstring.
    """

    id: str
    title: str
    kind: Kind
    severity: Severity
    impact: Impact
    exploit: Exploit
    surface: Surface
    weakness: Weakness | None
    fix: Fix
    refs: tuple[str, ...]
    why: str
    needs: tuple[type[Fact], ...]
    options: Mapping[str, Option]
    wants_time: bool
    run: Callable[..., Verdicts]
    aliases: tuple[str, ...] = ()

    def __call__(self, *facts: P.args, **options: P.kwargs) -> Iterator[Verdict]:
        """The verdicts about these facts, one per object, computed as they are asked for."""
        yield from self.run(*facts, **options)


def check(
    identifier: str,
    *,
    title: str,
    severity: Severity,
    fix: Fix,
    impact: Impact | None = None,
    exploit: Exploit = Exploit.HARDENING,
    surface: Surface = Surface.LOCAL,
    weakness: Weakness | None = None,
    refs: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Callable[[Callable[P, Verdicts]], Check[P]]:
    """Makes a `Check` of a function.

    The function's positional parameters are annotated with the facts it needs; its keyword-only
    parameters are thresholds with defaults, except `now: datetime`, which is the time of judging. Its
    docstring is the rationale. `title` states the good state. `impact` follows the severity if not given.

    Raises:
        CheckError: an id of another form, a parameter that is neither fact nor threshold, no docstring.

    """

    def make(function: Callable[P, Verdicts]) -> Check[P]:
        return make_check(
            function,
            identifier,
            title=title,
            severity=severity,
            fix=fix,
            impact=impact,
            exploit=exploit,
            surface=surface,
            weakness=weakness,
            refs=refs,
            aliases=aliases,
        )

    return make


def make_check(
    function: Callable[P, Verdicts],
    identifier: str,
    *,
    title: str,
    severity: Severity,
    fix: Fix,
    why: str = "",
    impact: Impact | None = None,
    exploit: Exploit = Exploit.HARDENING,
    surface: Surface = Surface.LOCAL,
    weakness: Weakness | None = None,
    refs: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Check[P]:
    """The same for checks that a table generates: `why` takes the place of the docstring."""
    folder = identifier.partition(".")[0]
    if not _IDENTIFIER.fullmatch(identifier):
        raise CheckError(
            f"{identifier}: an id reads network|host|cloud, a topic and a name, as in host.ssh.root-login"
        )
    if not title.strip():
        raise CheckError(f"{identifier}: the title states the good state and may not be empty")
    rationale = " ".join((why or inspect.getdoc(function) or "").split())
    if not rationale:
        raise CheckError(f"{identifier}: the docstring is the rationale and may not be missing")
    needs, options, wants_time = _parameters(function, identifier)
    return Check(
        id=identifier,
        title=title,
        kind=_KINDS[folder],
        severity=severity,
        impact=impact or _IMPACT[severity],
        exploit=exploit,
        surface=surface,
        weakness=weakness,
        fix=fix,
        refs=refs,
        why=rationale,
        needs=needs,
        options=MappingProxyType(options),
        wants_time=wants_time,
        run=cast("Callable[..., Verdicts]", function),
        aliases=aliases,
    )


def _parameters(
    function: Callable[..., Verdicts], identifier: str
) -> tuple[tuple[type[Fact], ...], dict[str, Option], bool]:
    hints = get_type_hints(function)
    needs: list[type[Fact]] = []
    options: dict[str, Option] = {}
    wants_time = False
    for parameter in inspect.signature(function).parameters.values():
        hint = hints.get(parameter.name)
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise CheckError(f"{identifier}: *{parameter.name} says neither which facts nor which thresholds")
        if parameter.kind is parameter.KEYWORD_ONLY:
            if parameter.name == CLOCK_PARAMETER:
                if hint is not datetime:
                    raise CheckError(f"{identifier}: {CLOCK_PARAMETER} is a datetime")
                wants_time = True
            elif parameter.default is parameter.empty:
                raise CheckError(f"{identifier}: the threshold {parameter.name} needs a default")
            else:
                options[parameter.name] = Option(parameter.name, hint, parameter.default)
        elif isinstance(hint, type) and issubclass(hint, Fact):
            needs.append(hint)
        else:
            raise CheckError(f"{identifier}: {parameter.name} is annotated with no fact")
    if not needs:
        raise CheckError(f"{identifier}: a check asks for at least one fact")
    return tuple(needs), options, wants_time
