"""What another scanner saw, as a file: written, verified, refused where it was changed, and joined."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import msgspec
import pytest

from checks.catalogue import load
from checks.facts.snapshot import Snapshot
from checks.model import Kind, Target
from scanner import vantages
from scanner.app import UsageError
from scanner.judging import Judgement
from scanner.store.record import JobState, ScanRecord, ScanState
from scanner.store.store import Store
from scanner.store.views import MAGIC, ViewError, export, read_view
from tests.scanner.derive.test_network_segmentation import NOW, address, network

TYPES = load().facts
AT = "2026-11-23T10:00:00Z"


def store(folder: Path, name: str) -> Store:
    return Store.open(str(folder / f"{name}.db"))


def scanned(
    into: Store, *snapshots: Snapshot, organisation: str = "A", state: ScanState = ScanState.COLLECTED
) -> int:
    record = ScanRecord(
        organisation, "by order", ("net:x",), {"ssh_passphrase": "file:/secret"}, "/home/a/scope.yaml",
        "version: 1 # scope of a", ("network-exposure",), "1.0",
    )  # fmt: skip
    targets = [
        Target(Kind.NETWORK, "servers", "net:10.2.0.0/24"),
        Target(Kind.HOST, "web-1", "ssh://root@web-1:22"),
    ]
    number = into.start_scan(record, AT, targets)
    first, second = into.jobs(number)
    into.finish_job(number, first.id, JobState.DONE, AT, snapshots=snapshots)
    host = Snapshot(targets[1], AT, ("machine-id:1",))
    into.finish_job(number, second.id, JobState.DONE, AT, snapshots=[host])
    into.set_scan(number, state=state, at=AT)
    return number


def view(folder: Path, vantage: str = "outside", organisation: str = "A") -> Path:
    theirs = store(folder, f"theirs-{vantage}")
    # A scan before it: the chain does not begin with the one that is exported.
    scanned(theirs, network(vantage=vantage))
    number = scanned(
        theirs,
        address("10.2.0.5", "tcp/443 https", vantage=vantage),
        network(vantage=vantage),
        organisation=organisation,
    )
    path = folder / f"{vantage}.btz"
    with path.open("wb") as file:
        assert export(theirs, theirs.scan(number), file) == 2
    return path


def test_a_view_holds_the_networks_and_the_head_and_no_scope_option_or_login(tmp_path: Path) -> None:
    path = view(tmp_path)
    seen = read_view(path, TYPES)
    theirs = store(tmp_path, "theirs-outside").scan()
    assert (seen.record.head, seen.record.scan) == (theirs.head, 2)
    assert (seen.record.vantage, seen.record.authorisation) == ("outside", "by order")
    assert seen.places == {("net:10.2.0.5", "outside"), ("net:10.2.0.0/24", "outside")}
    assert [one.spec for one in seen.snapshots] == ["net:10.2.0.5", "net:10.2.0.0/24"]
    plain = b"".join(_parts(path.read_bytes()))
    for secret in (b"/secret", b"scope of a", b"scope.yaml", b"machine-id"):
        assert secret not in plain


def test_what_is_joined_is_a_job_of_its_own_in_our_chain(tmp_path: Path) -> None:
    ours = store(tmp_path, "ours")
    number = scanned(ours, address("10.2.0.5", "tcp/22 ssh", vantage="inside"), network(vantage="inside"))
    views = vantages.read([view(tmp_path)], TYPES)
    scan = vantages.join(ours, ours.scan(number), views, TYPES)
    assert (scan.number, scan.state) == (number, ScanState.COLLECTED)
    assert [(j.name, j.spec, j.state) for j in ours.jobs(number)][2:] == [
        ("servers from outside", "view:outside:net:10.2.0.0/24", JobState.DONE)
    ]
    assert ours.verify_chain()[0] == 5
    assert scan.head == ours.verify_chain()[1]
    assert scan.record.views[0].head == views[0].record.head
    assert any(views[0].record.head in limit for limit in scan.record.limits)
    looked = Judgement(ours, scan, load(), (), NOW).look()
    [asset] = [one for one in looked.estate.assets if "10.2.0.5" in one.addresses]
    seen = {one.vantage: one.ports for one in looked.estate.views if one.asset == asset.key}
    assert seen == {"inside": ("tcp/22",), "outside": ("tcp/443",)}


def test_a_judged_scan_is_joined_as_a_new_one(tmp_path: Path) -> None:
    ours = store(tmp_path, "ours")
    number = scanned(ours, network(vantage="inside"), state=ScanState.COMPLETE)
    before = ours.scan(number)
    scan = vantages.join(ours, before, vantages.read([view(tmp_path)], TYPES), TYPES)
    assert scan.number == number + 1
    assert ours.scan(number) == before
    assert len(ours.jobs(scan.number)) == 3
    assert len(list(ours.snapshots(scan.number, TYPES))) == 4
    ours.verify_chain()


def test_views_that_cannot_be_told_apart_or_are_of_others_are_refused(tmp_path: Path) -> None:
    ours = store(tmp_path, "ours")
    scan = ours.scan(scanned(ours, network(vantage="outside")))
    one = view(tmp_path)
    with pytest.raises(UsageError, match='from "outside", too'):
        vantages.join(ours, scan, vantages.read([one], TYPES), TYPES)
    same = tmp_path / "same.btz"
    same.write_bytes(one.read_bytes())
    with pytest.raises(UsageError, match="another view looked at"):
        vantages.read([one, same], TYPES)
    other = view(tmp_path, "office", organisation="B")
    with pytest.raises(UsageError, match="the view is of B, and this scan of A"):
        vantages.join(ours, scan, vantages.read([other], TYPES), TYPES)
    assert len(ours.jobs(scan.number)) == 2


def test_a_look_at_the_own_machine_is_nobody_elses(tmp_path: Path) -> None:
    with pytest.raises(ViewError, match="nothing that was seen of a network"):
        read_view(empty_view(tmp_path), TYPES)
    seen = read_view(view(tmp_path, "loopback"), TYPES)
    assert seen.snapshots == ()


def empty_view(folder: Path) -> Path:
    theirs = store(folder, "nothing")
    gone = Snapshot(Target(Kind.NETWORK, "servers", "net:10.2.0.0/24"), AT, ("network:x",))
    number = scanned(theirs, gone)
    with (folder / "nothing.btz").open("wb") as file:
        export(theirs, theirs.scan(number), file)
    return folder / "nothing.btz"


def test_what_is_no_whole_scan_of_networks_is_not_exported(tmp_path: Path) -> None:
    theirs = store(tmp_path, "theirs")
    record = ScanRecord("A", "x", (), {}, "", "", (), "1")
    number = theirs.start_scan(record, AT, [Target(Kind.HOST, "web-1", "ssh://web-1")])
    with pytest.raises(ViewError, match="is running; only a whole one"):
        export(theirs, theirs.scan(number), io.BytesIO())
    theirs.set_scan(number, state=ScanState.COLLECTED, at=AT)
    with pytest.raises(ViewError, match="saw no network"):
        export(theirs, theirs.scan(number), io.BytesIO())


def _parts(data: bytes) -> list[bytes]:
    found, at = [], len(MAGIC)
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append(zlib.decompress(data[at + 4 : at + 4 + size]))
        at += 4 + size
    return found


def _packed(parts: list[bytes]) -> bytes:
    packed = [zlib.compress(one) for one in parts]
    return MAGIC + b"".join(len(one).to_bytes(4, "big") + one for one in packed)


def _swapped(parts: list[bytes]) -> list[bytes]:
    return [parts[0], *parts[3:5], *parts[1:3], *parts[5:]]


def _without_one(parts: list[bytes]) -> list[bytes]:
    return [parts[0], *parts[3:]]


def _another_port(parts: list[bytes]) -> list[bytes]:
    return [one.replace(b'"number":443', b'"number":444') for one in parts]


def _another_head(parts: list[bytes]) -> list[bytes]:
    header = msgspec.json.decode(parts[0]) | {"head": "0" * 64}
    return [msgspec.json.encode(header), *parts[1:]]


@pytest.mark.parametrize("bend", [_swapped, _without_one, _another_port, _another_head])
def test_a_view_that_was_rewritten_with_care_is_refused(tmp_path: Path, bend) -> None:  # type: ignore[no-untyped-def]
    path = view(tmp_path)
    path.write_bytes(_packed(bend(_parts(path.read_bytes()))))
    with pytest.raises(ViewError, match="changed"):
        read_view(path, TYPES)


@pytest.mark.parametrize(
    ("bend", "message"),
    [
        (lambda whole: b"", "this is no view"),
        (lambda whole: b"PK\x03\x04" + whole, "this is no view"),
        (lambda whole: whole.replace(b"VIEW 1", b"VIEW 2", 1), "of another form than this version reads"),
        (lambda whole: whole[:-5], "cut short"),
        (lambda whole: whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:], "changed|damaged"),
        (lambda whole: whole + b"\xff\xff\xff\xff", "cut short"),
        (lambda whole: MAGIC + b"\x00\x00\x00\x02ab", "damaged"),
        (lambda whole: MAGIC, "damaged"),
    ],
)
def test_a_damaged_file_is_refused_with_one_line(tmp_path: Path, bend, message: str) -> None:  # type: ignore[no-untyped-def]
    path = view(tmp_path)
    path.write_bytes(bend(path.read_bytes()))
    with pytest.raises(ViewError, match=message) as error:
        read_view(path, TYPES)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_part_that_swells_is_refused_before_it_fills_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.store.views.MOST_PART", 1_000_000)
    path = tmp_path / "bomb.btz"
    bomb = zlib.compress(b" " * 50_000_000, 9)
    path.write_bytes(MAGIC + len(bomb).to_bytes(4, "big") + bomb)
    with pytest.raises(ViewError, match="larger than 1,000,000 bytes"):
        read_view(path, TYPES)


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ViewError, match="no such file"):
        read_view(tmp_path / "gone.btz", TYPES)


def _forged(folder: Path, *snapshots: Snapshot, organisation: str = "A") -> Path:
    """A view with a right chain of its own, as somebody can make who rewrites the whole file."""
    theirs = store(folder, "forged")
    number = scanned(theirs, *snapshots, network(vantage="outside"), organisation=organisation)
    path = folder / "forged.btz"
    with path.open("wb") as file:
        export(theirs, theirs.scan(number), file)
    return path


def test_a_snapshot_of_a_host_among_those_of_networks_is_refused(tmp_path: Path) -> None:
    host = Snapshot(Target(Kind.HOST, "web-1", "ssh://root@web-1:22"), AT, ("machine-id:1",))
    with pytest.raises(ViewError, match="a view is of networks"):
        read_view(_forged(tmp_path, host), TYPES)


def test_many_parts_that_swell_are_neither_held_as_a_whole_nor_read_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = view(tmp_path)
    seen = read_view(path, TYPES)
    assert all(len(one.packed) < len(one.plain) for one in seen.snapshots)
    monkeypatch.setattr("scanner.store.views.MOST_BYTES", 1_000)
    with pytest.raises(ViewError, match="more than 1,000 bytes"):
        read_view(path, TYPES)
