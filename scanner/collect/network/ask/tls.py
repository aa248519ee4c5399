"""What a TLS port negotiates, and the certificate that it presents."""

from __future__ import annotations

import os

from checks.facts.network import OpenPort
from checks.facts.network.tls import (
    TlsCertificates,
    TlsChains,
    TlsCiphers,
    TlsCipherSupport,
    TlsFallbacks,
    TlsGroups,
    TlsSettings,
    TlsSuites,
    TlsTrusts,
    TlsVersions,
    TlsVersionSupport,
)
from checks.facts.snapshot import Fact, source
from scanner.collect.collector import Collected
from scanner.collect.network import hello
from scanner.collect.network.ask import starttls, tls_certificate, tls_settings, tls_suites
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.ask.tls_entrance import (
    Answer,
    Closed,
    Entrance,
    Good,
    Silent,
    in_words,
    is_refusal,
)

_OLD = frozenset({"SSLv3", "TLSv1.0", "TLSv1.1"})
_ASKED = ("TLSv1.0", "TLSv1.1", "TLSv1.2")
_PRESENTED: frozenset[type[Fact]] = frozenset({TlsCertificates, TlsChains, TlsTrusts})
_NEGOTIATED: frozenset[type[Fact]] = frozenset(
    {TlsVersions, TlsCiphers, TlsSuites, TlsSettings, TlsFallbacks, TlsGroups}
)


async def ask(asked: Asked) -> Collected:
    """Versions, suites, options and the certificate, as far as they are wanted.

    Nothing, not even a gap, of a port that has a protocol in which TLS can be started and does not
    start it: that is no TLS service.
    """
    entrance = Entrance(asked)
    found = Collected()
    try:
        if asked.wanted & _PRESENTED:
            found += await tls_certificate.collect(entrance)
        if asked.wanted & _NEGOTIATED:
            found += await _support(entrance)
    except starttls.NotOfferedError:
        return Collected()
    return found


async def _support(entrance: Entrance) -> Collected:
    asked = entrance.asked
    answers: dict[str, Answer | str] = {}
    for version in reversed(tuple(hello.VERSIONS)):
        answers[version] = await _hello(entrance, version)
        if answers[version] == hello.Alert(hello.INTERNAL_ERROR):
            # A fault passes, a security level stays: what comes twice is how the server is set.
            answers[version] = await _hello(entrance, version)
    accepted = tuple(
        v for v in hello.VERSIONS if isinstance(a := answers[v], hello.ServerHello) and a.version == v
    )
    if accepted:
        await _make_sure(entrance, answers, accepted[-1])
    found = Collected()
    if TlsVersions in asked.wanted:
        found += _versions(entrance, answers, accepted)
    if accepted == ("TLSv1.3",) and (left := [v for v in _ASKED if not _is_refusal(answers[v], v)]):
        # Only who refused all that is older has none of its flaws.
        reason = f"{left[-1]}: {_words(answers[left[-1]], left[-1])}"
        kinds = asked.wanted & (_NEGOTIATED - {TlsVersions, TlsFallbacks})
        return sum((undecided(kind, asked, reason) for kind in kinds), found)
    if TlsCiphers in asked.wanted:
        found += await _ciphers(entrance, accepted)
    newer = tuple(hello.VERSIONS)[tuple(hello.VERSIONS).index(accepted[-1]) + 1 :] if accepted else ()
    decided = all(_is_refusal(answers[version], version) for version in newer)
    newest = accepted[-1] if accepted and decided else ""
    return found + await tls_settings.collect(entrance, accepted, newest)


async def _make_sure(entrance: Entrance, answers: dict[str, Answer | str], newest: str) -> None:
    """Some servers close where others send an alert; whether this one refuses so is tried for each."""
    entrance.good = Good(newest, () if newest == "TLSv1.3" else tls_suites.ALL)
    for version, answer in tuple(answers.items()):

        async def again(version: str = version) -> Answer | str:
            return await _hello(entrance, version)

        answers[version] = await entrance.sure(answer, again)
    if not entrance.steady:
        # What was taken for a refusal before the port showed that it closes at random is none.
        for version, answer in answers.items():
            answers[version] = Closed() if isinstance(answer, Silent) else answer


