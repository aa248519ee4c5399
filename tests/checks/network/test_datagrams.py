from __future__ import annotations

import subprocess

import msgspec
import pytest

from checks.facts.network import LOOPBACK, OUTSIDE, OpenPort
from checks.facts.network.datagrams import UdpAnswers, UdpSize
from checks.facts.snapshot import Gap
from checks.model import Confidence, Outcome, Severity, Surface
from checks.network.datagrams import HATCHES
from checks.network.udp import nft_limit
from tests.checks.network.judging import CATALOGUE, filled, judge, open_ports, outcomes, udp_answers

SERVICES = {
    "network.datagrams.tftp": ("tftp", 69),
    "network.datagrams.memcached": ("memcached", 11211),
    "network.datagrams.port-mapper": ("rpcbind", 111),
    "network.datagrams.netbios-names": ("netbios-ns", 137),
    "network.datagrams.upnp": ("ssdp", 1900),
    "network.datagrams.multicast-names": ("mdns", 5353),
    "network.datagrams.directory": ("cldap", 389),
    "network.datagrams.device-discovery": ("ws-discovery", 3702),
    "network.datagrams.management-controllers": ("ipmi", 623),
}
AMPLIFIER = "network.datagrams.amplifier"
EVERY = [(check, *known) for check, known in SERVICES.items()]


def test_every_hatch_is_tested() -> None:
    assert set(SERVICES) == {hatch.id for hatch in HATCHES}
    assert all(hatch.id in CATALOGUE.checks for hatch in HATCHES)


@pytest.mark.parametrize(("check", "service", "number"), EVERY)
def test_a_service_that_answers_fails_on_any_port(check: str, service: str, number: int) -> None:
    port = OpenPort(40_000, "udp", service, "Thing", "1.2", banner="words")
    [finding] = [
        f
        for f in judge(check, open_ports(port), udp_answers(opened=(40_000,), closed=(number,)))
        if f.outcome is Outcome.FAIL
    ]
    assert (finding.on, finding.port, finding.confidence) == ("udp/40000", "udp/40000", Confidence.CONFIRMED)
    assert finding.saw == f"{service} Thing 1.2 (words), reached from inside"
    assert finding.surface is Surface.SERVICE
    filled(check, finding)


@pytest.mark.parametrize(("check", "service", "number"), EVERY)
def test_the_usual_port_passes_only_on_evidence(check: str, service: str, number: int) -> None:
    on = f"udp/{number}"
    closed = outcomes(judge(check, open_ports(), udp_answers(closed=(number,))))
    assert closed == {on: Outcome.PASS}
    other = open_ports(OpenPort(number, "udp", "else"))
    [looks] = judge(check, other, udp_answers(opened=(number,)))
    assert (looks.outcome, looks.on) == (Outcome.UNKNOWN, on)
    assert "looks like else" in looks.reason
    [silent] = judge(check, open_ports(), udp_answers(silent=(number,)))
    assert (silent.outcome, silent.on) == (Outcome.UNKNOWN, on)
    assert "no answer to two datagrams from inside" in silent.reason
    assert silent.needs
    [unasked] = judge(check, open_ports(), udp_answers(closed=(7,)))
    assert (unasked.outcome, unasked.on) == (Outcome.UNKNOWN, on)
    assert "not asked" in unasked.reason


@pytest.mark.parametrize(("check", "service", "number"), EVERY)
def test_what_was_not_recognised_on_the_usual_port_fails_with_less_confidence(
    check: str, service: str, number: int
) -> None:
    nobody = open_ports(OpenPort(number, "udp", note="nothing that was recognised"))
    [finding] = [f for f in judge(check, nobody, udp_answers(opened=(number,))) if f.on == f"udp/{number}"]
    assert (finding.outcome, finding.confidence) == (Outcome.FAIL, Confidence.LIKELY)


@pytest.mark.parametrize(("check", "service", "number"), EVERY)
def test_a_look_from_the_machine_itself_decides_nothing(check: str, service: str, number: int) -> None:
    here = msgspec.structs.replace(open_ports(OpenPort(number, "udp", service)), vantage=LOOPBACK)
    [finding] = judge(check, here, udp_answers(opened=(number,), vantage=LOOPBACK))
    assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, f"udp/{number}")
    assert finding.needs == "a scan from another machine"


