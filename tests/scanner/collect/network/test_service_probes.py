from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.collect.network.naming import both, service_name
from scanner.collect.network.recognise import NOBODY, Recognised, recognise
from scanner.collect.network.service_probes import Named, Probe, named, parse, required, signature
from scanner.collect.network.service_probes_book import Book, Comparer, open_book
from scanner.collect.network.service_probes_match import Matcher
from scanner.transport import nmap

FILE = rb"""# a comment
Exclude T:9100-9107
Probe TCP NULL q||
totalwaitms 6000
match lab m|^lab ([\d.]+) (\w+)\r\n| p/Lab server/ v/$1/ i/from $2/ h/$2/ cpe:/a:lab:server:$1/ cpe:/o:lab:x/a
match twice m=^two=i p=Two/Three= cpe:/a:x:one/ cpe:/a:x:two/
softmatch lab m|^lab |
match odd m|^number (.)(..)| v/$I(1,">").$I(2,"<")/ i/$SUBST(2,"A","b")/
match wide m|^wide (.*)$|s p/$P(1)/
match slow m|^slow (a+)+$|s p/never/
match after m|^slow| p/After/
match broken m|^(| p/x/
nonsense without an end
Probe TCP Ask q|ask\0\x01\r\n\\|
ports 7,20-22
sslports 23
rarity 3
fallback NULL
match asked m|^answer$| p/Asked/
softmatch lab m|^maybe|
Probe UDP Ask q|u|
ports 7
rarity 9
match udp m|^u|
"""
PROBES = parse(FILE)


def match(reply: bytes, probe: str = "NULL", protocol: str = "tcp") -> Named | None:
    return Matcher(PROBES).match(protocol, probe, reply).named


def test_probes_are_read_with_their_bytes_and_ports() -> None:
    assert list(PROBES) == [("tcp", "NULL"), ("tcp", "Ask"), ("udp", "Ask")]
    ask = PROBES["tcp", "Ask"]
    assert ask.payload == b"ask\x00\x01\r\n\\"
    assert (sorted(ask.ports), sorted(ask.tls_ports), ask.rarity, ask.fallback) == (
        [7, 20, 21, 22],
        [23],
        3,
        ("NULL",),
    )


def test_a_signature_names_all_that_it_knows() -> None:
    found = match(b"lab 1.2 Host A\r\n".replace(b" A", b""))
    assert found is not None
    assert (found.service, found.product, found.version, found.info, found.host) == (
        "lab",
        "Lab server",
        "1.2",
        "from Host",
        "Host",
    )
    assert found.cpe == ("cpe:/a:lab:server:1.2", "cpe:/o:lab:x")


def test_of_two_names_of_one_part_the_last_counts() -> None:
    found = match(b"TWO")
    assert found is not None
    assert (found.product, found.cpe) == ("Two/Three", ("cpe:/a:x:two",))


def test_numbers_and_replacements_are_filled_in() -> None:
    found = match(b"number \x07A\x01")
    assert found is not None
    assert found.version == f"7.{0x0141}"
    assert found.info == "b\\u0001"
    found = match(b"wide W\x00o\x00\xffw\x1b[1m")
    assert found is not None
    assert found.product == "Wow[1m"


def test_a_soft_match_narrows_and_names_what_may_tell_more() -> None:
    verdict = Matcher(PROBES).match("tcp", "NULL", b"lab what")
    assert verdict.named == Named("lab", soft=True)
    assert verdict.further == ("Ask",)


def test_what_answers_a_probe_is_also_compared_with_first_words() -> None:
    assert match(b"lab 1 x\r\n", "Ask") == match(b"lab 1 x\r\n")
    assert match(b"answer") is None
    assert (match(b"answer", "Ask") or Named("")).product == "Asked"
    assert match(b"u", "Ask", "udp") == Named("udp")


