from __future__ import annotations

import os
import random
import struct
from time import monotonic

import pytest

from checks.facts.network import OpenPort
from scanner.collect.network.ask.ber import BerError, integer, tlv
from scanner.collect.network.ask.snmp_wire import SYS_DESCR, discovery, get_request, read_answer
from scanner.collect.network.recognise_udp import dns_texts, identify_udp, netbios_names
from scanner.collect.network.udp_payloads import (
    PAYLOADS,
    USUAL_UDP,
    cldap_root,
    dns_question,
    ike_main_mode,
    netbios_status,
    rmcp_ping,
    ssdp_search,
)

SSDP = (
    b"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\n"
    b"SERVER: Linux/5.4 UPnP/1.1 MiniUPnPd/2.2.1\r\nLOCATION: http://10.0.0.1:5000/root.xml\r\n\r\n"
)
NETBIOS = (
    b"\x12\x34\x84\x00\0\0\0\x01\0\0\0\0\x20CK" + b"A" * 30 + b"\0\0\x21\0\x01\0\0\0\0\0\x65\x02"
    + b"FILESERVER     \x00\x04\x00" + b"WORKGROUP      \x00\x84\x00" + bytes(46)
)  # fmt: skip
PONG = bytes.fromhex("0600ff06000011be400000100000 11be00000000810000000000 0000")
CLDAP = tlv(0x30, integer(7), tlv(0x64, tlv(4), tlv(0x30))) + tlv(
    0x30, integer(7), tlv(0x65, b"\x0a\x01\x00")
)
ISAKMP = os.urandom(8) + os.urandom(8) + b"\x0b\x10\x05\x00" + bytes(4) + struct.pack("!I", 28)


def answer(value: bytes, version: int = 1) -> bytes:
    binding = tlv(0x30, tlv(6, SYS_DESCR), tlv(4, value))
    pdu = tlv(0xA2, integer(5), integer(0), integer(0), tlv(0x30, binding))
    return tlv(0x30, integer(version), tlv(4, b"public"), pdu)


@pytest.mark.parametrize(
    ("number", "heard", "service", "words"),
    [
        (
            1900,
            SSDP,
            "ssdp",
            "Linux/5.4 UPnP/1.1 MiniUPnPd/2.2.1, described at http://10.0.0.1:5000/root.xml",
        ),
        (137, NETBIOS, "netbios-ns", "FILESERVER<00>, WORKGROUP<00>"),
        (623, PONG, "ipmi", ""),
        (389, CLDAP, "cldap", ""),
        pytest.param(500, ISAKMP, "isakmp", "IKE version 1", id="500"),
        (3702, b'<?xml version="1.0"?><Envelope><Body><ProbeMatches/></Body></Envelope>', "ws-discovery", ""),
        (69, b"\0\x05\0\x01File not found\0", "tftp", "error 1: File not found"),
        (69, b"\0\x03\0\x01data", "tftp", "hands out a file that nobody has"),
        (111, bytes(4) + b"\0\0\0\x01" + bytes(16), "rpcbind", ""),
        (123, b"\x24\x03" + bytes(46), "ntp", "NTP version 4, stratum 3"),
        (161, answer(b"Cisco IOS\x1b[2J"), "snmp", "Cisco IOS\\u001b[2J"),
        (11211, b"\x01\x02\0\0\0\x01\0\0VERSION 1.6.18\r\n", "memcached", ""),
    ],
)
def test_each_service_is_known_by_its_answer(number: int, heard: bytes, service: str, words: str) -> None:
    port = identify_udp(number, heard)
    assert (port.number, port.protocol, port.service, port.banner) == (number, "udp", service, words)
    assert port.identified_by == "datagram"


def test_a_product_and_its_version_are_taken_from_the_answer() -> None:
    device = identify_udp(1900, SSDP)
    assert (device.product, device.version) == ("MiniUPnPd", "2.2.1")
    store = identify_udp(11211, b"\x01\x02\0\0\0\x01\0\0VERSION 1.6.18\r\n")
    assert (store.product, store.version, store.cpe) == (
        "Memcached",
        "1.6.18",
        ("cpe:/a:memcached:memcached:1.6.18",),
    )