@pytest.mark.parametrize("check", [*SERVICES, AMPLIFIER])
def test_a_host_that_was_not_asked_by_udp_is_unknown(check: str) -> None:
    gap = Gap("UdpAnswers", "no time was left for datagrams", needs="more time")
    [finding] = judge(check, open_ports(), gaps=(gap,))
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "more time")


@pytest.mark.parametrize(("check", "service", "number"), EVERY)
def test_the_same_service_by_tcp_is_not_this_one(check: str, service: str, number: int) -> None:
    tcp = open_ports(OpenPort(number, "tcp", service))
    assert outcomes(judge(check, tcp, udp_answers(closed=(number,)))) == {f"udp/{number}": Outcome.PASS}


def test_controllers_and_memcached_are_the_worst() -> None:
    bad = {c for c in SERVICES if CATALOGUE.checks[c].severity is Severity.HIGH}
    assert {"network.datagrams.management-controllers", "network.datagrams.memcached"} <= bad


def test_the_fix_of_one_port_goes_back_without_those_of_others() -> None:
    """The real nft takes the rules, in a network namespace of its own that is gone afterwards."""
    do, undo = ([text.replace("@{port}", port) for port in ("69", "1900")] for text in nft_limit())
    script = "\n".join(["set -e", *do, undo[0], "nft list ruleset"])
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", script], check=False, capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "bartizan_udp_1900" in done.stdout
    assert "bartizan_udp_69" not in done.stdout
    assert "udp dport 1900 ip saddr != 192.0.2.0/24 drop" in done.stdout


SIZES = (UdpSize(123, 48, 48), UdpSize(1900, 90, 500))


def test_an_answer_that_is_far_longer_than_its_question_fails_from_outside() -> None:
    seen = udp_answers(opened=(123, 1900), closed=(69,), silent=(161,), vantage=OUTSIDE, sizes=SIZES)
    found = judge(AMPLIFIER, seen)
    assert outcomes(found) == {
        "udp/123": Outcome.UNKNOWN,
        "udp/1900": Outcome.FAIL,
        "udp/69": Outcome.PASS,
        "silent ports": Outcome.UNKNOWN,
    }
    [finding] = [f for f in found if f.outcome is Outcome.FAIL]
    assert finding.saw == "500 bytes for 90, asked from outside"
    filled(AMPLIFIER, finding)
    assert Outcome.FAIL not in outcomes(judge(AMPLIFIER, seen, times=6)).values()


def test_silence_is_said_once_for_all_ports() -> None:
    [finding] = judge(AMPLIFIER, udp_answers(silent=(53, 69, 161)))
    assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, "silent ports")
    assert finding.reason == (
        "udp/53, udp/69, udp/161: no answer to two datagrams from inside: it is filtered, or keeps silent"
    )


def test_from_inside_a_long_answer_is_unknown() -> None:
    seen = udp_answers(opened=(123, 1900), sizes=SIZES)
    found = judge(AMPLIFIER, seen)
    assert outcomes(found) == {"udp/123": Outcome.UNKNOWN, "udp/1900": Outcome.UNKNOWN}
    assert [f.needs for f in found] == ["the configuration of the service", "a scan from outside"]


def test_an_old_fact_without_sizes_does_not_pass() -> None:
    from checks.facts.snapshot import Snapshot, decode, encode
    from checks.model import Kind, Target

    snapshot = Snapshot(
        Target(Kind.NETWORK, "10.0.0.5", "net:10.0.0.5"),
        "2026-11-23T12:00:00Z",
        ("address:inside/10.0.0.5",),
        facts={"UdpAnswers": udp_answers(opened=(123,), closed=(69,))},
    )
    raw = msgspec.json.decode(encode(snapshot))
    del raw["facts"]["UdpAnswers"]["sizes"]
    old = decode(msgspec.json.encode(raw), {"UdpAnswers": UdpAnswers}).get(UdpAnswers)
    assert old is not None
    assert set(outcomes(judge(AMPLIFIER, old)).values()) == {Outcome.UNKNOWN}