def test_a_pattern_that_takes_long_is_given_up_and_told() -> None:
    matcher = Matcher(PROBES)
    began = monotonic()
    verdict = matcher.match("tcp", "NULL", b"slow " + b"a" * 60 + b"!")
    assert monotonic() - began < 5
    assert verdict.given_up == ("line 10 (slow)",)
    assert (verdict.named or Named("")).product == "After"
    assert matcher.match("tcp", "NULL", b"slow " + b"a" * 60 + b"!").given_up == ()


@given(st.binary(max_size=200))
def test_what_a_text_must_hold_is_in_every_text_that_matches(text: bytes) -> None:
    for pattern, flags in (
        (rb"^ab?c*d+e\.f", re.RegexFlag(0)),
        (rb"(?:x|y)zz{2}\x41", re.RegexFlag(0)),
        (rb"HELLO [a-z]\r\n", re.IGNORECASE),
    ):
        if re.search(pattern, text, flags):
            assert required(pattern, flags) in (text.lower() if flags else text)


SURVIVOR = """
import asyncio, sys
from scanner.collect.network.service_probes_book import Comparer, open_book
from scanner.transport import nmap

async def work():
    comparer = Comparer(open_book(nmap.find()), print)
    await comparer.start()
    print(comparer._process.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(work())
"""


@pytest.mark.real
def test_the_process_that_compares_does_not_outlive_a_scanner_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", SURVIVOR], stdout=subprocess.PIPE, text=True) as scanner:
        assert scanner.stdout is not None
        child = int(scanner.stdout.readline())
        scanner.kill()
    until = monotonic() + 10
    while monotonic() < until and runs(child):
        sleep(0.05)
    assert not runs(child)


def runs(number: int) -> bool:
    """Whether that process is there and is not only waiting for somebody to hear of its end."""
    try:
        words = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False
    return words.rpartition(")")[2].split()[0] not in "ZX"


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (rb"^HTTP/1\.[01] \d\d\d .*\r\nServer: nginx\r\n", b"\r\nServer: nginx\r\n"),
        (rb"^abc|def", b""),
        (rb"^ab(?:cd)?ef", b"ab"),
        (rb"^\x00\0\x01long?", b"\x00\x00\x01lon"),
        (rb"^a{0,3}bc{2}d", b"bc"),
        (rb"(?i)abc", b""),
        (rb"^[abc]\w\.", b"."),
    ],
)
def test_the_longest_certain_part_of_a_pattern_is_found(pattern: bytes, needed: bytes) -> None:
    assert required(pattern, re.RegexFlag(0)) == needed


@pytest.mark.parametrize(
    "line", [b"match", b"match x", b"match x m|a", b"match x mabc", b"", b"softmatch  m||"]
)
def test_a_line_that_is_none_is_left_out(line: bytes) -> None:
    assert signature(1, line) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_file(data: bytes) -> None:
    for probe in parse(b"Probe TCP NULL q||\n" + data).values():
        for number, line in probe.lines:
            signature(number, line)


def test_a_reply_never_prints(tmp_path: Path) -> None:
    one = signature(1, rb"match x m|^(.*)$|s p/$1/ v/$1/ i/$1/ h/$1/ cpe:/a:x:$1/")
    assert one is not None
    found = re.compile(one.pattern, one.flags).search(b"\x1b[2J\xe2\x80\xae\x00\xff" * 100)
    assert found is not None
    said = named(one, found)
    assert all(text.isprintable() for text in (said.product, said.version, said.info, said.host, *said.cpe))
    assert len(said.product) <= 200


def installed() -> Book:
    found = open_book(nmap.find())
    assert found is not None, "nmap and its service-probe file are not installed; they are parts of this test"
    return found


@pytest.mark.real
def test_the_installed_file_is_read() -> None:
    book = installed()
    assert len(book.probes) > 100
    assert book.payload("GetRequest", b"") == b"GET / HTTP/1.0\r\n\r\n"
    assert book.payload("no such probe", b"own") == b"own"
    assert "SMBProgNeg" in book.hints(445)
    assert "LDAPSearchReq" in book.hints(636, tls=True)
    # Never sent: what starts a compiler, and what is printed.
    assert not {"DistCCD", "LPDString"} & {name for port in range(65_536) for name in book.hints(port)}


