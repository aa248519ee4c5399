"""Which sound suites a TLS port picks, and which options of the older versions it takes up."""

from __future__ import annotations

import contextlib
import re

from checks.facts.network.tls import (
    TlsFallback,
    TlsFallbacks,
    TlsGroup,
    TlsGroups,
    TlsSetting,
    TlsSettings,
    TlsSuites,
    TlsSuiteSupport,
)
from checks.facts.snapshot import Fact, source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network import hello, web
from scanner.collect.network.ask import tls_suites
from scanner.collect.network.ask.question import undecided
from scanner.collect.network.ask.tls_entrance import Entrance, Silent, in_words, is_refusal
from scanner.collect.network.talk import TalkError

_NEWEST = "TLSv1.3"
_LIBRARY = re.compile(r"OpenSSL/\d[\w.\-]{0,20}")


async def collect(entrance: Entrance, accepted: tuple[str, ...], newest: str) -> Collected:
    """What is wanted of the suites, settings, groups and fallbacks of a port that speaks these versions.

    `newest` is the last of them, empty where a newer one was not decided.
    """
    wanted = entrance.asked.wanted
    older = tuple(v for v in accepted if v != _NEWEST)
    if not accepted:
        reason = "no version of TLS was accepted"
        kinds = (TlsSuites, TlsSettings, TlsGroups, TlsFallbacks)
        return sum((undecided(k, entrance.asked, reason) for k in kinds if k in wanted), Collected())
    if not older:
        return _only_newest(entrance)
    found = Collected()
    if TlsGroups in wanted:
        found += await _groups(entrance, older[-1])
    if TlsFallbacks in wanted and len(older) > 1:
        found += await _fallback(entrance, older[-2])
    if wanted & {TlsSettings, TlsSuites}:
        found += await _settings(entrance, accepted, older[-1], newest)
    return found


def _only_newest(entrance: Entrance) -> Collected:
    """TLS 1.3 has forward secrecy, sound suites and none of the old options, by its definition."""
    port, via = entrance.asked.port.name, entrance.via
    said = f"{port} speaks {_NEWEST} only"
    suites = TlsSuiteSupport(
        port, _NEWEST, (), whole=False, order="", fresh_keys=True, newest=_NEWEST, via=via
    )
    setting = TlsSetting(
        port, "", renegotiation=False, compression=False, heartbeat=False, stapled=False, alpn="", via=via
    )
    facts: tuple[Fact, ...] = (
        TlsSuites((suites,)),
        TlsSettings((setting,)),
        TlsGroups((TlsGroup(port, 0, via),)),
    )
    kept = [fact for fact in facts if type(fact) in entrance.asked.wanted]
    return sum((_told(entrance, fact, "one TLS hello per version", said) for fact in kept), Collected())


async def _settings(entrance: Entrance, accepted: tuple[str, ...], version: str, newest: str) -> Collected:
    asked = entrance.asked
    flight = await entrance.flight(
        version,
        tls_suites.ALL,
        curious=True,
        # Some servers of other protocols rightly break off when they hear of HTTP.
        alpn=asked.port.service == "http",
    )
    if not isinstance(flight, hello.Flight):
        reason = f"an offer of all suites: {in_words(flight, version)}"
        kinds = asked.wanted & {TlsSettings, TlsSuites}
        return sum((undecided(kind, asked, reason) for kind in kinds), Collected())
    found = Collected()
    if TlsSettings in asked.wanted:
        found += await _setting(entrance, flight)
    if TlsSuites in asked.wanted:
        found += await _suites(entrance, flight.hello, fresh=_NEWEST in accepted, newest=newest)
    return found


async def _setting(entrance: Entrance, flight: hello.Flight) -> Collected:
    chosen = flight.hello
    heartbeat = hello.HEARTBEAT in chosen.extensions
    one = TlsSetting(
        port=entrance.asked.port.name,
        version=chosen.version,
        renegotiation=hello.RENEGOTIATED in chosen.extensions,
        compression=chosen.compression != 0,
        heartbeat=heartbeat,
        stapled=flight.stapled,
        alpn=chosen.alpn,
        library=await _library(entrance) if heartbeat else "",
        via=entrance.via,
    )
    parts = {
        "secure renegotiation": one.renegotiation,
        "compression": one.compression,
        "heartbeat": one.heartbeat,
        "stapled status": one.stapled,
    }
    told = "; ".join(f"{name} {'yes' if there else 'no'}" for name, there in parts.items())
    said = (
        f"{one.port} {one.version}: {told}{f'; inside {one.alpn}' if one.alpn else ''}"
        f"{f'; says {one.library}' if one.library else ''}"
    )
    return _told(entrance, TlsSettings((one,)), "a TLS hello with all options", said)