async def _hello(entrance: Entrance, version: str) -> Answer | str:
    # Whether a version is spoken must not hang on a suite that is missing in the offer.
    suites = () if version == "TLSv1.3" else tls_suites.ALL
    return await entrance.say(hello.client_hello(version, os.urandom(64), suites), hello.read_answer)


def _versions(entrance: Entrance, answers: dict[str, Answer | str], accepted: tuple[str, ...]) -> Collected:
    asked = entrance.asked
    # A refusal counts only of a server that shook hands in some other version: whoever refuses
    # everything may be refusing us.
    refused = tuple(v for v in hello.VERSIONS if accepted and _is_refusal(answers[v], v))
    lines = "\n".join(f"{asked.port.name} {v}: {_words(answers[v], v)}" for v in hello.VERSIONS)
    fact = TlsVersions((TlsVersionSupport(asked.port.name, accepted, refused, entrance.via),))
    how = f"one TLS hello per version to {asked.address} {asked.port.name}"
    found = Collected((fact,), sources=(source(TlsVersions, how, asked.at, lines, asked.port.name),))
    order = tuple(hello.VERSIONS)
    newest = order.index(accepted[-1]) if accepted else len(order)
    for version in order[:newest]:
        if version not in accepted + refused:
            found += undecided(TlsVersions, asked, f"{version}: {_words(answers[version], version)}")
    return found


def _is_refusal(answer: Answer | str, version: str) -> bool:
    match answer:
        case hello.Alert(number):
            return number in hello.REFUSALS or (number == hello.INTERNAL_ERROR and version in _OLD)
        case Silent():
            return True
        case hello.ServerHello(chosen):
            # It chose an older version than the newest that was offered: it does not speak this one. A
            # newer one was not offered, and is nonsense.
            return hello.VERSIONS[chosen] < hello.VERSIONS[version]
        case _:
            return False


def _words(answer: Answer | str, version: str) -> str:
    twice = answer == hello.Alert(hello.INTERNAL_ERROR)
    return in_words(answer, version) + (" twice" if twice else "")


async def _ciphers(entrance: Entrance, accepted: tuple[str, ...]) -> Collected:
    asked = entrance.asked
    older = [v for v in accepted if v != "TLSv1.3"]
    # TLS 1.3 has no weak suites; where nothing older is spoken, that is the answer.
    answer: Answer | str = hello.Alert(min(hello.REFUSALS))
    newest_and_oldest = dict.fromkeys((older[-1], older[0])) if older else {}
    for version in newest_and_oldest if accepted else ("TLSv1.2",):
        # Newer versions left suites out that a server may still take up in an older one.
        answer = await entrance.offer(version, tuple(hello.WEAK_CIPHERS))
        if not is_refusal(answer):
            break
    if isinstance(answer, hello.ServerHello):
        weak: tuple[str, ...] = (tls_suites.suite_name(answer.cipher),)
    elif is_refusal(answer) and accepted:
        weak = ()
    else:
        reason = f"an offer of weak ciphers only: {in_words(answer, 'TLSv1.2')}"
        return undecided(TlsCiphers, asked, reason)
    said = f"{asked.port.name} " + (f"picked {weak[0]}" if weak else "refused all weak ciphers")
    if isinstance(answer, Silent):
        said += f": {in_words(answer, 'TLSv1.2')}"
    how = f"a TLS hello with weak ciphers only to {asked.address} {asked.port.name}"
    fact = TlsCiphers((TlsCipherSupport(asked.port.name, weak, entrance.via),))
    return Collected((fact,), sources=(source(TlsCiphers, how, asked.at, said, asked.port.name),))


def _applies(port: OpenPort) -> bool:
    return port.tls or port.service in starttls.UPGRADES


QUESTION = Question(
    _PRESENTED | _NEGOTIATED,
    _applies,
    ask,
    "TLS handshakes, one per version and up to twelve with chosen ciphers, after STARTTLS where TLS "
    "does not come first; where a port closes instead of refusing, the same again between two that it takes",
)
