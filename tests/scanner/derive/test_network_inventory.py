"""Machines, ports, certificates and keys held against the list of approved ones, or the scan before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from baselines.text import TextError
from checks.facts.network.link import LinkAddress
from checks.facts.network.ssh import SshHostKey, SshHostKeys
from checks.facts.network.tls import Certificate, TlsCertificates
from checks.facts.snapshot import Gap
from checks.model import Finding, Outcome
from scanner.inventory import Inventory, bytes_of, changes, learn, read_inventory, write_inventory
from tests.checks.network.judging import filled
from tests.scanner.derive.test_network_segmentation import CUT, NO_ZONES, address, judged, network, record

ROGUE, MISSING, PORT, NEW, CERTIFICATE, KEY = (
    f"network.inventory.{name}"
    for name in (
        "rogue-host",
        "missing-host",
        "unexpected-port",
        "new-port",
        "changed-certificate",
        "changed-host-key",
    )
)
A_KEY, B_KEY = (f"SHA256:{letter * 43}" for letter in "ab")
MAC, OTHER_MAC = "52:54:00:12:34:56", "00:11:22:33:44:55"


def keys(*fingerprints: str, port: str = "tcp/22") -> SshHostKeys:
    return SshHostKeys(tuple(SshHostKey(port, "ssh-ed25519", 256, one) for one in fingerprints))


def certificate(
    digest: str = "a", issuer: str = "CN=Our CA", day: int = 1, own: bool = False
) -> TlsCertificates:
    names = ("web.example",)
    begins, ends = datetime(2026, 1, day, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    one = Certificate(
        "tcp/443", "CN=web", issuer, names, begins, ends, "rsa", 2048, "sha256", own, digest * 64
    )
    return TlsCertificates("10.2.0.5", (one,))


WEB = address(
    "10.2.0.5",
    "tcp/22 ssh",
    "tcp/443 https",
    names=(f"ssh-host-key:{A_KEY}", f"mac:{MAC}"),
    facts=(keys(A_KEY), certificate()),
)
PRINTER = address("10.2.0.7", "tcp/9100 printer", names=(f"mac:{OTHER_MAC}",))
LIST = write_inventory(learn([PRINTER, WEB]))


def held(check: str, seen, *others, inventory: str = LIST) -> dict[str, Finding]:  # type: ignore[no-untyped-def]
    found = judged(check, seen, *others, scan=record(NO_ZONES, inventory))
    for one in found:
        if one.outcome is Outcome.FAIL:
            filled(check, one)
    return {one.on: one for one in found}


def test_a_list_that_was_learnt_is_read_as_it_was_written() -> None:
    known = read_inventory(LIST.encode(), "inventory.yaml")
    assert known == learn([WEB, PRINTER])
    assert [host.name for host in known.hosts] == ["10.2.0.5", "10.2.0.7"]
    assert f'mac: "{OTHER_MAC}"' in LIST
    assert LIST.startswith("# ")
    assert write_inventory(known) == LIST


def test_what_was_seen_when_it_was_learnt_passes_everywhere() -> None:
    for check in (ROGUE, PORT, CERTIFICATE, KEY):
        found = held(check, WEB, PRINTER, network())
        assert {one.outcome for one in found.values()} == {Outcome.PASS}, check
    present = held(MISSING, network(), WEB, PRINTER)
    assert {on: one.outcome for on, one in present.items()} == dict.fromkeys(
        ("10.2.0.5", "10.2.0.7"), Outcome.PASS
    )


def test_without_a_list_nothing_applies_and_an_unreadable_one_is_unknown() -> None:
    for check, seen in ((ROGUE, WEB), (PORT, WEB), (CERTIFICATE, WEB), (KEY, WEB), (MISSING, network())):
        [one] = held(check, seen, inventory="").values()
        assert (one.outcome, "no list" in one.reason) == (Outcome.NOT_APPLICABLE, True)
        [one] = held(check, seen, inventory="version: 2\n").values()
        assert (one.outcome, "cannot be read" in one.reason) == (Outcome.UNKNOWN, True)


def test_a_machine_that_is_not_in_the_list_is_a_stranger_with_its_maker() -> None:
    link = LinkAddress("10.2.0.66", "b8:27:eb:00:00:01", "Raspberry Pi Foundation", True)
    seen = address("10.2.0.66", "tcp/22 ssh", names=("mac:b8:27:eb:00:00:01",), facts=(link,))
    [one] = held(ROGUE, seen).values()
    assert (one.outcome, one.saw) == (
        Outcome.FAIL,
        "a stranger: MAC b8:27:eb:00:00:01 (Raspberry Pi Foundation)",
    )
    [ports] = held(PORT, seen).values()
    assert (ports.outcome, "not in the list" in ports.reason) == (Outcome.NOT_APPLICABLE, True)


@pytest.mark.parametrize("names", [(f"mac:{MAC}",), ()])
def test_a_machine_that_changed_its_address_is_no_stranger(names: tuple[str, ...]) -> None:
    seen = address("10.2.0.99", "tcp/22 ssh", names=names, facts=(keys(A_KEY),))
    [one] = held(ROGUE, seen).values()
    assert one.outcome is Outcome.PASS
    assert one.saw.endswith("which was approved at 10.2.0.5")
    assert held(MISSING, network(), seen)["10.2.0.5"].outcome is Outcome.PASS


def test_another_card_at_an_approved_address_is_a_stranger() -> None:
    seen = address("10.2.0.5", "tcp/22 ssh", names=("mac:66:66:66:66:66:66",))
    assert [one.outcome for one in held(ROGUE, seen).values()] == [Outcome.FAIL]


def test_a_missing_machine_fails_only_where_its_absence_was_seen() -> None:
    assert held(MISSING, network(), WEB)["10.2.0.7"].outcome is Outcome.FAIL
    cut = network("10.2.0.0/24", 1, CUT)
    assert held(MISSING, cut, WEB)["10.2.0.7"].outcome is Outcome.UNKNOWN
    elsewhere = network("10.9.0.0/24")
    [one] = held(MISSING, elsewhere).values()
    assert one.outcome is Outcome.NOT_APPLICABLE
    scope = NO_ZONES + 'exclude: ["10.2.0.7"]\n'
    found = {f.on: f for f in judged(MISSING, network(), WEB, scan=record(scope, LIST))}
    assert (found["10.2.0.7"].outcome, found["10.2.0.7"].reason) == (
        Outcome.UNKNOWN,
        "the scope excludes its addresses",
    )


def test_a_machine_without_open_ports_is_not_missed_by_connections_alone() -> None:
    quiet = address("10.2.0.8", names=("mac:00:00:00:00:00:08",))
    text = write_inventory(learn([quiet]))
    by_connection = held(MISSING, network(mode="connect"), inventory=text)["10.2.0.8"]
    assert by_connection.outcome is Outcome.UNKNOWN
    assert held(MISSING, network(), inventory=text)["10.2.0.8"].outcome is Outcome.FAIL


def test_a_port_that_is_not_in_the_list_is_unexpected() -> None:
    seen = address("10.2.0.7", "tcp/9100 printer", "tcp/23 telnet", names=(f"mac:{OTHER_MAC}",))
    found = held(PORT, seen)
    assert {on: one.outcome for on, one in found.items()} == {
        "tcp/9100": Outcome.PASS,
        "tcp/23": Outcome.FAIL,
    }
    gap = Gap("OpenPorts", "10 of 152 ports were not asked")
    hidden = address("10.2.0.7", "tcp/9100 printer", names=(f"mac:{OTHER_MAC}",), gaps=(gap,))
    assert Outcome.UNKNOWN in {one.outcome for one in held(PORT, hidden).values()}


@pytest.mark.parametrize(
    ("shown", "outcome", "words"),
    [
        (certificate(), Outcome.PASS, "the approved one"),
        (certificate("b", day=2), Outcome.FAIL, "another one, of 2026-01-02 by CN=Our CA"),
        (certificate("b", issuer="CN=Other"), Outcome.FAIL, "another one"),
        (certificate("b", issuer="CN=Our CA", own=True), Outcome.FAIL, "another one"),
    ],
)
def test_another_certificate_is_a_change(shown: TlsCertificates, outcome: Outcome, words: str) -> None:
    seen = address("10.2.0.5", "tcp/443 https", names=(f"mac:{MAC}",), facts=(shown,))
    [one] = held(CERTIFICATE, seen).values()
    assert (one.outcome, words in one.saw) == (outcome, True)


def test_a_renewal_by_the_same_issuer_in_time_is_expected_and_says_so() -> None:
    old = certificate().certificates[0]
    new = Certificate(
        old.port, old.subject, old.issuer, old.names, datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2027, 11, 1, tzinfo=UTC), "rsa", 2048, "sha256", False, "b" * 64,
    )  # fmt: skip
    seen = address(
        "10.2.0.5", "tcp/443 https", names=(f"mac:{MAC}",), facts=(TlsCertificates("10.2.0.5", (new,)),)
    )
    [one] = held(CERTIFICATE, seen).values()
    assert (one.outcome, one.saw) == (Outcome.PASS, "renewed, of 2026-11-01 by CN=Our CA")


def test_another_host_key_is_a_change_and_a_gap_is_not() -> None:
    seen = address("10.2.0.5", "tcp/22 ssh", names=(f"mac:{MAC}",), facts=(keys(B_KEY),))
    [one] = held(KEY, seen).values()
    assert (one.outcome, one.saw, one.want) == (Outcome.FAIL, B_KEY, A_KEY)
    both = address("10.2.0.5", "tcp/22 ssh", names=(f"mac:{MAC}",), facts=(keys(A_KEY, B_KEY),))
    assert [f.outcome for f in held(KEY, both).values()] == [Outcome.PASS]
    gap = Gap("SshHostKeys", "the connection was reset", "tcp/22")
    silent = address("10.2.0.5", "tcp/22 ssh", names=(f"mac:{MAC}",), gaps=(gap,))
    assert [f.outcome for f in held(KEY, silent).values()] == [Outcome.UNKNOWN]


# --- the scan before ---


def since(seen, *before, inventory: str = ""):  # type: ignore[no-untyped-def]
    scan = record(NO_ZONES, inventory, 3 if before else 0)
    return {f.on: f for f in judged(NEW, seen, network(), scan=scan, earlier=before)}


def test_a_port_that_was_shut_before_is_new_and_one_that_was_not_asked_is_unknown() -> None:
    then = address("10.2.0.5", "tcp/22 ssh", closed=((80, 90),))
    now = address("10.2.0.5", "tcp/22 ssh", "tcp/80 http", "tcp/8080 http", closed=((81, 90),))
    found = since(now, then, network())
    assert {on: one.outcome for on, one in found.items()} == {
        "tcp/22": Outcome.PASS,
        "tcp/80": Outcome.FAIL,
        "tcp/8080": Outcome.UNKNOWN,
    }
    assert found["tcp/80"].saw == "open; in scan 3 (2026-11-23): shut"
    filled(NEW, found["tcp/80"])


def test_a_machine_that_was_not_there_before_is_new_with_all_its_ports() -> None:
    [one] = since(address("10.2.0.5", "tcp/22 ssh"), network()).values()
    assert (one.outcome, "the machine was not there" in one.saw) == (Outcome.FAIL, True)
    [cut] = since(address("10.2.0.5", "tcp/22 ssh"), network("10.2.0.0/24", 0, CUT)).values()
    assert cut.outcome is Outcome.UNKNOWN


def test_without_a_scan_before_or_with_a_list_nothing_is_compared() -> None:
    [one] = since(address("10.2.0.5", "tcp/22 ssh")).values()
    assert (one.outcome, "no earlier scan" in one.reason) == (Outcome.NOT_APPLICABLE, True)
    [one] = since(WEB, network(), inventory=LIST).values()
    assert (one.outcome, "list of approved machines decides" in one.reason) == (Outcome.NOT_APPLICABLE, True)


# --- the list as people write it ---

ONE = 'version: 1\nhosts:\n  - {name: a, addresses: ["10.0.0.3"]}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "version: 1\nhosts:\n  - {name: a}\n",
            "3: hosts.0: a has neither a MAC nor an address nor a host key",
        ),
        ('version: 1\nhosts:\n  - {name: a, mac: "52:54"}\n', "3: hosts.0.mac: a MAC such as"),
        (
            'version: 1\nhosts:\n  - {name: a, addresses: ["10.0.0.300"]}\n',
            "3: hosts.0.addresses.0:",
        ),
        (
            ONE + '  - {name: b, addresses: ["10.0.0.3"]}\n',
            "4: hosts.1.addresses: 10.0.0.3 is already that of a",
        ),
        (
            ONE + '  - {name: a, addresses: ["10.0.0.4"]}\n',
            "4: hosts.1.name: a is already that of a",
        ),
        (
            'version: 1\nhosts:\n  - {name: a, addresses: ["10.0.0.3"], ports: [{port: 80}]}\n',
            "3: hosts.0.ports.0.port: a port such as tcp/443",
        ),
        (
            'version: 1\nhosts:\n  - name: a\n    addresses: ["10.0.0.3"]\n    prts: []\n',
            "5: hosts.0.prts: unknown key; did you mean ports?",
        ),
        ("version: 1\nhosts: [\n", "not YAML"),
    ],
)
def test_a_mistake_in_the_list_is_one_line_with_its_place(text: str, message: str) -> None:
    with pytest.raises(TextError) as error:
        read_inventory(text.encode(), "inventory.yaml")
    assert message in str(error.value)
    assert str(error.value).startswith("inventory.yaml:")
    assert "\n" not in str(error.value)


def test_hostile_words_of_a_target_stay_texts_in_the_list() -> None:
    evil = 'no: [x]\n- "y" # \x1b[31m'
    one = certificate(issuer=evil).certificates[0]
    seen = address("10.2.0.5", "tcp/443 https", facts=(TlsCertificates("10.2.0.5", (one,)),))
    known = read_inventory(write_inventory(learn([seen])).encode(), "inventory.yaml")
    shown = known.hosts[0].ports[0].certificate
    assert shown is not None
    assert shown.issuer == 'no: [x]\\u000a- "y" # \\u001b[31m'


def test_of_a_huge_list_only_the_beginning_is_held(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(10 * 1024**3)
    with pytest.raises(TextError, match="more than the 1,048,576 bytes") as error:
        bytes_of(huge)
    assert "\n" not in str(error.value)


def test_the_difference_of_two_lists_is_told_in_lines() -> None:
    before, after = learn([WEB]), learn([WEB, PRINTER])
    assert changes(before, after) == ("+ 10.2.0.7",)
    assert changes(Inventory(), Inventory()) == ()
    more = learn([address("10.2.0.7", "tcp/9100 printer", "tcp/80 http", names=(f"mac:{OTHER_MAC}",))])
    assert changes(learn([PRINTER]), more) == ("+ 10.2.0.7: tcp/80 http",)