async def _library(entrance: Entrance) -> str:
    """The version of its TLS library that a server tells in its banner or to a plain request for a page."""
    asked = entrance.asked
    told = asked.port.banner
    if asked.port.service == "http" and not entrance.via:
        with contextlib.suppress(TalkError):
            async with entrance.talk() as talk:
                await talk.tls(web.client_context())
                told = (await web.get(talk, asked.address, asked.port.number)).headers.get("server", "")
    found = _LIBRARY.search(told)
    return printable(found[0]) if found else ""


async def _suites(entrance: Entrance, first: hello.ServerHello, *, fresh: bool, newest: str) -> Collected:
    """The suites by taking away each that was picked, and whose order decides."""
    version = first.version
    fresh = fresh or first.cipher in tls_suites.FRESH
    if not fresh:
        answer = await entrance.offer(version, tuple(tls_suites.FRESH))
        if not isinstance(answer, hello.ServerHello) and not is_refusal(answer):
            reason = f"an offer of suites with forward secrecy only: {in_words(answer, version)}"
            return undecided(TlsSuites, entrance.asked, reason)
        fresh = isinstance(answer, hello.ServerHello)
    picked, whole = await _picked(entrance, first)
    order = await _order(entrance, version, picked) if len(picked) > 1 else ""
    names = tuple(tls_suites.suite_name(number) for number in picked)
    one = TlsSuiteSupport(entrance.asked.port.name, version, names, whole, order, fresh, newest, entrance.via)
    said = (
        f"{one.port} {version} in this order: {', '.join(names) or 'no sound suite'}"
        f"{'' if whole else ' and maybe more'}; {f'the {order} decides' if order else 'order not known'}; "
        f"forward secrecy {'yes' if fresh else 'no'}; newest version {newest or 'not known'}"
    )
    return _told(entrance, TlsSuites((one,)), "TLS hellos with fewer and fewer suites", said)


async def _picked(entrance: Entrance, first: hello.ServerHello) -> tuple[list[int], bool]:
    picked = [first.cipher] if first.cipher in tls_suites.SOUND else []
    # One hello is kept for the question of whose order counts.
    while entrance.left > 1:
        rest = tuple(number for number in tls_suites.SOUND if number not in picked)
        answer = await entrance.offer(first.version, rest, once=True)
        if not isinstance(answer, hello.ServerHello):
            return picked, is_refusal(answer)
        picked.append(answer.cipher)
    return picked, False


async def _order(entrance: Entrance, version: str, picked: list[int]) -> str:
    best, next_best = picked[:2]
    answer = await entrance.offer(version, (next_best, best))
    if not isinstance(answer, hello.ServerHello):
        return ""
    return {best: "server", next_best: "client"}.get(answer.cipher, "")


async def _groups(entrance: Entrance, version: str) -> Collected:
    answer = await entrance.flight(version, tuple(tls_suites.FINITE_FIELD))
    if isinstance(answer, hello.Flight) and answer.prime_bits:
        bits = answer.prime_bits
    elif is_refusal(answer):
        bits = 0
    else:
        reason = f"an offer of Diffie-Hellman only: {in_words(answer, version)}"
        return undecided(TlsGroups, entrance.asked, reason)
    one = TlsGroup(entrance.asked.port.name, bits, entrance.via)
    said = f"{one.port} {version}: " + (f"a prime of {bits} bits" if bits else "refused")
    return _told(entrance, TlsGroups((one,)), "a TLS hello with Diffie-Hellman only", said)


async def _fallback(entrance: Entrance, version: str) -> Collected:
    answer = await entrance.offer(version, (*tls_suites.ALL, hello.FALLBACK))
    # A hello that differed in nothing else was taken: the close is about the fallback.
    guarded = answer in (hello.Alert(hello.INAPPROPRIATE_FALLBACK), Silent())
    if not guarded and not isinstance(answer, hello.ServerHello):
        return undecided(TlsFallbacks, entrance.asked, f"a fallback: {in_words(answer, version)}")
    one = TlsFallback(entrance.asked.port.name, version, guarded, entrance.via)
    said = f"{one.port} a fallback to {version}: {in_words(answer, version)}"
    return _told(entrance, TlsFallbacks((one,)), "a TLS hello that says it fell back", said)


def _told(entrance: Entrance, fact: Fact, what: str, said: str) -> Collected:
    asked = entrance.asked
    how = f"{what} to {asked.address} {asked.port.name}"
    return Collected((fact,), sources=(source(type(fact), how, asked.at, said, asked.port.name),))
