"""Words that name targets: every form, every bad input, and never a guess."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.addresses import (
    Address,
    AddressError,
    AddressSet,
    Network,
    faces,
    is_public,
    never,
    parse_address,
    parse_network,
)
from scanner.names import parse_ports, shown
from scanner.targets import (
    AnyTarget,
    AwsTarget,
    HostTarget,
    LocalTarget,
    NamedNetwork,
    NetworkTarget,
    TargetError,
    merge_targets,
    parse_target,
    parse_target_file,
    parse_targets,
)

steady = settings(deadline=None, max_examples=200, derandomize=True)


def net(text: str) -> NetworkTarget:
    return NetworkTarget(ip_network(text))


@pytest.mark.parametrize(
    ("word", "target", "spec"),
    [
        ("10.0.0.0/24", net("10.0.0.0/24"), "net:10.0.0.0/24"),
        ("10.0.0.5", net("10.0.0.5/32"), "net:10.0.0.5"),
        ("10.0.0.5/32", net("10.0.0.5/32"), "net:10.0.0.5"),
        ("2001:db8::/120", net("2001:db8::/120"), "net:2001:db8::/120"),
        ("2001:0DB8::0001", net("2001:db8::1/128"), "net:2001:db8::1"),
        ("::ffff:10.0.0.1", net("10.0.0.1/32"), "net:10.0.0.1"),
        ("::ffff:10.0.0.0/120", net("10.0.0.0/24"), "net:10.0.0.0/24"),
        ("net:office", NamedNetwork("office"), "net:office"),
        ("net:10.0.0.0/24", net("10.0.0.0/24"), "net:10.0.0.0/24"),
        (
            "ssh://audit@web-1.example:22",
            HostTarget("web-1.example", 22, "audit"),
            "ssh://audit@web-1.example:22",
        ),
        ("ssh://web-1", HostTarget("web-1", 22, ""), "ssh://web-1:22"),
        ("audit@web-1", HostTarget("web-1", 22, "audit"), "ssh://audit@web-1:22"),
        (
            "audit@WEB-1.Example.:2222",
            HostTarget("web-1.example", 2222, "audit"),
            "ssh://audit@web-1.example:2222",
        ),
        ("ssh://[2001:db8::1]:22", HostTarget("2001:db8::1", 22, ""), "ssh://[2001:db8::1]:22"),
        ("audit@[2001:db8::1]", HostTarget("2001:db8::1", 22, "audit"), "ssh://audit@[2001:db8::1]:22"),
        ("audit@[::ffff:10.0.0.1]", HostTarget("10.0.0.1", 22, "audit"), "ssh://audit@10.0.0.1:22"),
        ("local", LocalTarget(), "local"),
        ("aws", AwsTarget(), "aws"),
        ("aws://prod", AwsTarget("prod"), "aws://prod"),
        (
            "aws://123456789012/eu-west-1,eu-central-1,eu-west-1",
            AwsTarget("", "123456789012", ("eu-central-1", "eu-west-1")),
            "aws://123456789012/eu-central-1,eu-west-1",
        ),
        ("aws://prod/us-gov-west-1", AwsTarget("prod", "", ("us-gov-west-1",)), "aws://prod/us-gov-west-1"),
    ],
)
def test_forms(word: str, target: AnyTarget, spec: str) -> None:
    assert parse_target(word) == target
    assert target.spec == spec
    assert parse_target(spec) == target


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("", "may not be empty"),
        ("   ", "may not be empty"),
        ("-oN x", "looks like an option"),
        ("--script=x", "looks like an option"),
        ("a;id", "';' is in no target"),
        ("$(id)", "'$' is in no target"),
        ("`id`", "is in no target"),
        ("10.0.0.5 10.0.0.6", "' ' is in no target"),
        ("10.0.0.5\n10.0.0.6", r"'\n' is in no target"),
        ("10.0.0.5\0", r"'\x00' is in no target"),
        ("web\x1b[31m", "is in no target"),
        ("https://web-1.example/login", "write user@web-1.example"),
        ("file:///etc/passwd", "is no target"),
        ("0.0.0.0/0", "whole internet"),
        ("::/0", "whole internet"),
        ("10.0.0.0/8", "16,777,216 addresses are more than the 65,536 allowed"),
        ("2001:db8::/32", "2^96 addresses"),
        ("10.0.0.5/24", "write 10.0.0.0/24 for the network or 10.0.0.5 for the address"),
        ("2001:db8::5/120", "write 2001:db8::/120"),
        ("fe80::1%eth0", "zones"),
        ("user@[fe80::1%eth0]", "zones"),
        ("10.0.0.300", "0 to 255"),
        ("010.0.0.1", "octal"),
        ("127.1", "four numbers"),
        ("2130706433", "four numbers"),
        ("user@127.1", "four numbers"),
        ("user@0x7f.1", "no IP address"),
        ("user@0x7f000001", "no IP address"),
        ("user@2130706433", "four numbers"),
        ("user@10.0.0.010", "octal"),
        ("10.0.0.0/33", "0 to 32"),
        ("10.0.0.0/024", "a prefix length is a number"),
        ("10.0.0.0/255.255.255.0", "a prefix length is a number"),
        ("10.0.0.0/-1", "a prefix length is a number"),
        ("10.0.0.0/", "a prefix length is a number"),
        ("10.0.0.0-10.0.0.7", "write 10.0.0.0/29"),
        ("10.0.0.1-20", "ranges are not read"),
        ("2001:db8::1-2001:db8::4", "write 2001:db8::1 2001:db8::2/127 2001:db8::4"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("240.0.0.1", "reserved"),
        ("fe80::1", "link-local"),
        ("169.254.169.254", "metadata"),
        ("user@169.254.169.254", "metadata"),
        ("user@[::ffff:169.254.169.254]", "metadata"),
        ("user@host:0", "from 1 to 65535"),
        ("user@host:65536", "from 1 to 65535"),
        ("user@host:80-22", "from 1 to 65535"),
        ("user@host:022", "from 1 to 65535"),
        ("user@host:", "from 1 to 65535"),
        ("user@2001:db8::1", "write [2001:db8::1]"),
        ("user@[2001:db8::1", "in brackets"),
        ("user@", "the host is missing"),
        ("@host", "one user name"),
        ("a@b@host", "one user name"),
        ("-x@host", "looks like an option"),
        ("ssh://-x@host", "one user name"),
        ("user@-oProxyCommand=x", "is in no target"),
        ("user@-x", "no host name"),
        ("user@a..b", "no host name"),
        ("user@" + "a" * 64, "no host name"),
        ("user@host/path", "nothing follows the host"),
        ("LOCAL", "write local"),
        ("localhost", "127.0.0.1 for its ports"),
        ("lcoal", "did you mean local?"),
        ("web-1", "write user@web-1 for a host, or net:web-1"),
        ("aws:", "write aws"),
        ("aws://", "aws://PROFILE"),
        ("aws://prod/", "a region is missing"),
        ("aws://prod/eu-central1", "did you mean eu-central-1?"),
        ("aws://prod/EU-CENTRAL-1", "did you mean eu-central-1?"),
        ("aws://prod/eu-central-1a", "did you mean eu-central-1?"),
        ("aws://12345", "12 digits"),
        ("x" * 301, "at most 300 characters"),
        ("net:", "missing"),
        ("10.0.0.1,10.0.0.2", "no target"),
    ],
)
def test_bad_words_say_what_to_write(word: str, says: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(word)
    message = str(caught.value)
    assert says in message
    assert message.isprintable(), "one line that cannot move the cursor of a terminal"


def test_a_homograph_is_shown_for_what_it_is() -> None:
    with pytest.raises(TargetError) as caught:
        parse_target("root@gооgle.com")
    assert str(caught.value).isascii()
    assert "root@xn--ggle-55da.com" in str(caught.value)


@pytest.mark.parametrize(
    "word",
    [
        "root:hunter2@web-1",
        "ssh://root:hunter2@web-1",
        "https://u:hunter2@h/x",
        "u:a/hunter2@h",
        "u:p@hunter2@h",
    ],
)
def test_a_password_is_refused_and_not_repeated(word: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(word)
    assert "hunter2" not in str(caught.value)


def test_a_password_in_a_long_word_is_not_repeated_either() -> None:
    assert "hunter2" not in shown(f"root:hunter2{'x' * 400}@web-1")


def test_the_limit_is_the_callers_and_sizes_are_never_counted_one_by_one() -> None:
    assert parse_target("10.0.0.0/8", limit=2**24) == net("10.0.0.0/8")
    with pytest.raises(TargetError):
        parse_target("10.0.0.0/24", limit=255)


@given(st.text(max_size=60))
@steady
def test_no_word_gives_anything_but_a_target_or_a_line(word: str) -> None:
    try:
        target = parse_target(word)
    except TargetError as error:
        told = str(error)
    else:
        told = target.spec
        assert parse_target(told) == target
    assert told.isprintable()


@given(
    st.sampled_from(["ssh://", "u@", "net:", "aws://", ""]), st.text("0123456789abcfx.:/-[]%@,", max_size=24)
)
@steady
def test_what_is_read_has_one_canonical_form(head: str, tail: str) -> None:
    try:
        target = parse_target(head + tail)
    except TargetError:
        return
    assert parse_target(target.spec) == target
    if isinstance(target, HostTarget) and target.host.replace(".", "").isdigit():
        assert str(ip_address(target.host)) == target.host


def test_all_bad_words_are_told_at_once() -> None:
    with pytest.raises(TargetError) as caught:
        parse_targets(["10.0.0.5", "127.1", "a;id"])
    assert len(str(caught.value).splitlines()) == 2


# --- lists ---


def test_a_list_may_have_comments_blank_lines_and_a_byte_order_mark() -> None:
    data = "\ufeff# mine\n10.0.0.5  # the old one\r\n\n\tlocal\n".encode()
    assert parse_target_file(data, "t.txt") == (net("10.0.0.5/32"), LocalTarget())


def test_a_list_of_ten_thousand_lines_tells_the_first_twenty_bad_ones_with_their_numbers() -> None:
    lines = [f"10.{n // 256}.{n % 256}.1" for n in range(10_000)]
    assert len(parse_target_file("\n".join(lines).encode(), "t.txt")) == 10_000
    for bad in range(99, 10_000, 100):
        lines[bad] = f"10.0.0.{bad + 300}"
    with pytest.raises(TargetError) as caught:
        parse_target_file("\n".join(lines).encode(), "t.txt")
    told = str(caught.value).splitlines()
    assert len(told) == 21
    assert told[0].startswith("t.txt:100: 10.0.0.399: ")
    assert told[19].startswith("t.txt:2000: ")
    assert told[20] == "and 80 more"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "names no target"),
        (b"# nothing\n\n", "names no target"),
        (b"10.0.0.5\n\xff\xfe\n", "t.txt:2: not UTF-8"),
        (b"x" * (4 * 1024 * 1024 + 1), "4,194,305 bytes"),
        (b"@other.txt\n", "t.txt:1: @other.txt: before the @"),
    ],
)
def test_bad_lists(data: bytes, says: str) -> None:
    with pytest.raises(TargetError, match=says.replace(".", r"\.")):
        parse_target_file(data, "t.txt")


# --- merging ---


def test_repetitions_and_networks_inside_others_are_merged_with_a_note() -> None:
    words = [
        "10.0.0.5",
        "10.0.0.0/24",
        "local",
        "10.0.1.0/24",
        "local",
        "10.0.0.0/16",
        "2001:db8::1",
        "u@h",
        "u@h",
    ]
    merged, notes = merge_targets(parse_targets(words))
    assert [t.spec for t in merged] == ["local", "net:10.0.0.0/16", "net:2001:db8::1", "ssh://u@h:22"]
    assert "net:10.0.0.5 lies in net:10.0.0.0/16; it is scanned once" in notes
    assert "local is named twice; it is scanned once" in notes
    assert len(notes) == 5


networks = st.builds(
    lambda number, length: ip_network((number >> (32 - length) << (32 - length), length)),
    st.integers(0x0A000000, 0x0A0003FF),
    st.integers(20, 32),
)


@given(st.lists(networks, max_size=12))
@steady
def test_merging_keeps_every_address_and_no_address_twice(found: list[Network]) -> None:
    merged, _ = merge_targets([NetworkTarget(n) for n in found])
    kept = [t.network for t in merged if isinstance(t, NetworkTarget)]
    assert AddressSet.of(kept) == AddressSet.of(found)
    assert sum(n.num_addresses for n in kept) == AddressSet.of(found).size


# --- addresses ---


@given(st.lists(networks, max_size=6), st.lists(networks, max_size=6))
@steady
def test_sets_of_addresses_are_sets(left: list[Network], right: list[Network]) -> None:
    a, b = AddressSet.of(left), AddressSet.of(right)
    one: set[Address] = {x for n in left for x in n}
    other: set[Address] = {x for n in right for x in n}
    assert set(a) == one
    assert a.size == len(one)
    assert set(a - b) == one - other
    assert set(a | b) == one | other
    assert set(a & b) == one & other
    assert all((x in a) == (x in one) for x in (*list(one)[:50], *list(other)[:50], IPv4Address("9.9.9.9")))
    assert AddressSet.of(a.networks()) == a


def test_sets_keep_the_two_versions_apart() -> None:
    both = AddressSet.of([ip_network("0.0.0.1/32"), ip_network("::1/128")])
    assert list(both) == [IPv4Address("0.0.0.1"), IPv6Address("::1")]
    assert list(both - AddressSet.of([ip_network("::/64")])) == [IPv4Address("0.0.0.1")]
    assert IPv6Address("::1") in both
    assert IPv4Address(2) not in both
    assert AddressSet.of([ip_network("::/1")]).size == 2**127


@pytest.mark.parametrize(
    ("network", "first", "last", "size"),
    [
        ("10.0.0.0/24", "10.0.0.1", "10.0.0.254", 254),
        ("10.0.0.0/31", "10.0.0.0", "10.0.0.1", 2),
        ("10.0.0.5/32", "10.0.0.5", "10.0.0.5", 1),
        ("2001:db8::/126", "2001:db8::", "2001:db8::3", 4),
    ],
)
def test_a_network_has_machines_but_not_at_its_edges(network: str, first: str, last: str, size: int) -> None:
    machines = list(AddressSet.machines(ip_network(network)))
    assert (str(machines[0]), str(machines[-1]), len(machines)) == (first, last, size)


@pytest.mark.parametrize(
    ("network", "public"),
    [
        ("10.0.0.0/8", False),
        ("172.16.0.0/12", False),
        ("172.0.0.0/8", True),
        ("100.64.0.0/10", False),
        ("8.8.8.8/32", True),
        ("127.0.0.1/32", False),
        ("fd00::/64", False),
        ("2001:db8::/64", False),
        ("2600::/64", True),
        ("192.0.0.0/8", True),
    ],
)
def test_public_is_whatever_may_be_reached_over_the_internet(network: str, public: bool) -> None:
    assert is_public(ip_network(network)) is public


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("64:ff9b::a00:5", "10.0.0.5"),
        ("2002:a00:5::1", "10.0.0.5"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("::a00:5", "10.0.0.5"),
    ],
)
def test_an_address_may_carry_another_one(address: str, inside: str) -> None:
    assert ip_address(inside) in faces(ip_address(address))


def test_an_ordinary_address_has_one_face() -> None:
    assert faces(ip_address("2001:db8::1")) == (ip_address("2001:db8::1"),)
    assert faces(ip_address("::1")) == (ip_address("::1"),)


@given(st.ip_addresses())
@steady
def test_every_address_is_read_back(address: Address) -> None:
    assert parse_address(str(address)) == (getattr(address, "ipv4_mapped", None) or address)


@given(st.text("0123456789.", max_size=15))
@steady
def test_nothing_but_four_plain_numbers_is_an_address(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert str(address) == text


def test_never_is_for_what_lies_wholly_inside() -> None:
    assert never(IPv4Network("10.0.0.0/8")) == ""
    assert "multicast" in never(IPv4Network("239.0.0.0/24"))


def test_networks_that_hold_an_address_of_another_kind_have_host_bits() -> None:
    with pytest.raises(AddressError, match="bits are set"):
        parse_network("10.0.0.1/31")


# --- ports ---


@pytest.mark.parametrize(("text", "ports"), [("22", [22]), ("1-3", [1, 2, 3]), ("65535", [65535])])
def test_ports(text: str, ports: list[int]) -> None:
    assert list(parse_ports(text)) == ports


@pytest.mark.parametrize(
    "text", ["0", "65536", "80-22", "022", "", "-", "1-", "-1", "a", "1-2-3", "２２", " 22"]
)
def test_bad_ports(text: str) -> None:
    with pytest.raises(ValueError, match="port"):
        parse_ports(text)
