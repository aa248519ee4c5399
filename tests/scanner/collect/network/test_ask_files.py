"""rsync and NFS: a real rsync and a real port mapper; the mount services are made of bytes."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.files import NfsServers, RsyncServers
from scanner.collect.collector import Collected
from scanner.collect.network.ask import files, nfs
from tests.lab.asking import ask, only, reason
from tests.lab.daemons import daemon
from tests.lab.network import namespace
from tests.lab.services import Handler, answering, saying, serving


def modules(number: int, seconds: float = 3.0) -> Collected:
    return ask(files.QUESTIONS[0].ask, OpenPort(number, "tcp", "rsync"), RsyncServers, seconds=seconds)


def exports(number: int, seconds: float = 3.0) -> Collected:
    return ask(nfs.QUESTIONS[0].ask, OpenPort(number, "tcp", "rpcbind"), NfsServers, seconds=seconds)


@pytest.mark.real
@pytest.mark.parametrize(("name", "opened"), [("rsync-open", True), ("rsync-good", False)])
def test_a_real_rsync_with_and_without_a_login(name: str, opened: bool) -> None:
    with daemon(name) as running:
        [server] = only(modules(running.tcp[0]), RsyncServers).servers
    [module] = server.modules
    assert (module.name, module.open) == ("backup", opened)
    assert module.answer == ("let in without a login" if opened else "a login is asked for")


def rsyncd(listed: bytes, answers: dict[bytes, bytes]) -> Handler:
    """A server with this list, and this answer to each module."""

    def reply(heard: bytes) -> bytes:
        wanted = heard.splitlines()[-1]
        return listed if wanted == b"#list" else answers.get(wanted, b"@ERROR: Unknown module\n")

    return answering(reply, b"@RSYNCD: 31.0 sha512 md5\n")


def test_the_words_of_the_day_are_no_modules() -> None:
    listed = b"Welcome\nto the lab\nsrc            \tthe sources\nhome           \t\n@RSYNCD: EXIT\n"
    answers = {b"src": b"Welcome\n@RSYNCD: OK\n", b"home": b"@RSYNCD: AUTHREQD abc\n"}
    with serving(rsyncd(listed, answers)) as number:
        [server] = only(modules(number), RsyncServers).servers
    assert [(one.name, one.open) for one in server.modules] == [("src", True), ("home", False)]


def test_a_module_for_other_addresses_is_a_gap_and_the_rest_is_tried() -> None:
    listed = b"home\tx\nsrc\ty\n@RSYNCD: EXIT\n"
    answers = {b"src": b"@RSYNCD: OK\n", b"home": b"@ERROR: access denied to home from x\n"}
    with serving(rsyncd(listed, answers)) as number:
        found = modules(number)
    assert [one.name for one in only(found, RsyncServers).servers[0].modules] == ["src"]
    [gap] = found.gaps
    assert "module home turns this address away" in gap.reason


def test_a_server_that_lists_nothing_has_no_module() -> None:
    with serving(rsyncd(b"@RSYNCD: EXIT\n", {})) as number:
        [server] = only(modules(number), RsyncServers).servers
    assert server.modules == ()


def test_many_modules_are_not_all_tried_and_that_is_said() -> None:
    names = [f"m{i}".encode() for i in range(files.MODULES + 4)]
    listed = b"".join(name + b"\tx\n" for name in names) + b"@RSYNCD: EXIT\n"
    with serving(rsyncd(listed, dict.fromkeys(names, b"@RSYNCD: AUTHREQD abc\n"))) as number:
        found = modules(number)
    [server] = only(found, RsyncServers).servers
    assert len(server.modules) == files.MODULES
    [gap] = found.gaps
    assert "4 of 20 modules" in gap.reason


def test_a_module_that_decides_nothing_is_a_gap_beside_the_others() -> None:
    listed = b"a\tx\n\x1b[31m\xff\ty\nc\tz\n@RSYNCD: EXIT\n"
    with serving(rsyncd(listed, {b"a": b"@RSYNCD: OK\n"})) as number:
        found = modules(number)
    assert [one.name for one in only(found, RsyncServers).servers[0].modules] == ["a"]
    [gap] = found.gaps
    assert gap.reason.isprintable()
    assert "decides nothing" in gap.reason


@pytest.mark.parametrize(
    "listed", [b"@ERROR: no list for you\n", b"x\ty\n" * 600, b"x" * 9_000, b"", b"a\tb\n"]
)
def test_lists_that_do_not_end_are_gaps(listed: bytes) -> None:
    with serving(rsyncd(listed, {})) as number:
        assert reason(modules(number, 0.6), RsyncServers)
    with serving(saying(b"SSH-2.0-x\n")) as number:
        assert reason(modules(number, 0.6), RsyncServers) == "no greeting of rsync"


def text(value: bytes) -> bytes:
    return struct.pack("!I", len(value)) + value + bytes(-len(value) % 4)


def export_list(*entries: tuple[bytes, tuple[bytes, ...]]) -> bytes:
    whole = b""
    for path, groups in entries:
        whole += b"\x00\x00\x00\x01" + text(path)
        whole += b"".join(b"\x00\x00\x00\x01" + text(group) for group in groups) + bytes(4)
    return whole + bytes(4)


def rpc(results: bytes, *, status: int = 0, parts: int = 1) -> Handler:
    """A service of RPC with these results for every call, in so many fragments."""

    def reply(heard: bytes) -> bytes:
        answer = heard[4:8] + struct.pack("!IIIII", 1, 0, 0, 0, status) + results
        size = -(-len(answer) // parts)
        cut = [answer[at : at + size] for at in range(0, len(answer), size)]
        return b"".join(
            struct.pack("!I", len(part) | (0x80000000 if part is cut[-1] else 0)) + part for part in cut
        )

    return answering(reply)


def register(program: int, port: int) -> None:
    """Tells the port mapper of this namespace where a program is, as the program itself would."""
    call = struct.pack("!14I", 9, 0, 2, nfs.PORTMAP, 2, 1, 0, 0, 0, 0, program, 3, 6, port)
    with socket.socket() as line:
        # It believes only callers that have a port of the system.
        line.bind(("127.0.0.1", 901))
        line.connect(("127.0.0.1", 111))
        line.sendall(struct.pack("!I", 0x80000000 | len(call)) + call)
        assert line.recv(400)[-4:] == b"\x00\x00\x00\x01"


@pytest.mark.real
def test_a_real_port_mapper_with_nothing_and_with_a_mount_service() -> None:
    """The mount service behind it is made of bytes."""
    with contextlib.ExitStack() as stack:
        apart = namespace(stack, "nfs")
        # rpcbind listens on loopback by itself, and falls over when it is told to do so once more.
        apart.command("ip", "address", "add", "10.99.9.2/32", "dev", "lo")
        stack.enter_context(daemon("rpcbind", apart, "10.99.9.2"))
        assert only(apart.inside(lambda: exports(111)), NfsServers).servers == ()

        def work() -> Collected:
            with serving(rpc(export_list((b"/srv", (b"*",))))) as service:
                register(nfs.MOUNT, service)
                return exports(111)

        [server] = only(apart.inside(work), NfsServers).servers
    assert [(one.path, one.clients) for one in server.exports] == [("/srv", ("*",))]


@contextlib.contextmanager
def mounted(mountd: Handler, known: dict[int, int] | None = None) -> Iterator[int]:
    """A port mapper that knows this mount service, or these programs and ports instead."""
    with serving(mountd) as service:
        programs = {nfs.MOUNT: service} if known is None else known

        def reply(heard: bytes) -> bytes:
            _, program = struct.unpack_from("!II", heard, 40), struct.unpack_from("!I", heard, 44)[0]
            answer = heard[4:8] + struct.pack("!IIIIII", 1, 0, 0, 0, 0, programs.get(program, 0))
            return struct.pack("!I", 0x80000000 | len(answer)) + answer

        with serving(answering(reply)) as number:
            yield number


@pytest.mark.parametrize("parts", [1, 3])
def test_exports_are_told_with_their_clients(parts: int) -> None:
    listed = export_list((b"/srv", (b"*",)), (b"/home", (b"10.0.0.0/24", b"nfs.lab")), (b"/pub", ()))
    with mounted(rpc(listed, parts=parts)) as number:
        [server] = only(exports(number), NfsServers).servers
    assert server.port == f"tcp/{number}"
    assert server.mountd.startswith("tcp/")
    assert [(one.path, one.clients) for one in server.exports] == [
        ("/srv", ("*",)),
        ("/home", ("10.0.0.0/24", "nfs.lab")),
        ("/pub", ()),
    ]


def test_everybody_is_found_among_many_clients() -> None:
    many = tuple(f"10.0.0.{n}".encode() for n in range(200))
    for everybody in (b"*", b"0.0.0.0/0.0.0.0", b"(everyone)", b"*.org", b""):
        with mounted(rpc(export_list((b"/srv", (*many, everybody))))) as number:
            [server] = only(exports(number), NfsServers).servers
        assert server.exports[0].clients[0] == everybody.decode()
        assert len(server.exports[0].clients) == nfs.CLIENTS
    networks = tuple(f"10.0.{n}.0/24".encode() for n in range(nfs.CLIENTS))
    with mounted(rpc(export_list((b"/srv", (*networks, b"*"))))) as number:
        assert "groups of clients" in reason(exports(number), NfsServers)


def test_nfs_without_a_mount_service_is_a_gap_and_a_fragile_port_is_never_asked() -> None:
    asked: list[bytes] = []

    def trap(connection: socket.socket) -> None:
        asked.append(connection.recv(1))

    with mounted(trap, {nfs.NFS: 2049}) as number:
        assert "without a mount service" in reason(exports(number), NfsServers)
    with mounted(trap, {nfs.MOUNT: 9100}) as number:
        assert "not asked" in reason(exports(number), NfsServers)
    with mounted(trap, {nfs.MOUNT: 70_000}) as number:
        assert "70000" in reason(exports(number), NfsServers)
    assert asked == []


@pytest.mark.parametrize(
    ("results", "status"),
    [
        (b"", 0),
        (b"\x00\x00\x00\x01" + struct.pack("!I", 0xFFFFFFFF), 0),
        (export_list((b"/srv", (b"x" * 300,))), 0),
        (export_list((b"/" * 2_000, ())), 0),
        (export_list(*((b"/srv", ()) for _ in range(400))), 0),
        (b"", 1),
        (b"", 5),
        (b"\x00\x00\x00\x01" * 16_000, 0),
    ],
)
def test_lists_that_lie_are_gaps(results: bytes, status: int) -> None:
    with mounted(rpc(results, status=status)) as number:
        assert reason(exports(number, 0.8), NfsServers)


@pytest.mark.parametrize(
    "answer",
    [b"\x80\x00\x00\x04abcd", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x00" * 99, b"\x80\x00\x00\x08" + bytes(8)],
)
def test_answers_that_are_no_rpc_are_gaps(answer: bytes) -> None:
    with serving(answering(lambda _: answer)) as number:
        assert reason(exports(number, 0.6), NfsServers)