DEEP = b"\x30\x80" * 20_000
LOOP = struct.pack("!6H", 1, 0x8400, 0, 1, 0, 0) + b"\xc0\x0c\0\x10\0\x01\0\0\0\0\0\x05\x04text"
CHAIN = (
    struct.pack("!6H", 1, 0x8400, 0, 5_000, 0, 0)
    + b"\x01a\0"
    + b"\xc0\x0c\0\x10\0\x01\0\0\0\0\0\x02\x01x" * 5_000
)
HOSTILE = [
    b"",
    b"\0",
    b"\xff" * 65_507,
    b"\0" * 65_507,
    b"\x30" * 60_000,
    b"\x30\x84\xff\xff\xff\xff" + b"\x02" * 100,
    b"\x30\x83\0\xff\xff" + b"\x04\x7f" * 500,
    DEEP,
    LOOP,
    CHAIN,
    struct.pack("!6H", 1, 0x8400, 65_535, 65_535, 65_535, 65_535) + b"\x3f" * 60_000,
    answer(b"x" * 60_000),
    SSDP[:40] + b"\r\nSERVER: " + b"a/" * 30_000,
    NETBIOS[:56] + b"\xff" + b"\x1b" * 60_000,
    b"\x06\0\xff\x06" + b"\x40" * 60_000,
    b"HTTP/1.1 200 " + b"SERVER:\t" * 8_000,
]


@pytest.mark.parametrize("number", list(USUAL_UDP))
def test_hostile_answers_are_read_in_bounds(number: int) -> None:
    began = monotonic()
    for heard in HOSTILE:
        port = identify_udp(number, heard)
        assert isinstance(port, OpenPort)
        assert port.banner.isprintable()
        assert len(port.banner) <= 200
        assert len(port.version) <= 40
    assert monotonic() - began < 3


@pytest.mark.parametrize("number", list(USUAL_UDP))
def test_mutated_answers_never_raise(number: int) -> None:
    chance = random.Random(number)
    seeds = [
        SSDP,
        NETBIOS,
        PONG,
        CLDAP,
        ISAKMP,
        answer(b"text"),
        LOOP,
        discovery(5),
        get_request(1, b"public", 5),
    ]
    for _ in range(300):
        one = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 8)):
            one[chance.randrange(len(one))] = chance.randrange(256)
        identify_udp(number, bytes(one[: chance.randrange(len(one) + 1)]))


def test_a_server_that_sends_everything_back_is_nobody() -> None:
    for number, payloads in PAYLOADS.items():
        for payload in payloads:
            assert identify_udp(number, payload()).service == "", number


def test_a_text_that_repeats_does_not_name_a_service_elsewhere() -> None:
    assert identify_udp(123, SSDP).service == ""
    assert identify_udp(7, SSDP).service == ""


def test_dns_is_not_recognised_in_a_question_or_a_loop() -> None:
    assert dns_texts(dns_question("version.bind", 16, 3)) is None
    assert dns_texts(LOOP) is None
    assert netbios_names(netbios_status()) is None


@pytest.mark.parametrize("cut", range(1, 60, 3))
def test_a_cut_answer_of_snmp_is_no_answer(cut: int) -> None:
    with pytest.raises(BerError):
        read_answer(answer(b"some description")[:-cut])


def test_an_answer_of_snmp_gives_its_text() -> None:
    told = read_answer(answer(b"Linux", version=0))
    assert (told.version, told.request, told.error, told.value) == (0, 5, 0, b"Linux")


def test_questions_have_their_true_form() -> None:
    assert len(netbios_status()) == 50
    assert len(rmcp_ping()) == 12
    message = ike_main_mode()
    assert struct.unpack_from("!I", message, 24) == (len(message),)
    assert cldap_root()[:2] == bytes((0x30, len(cldap_root()) - 2))
    assert ssdp_search().endswith(b"\r\n\r\n")
    assert all(len(one()) < 700 for payloads in PAYLOADS.values() for one in payloads)


@pytest.mark.parametrize(
    ("heard", "service"),
    [
        (b"\x01\x02\0\0\0\x01\0\0VERSION 1.6.18\r\n", "memcached"),
        (b"\x01\x02\0\0\0\x01\0\0SERVER_ERROR out of memory\r\n", "memcached"),
        (b"\x01\x02\0\0\0\x01\0\0ERROR\r\n", "memcached"),
        (b"\x01\x02\0\0\0\x01\0\0version\r\n", ""),
        (b"HTTP/1.1ERROR\r\n", ""),
        (b"\0" * 8 + b"VERSION 1\r\n", ""),
        (b"\x01\x02\0\0\0\x01\0\0ERRORS 3 of them", ""),
    ],
)
def test_memcached_is_known_by_its_whole_frame(heard: bytes, service: str) -> None:
    assert identify_udp(11211, heard).service == service