@pytest.mark.real
def test_all_signatures_of_the_installed_file_are_understood() -> None:
    data = installed().path.read_bytes()
    lines = [line for probe in parse(data).values() for line in probe.lines]
    assert len(lines) > 10_000
    read = [signature(*line) for line in lines]
    assert all(read)
    # Compiling all takes seconds; every fiftieth shows that they are written as Python understands them.
    for one in read[::50]:
        assert one is not None
        re.compile(one.pattern, one.flags)


@pytest.mark.real
@pytest.mark.parametrize(
    ("probe", "reply"),
    [
        ("NULL", b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
        ("GetRequest", b"HTTP/1.1 403 Forbidden\r\nDate: x\r\nServer: Apache/2.4.57 (Debian)\r\n\r\n"),
    ],
)
def test_only_few_patterns_are_compiled_for_one_reply(probe: str, reply: bytes) -> None:
    matcher = Matcher(parse(installed().path.read_bytes()))
    found = matcher.match("tcp", probe, reply).named
    assert found is not None
    assert found.product
    compiled = [line for lines in matcher._read.values() for line in lines.lines if line.compiled]
    assert len(compiled) < 200


def compared(*replies: bytes) -> tuple[list[str], float]:
    async def work() -> tuple[list[str], float]:
        said: list[str] = []
        comparer = Comparer(installed(), said.append)
        await comparer.start()
        try:
            await comparer.compare("NULL", b"warm")
            began = monotonic()
            verdicts = [await comparer.compare("NULL", reply) for reply in replies]
            took = monotonic() - began
        finally:
            await comparer.stop()
        assert (await comparer.compare("NULL", b"late")).named is None
        assert said == []
        return [verdict.named.product if verdict.named else "" for verdict in verdicts], took

    return asyncio.run(work())


@pytest.mark.real
def test_the_process_beside_us_compares_the_replies_of_many_hosts_in_a_moment() -> None:
    replies = [b"SSH-2.0-OpenSSH_9.%dp1\r\n" % n for n in range(30)] + [b"SSH-2.0-OpenSSH_8.1\r\n"] * 200
    products, took = compared(*replies)
    assert products == ["OpenSSH"] * 230
    assert took < 5


@pytest.mark.real
def test_a_process_that_dies_is_started_again_and_then_given_up() -> None:
    async def work() -> list[str]:
        said: list[str] = []
        comparer = Comparer(
            Book(Path("/nonexistent"), {("tcp", "NULL"): Probe("tcp", "NULL", b"")}), said.append
        )
        for _ in range(5):
            assert (await comparer.compare("NULL", b"x")).named is None
        await comparer.stop()
        return said

    assert set(asyncio.run(work())) == {
        "replies could not be compared with the service-probe file; own signatures were used"
    }


def test_a_machine_without_nmap_has_no_book() -> None:
    assert open_book(None) is None


@pytest.mark.parametrize(
    ("heard", "theirs", "service", "product"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", None, "ssh", "OpenSSH"),
        (b"HTTP/1.1 200 OK\r\n\r\n", Named("ipp", product="CUPS"), "http", "CUPS"),
        (b"what", Named("microsoft-ds"), "smb", ""),
        (b"what", Named("X11", product="X.Org"), "x11", "X.Org"),
        (b"220 FTP\r\n", Named("ftp", soft=True), "ftp", ""),
        (b"220 vsFTPd 3\r\n", Named("ftp", soft=True), "ftp", "vsftpd"),
        (b"+PONG\r\n", Named("tcpwrapped"), "redis", ""),
    ],
)
def test_both_say_one_name(heard: bytes, theirs: Named | None, service: str, product: str) -> None:
    found = both(recognise(heard), theirs, heard)
    assert (found.service, found.product) == (service, product)


def test_names_that_say_nothing_are_none() -> None:
    assert service_name("ssl") == ""
    assert service_name("ssl/http") == "http"
    assert both(NOBODY, Named("unknown"), b"x") == Recognised()
