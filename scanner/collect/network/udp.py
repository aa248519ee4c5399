"""Questions by UDP, over ordinary sockets: one datagram out, the answers of that address in."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from time import monotonic, time

from scanner.collect.network.ports import FRAGILE
from scanner.collect.network.talk import BYTE_LIMIT, Address, Line, TalkError, TooMuchError
from scanner.transport.sent import ProbeKind, Sent

TRIES = 2
ANSWER_SECONDS = 1.5
LOOPBACK_SECONDS = 1.0
MOST_ANSWERS = 64
"""Datagrams that are read on one socket: a flood of others does not hide the answer for ever."""
_LONGEST = 65_535
_FROM_THE_WIRE = (b"\x02", b"\x03")
"""What the kernel calls the origins ICMP and ICMPv6 of an error."""
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_OUR_OWN = frozenset(
    {
        errno.EACCES,
        errno.EADDRNOTAVAIL,
        errno.EMFILE,
        errno.EMSGSIZE,
        errno.ENETUNREACH,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EPERM,
    }
)

Accept = Callable[[bytes], bool]


class RefusedError(TalkError):
    """The port is closed: the error came back that nobody listens there."""


class SilentError(TalkError):
    """Nothing came back: open or filtered, nobody can tell."""


class UnsentError(TalkError):
    """Our own machine could not send it: no route, no socket, or a filter of its own."""


def anything(_: bytes) -> bool:
    """Accepts every answer."""
    return True


class Datagrams:
    """A UDP socket towards one port of one address; made by `open_udp`."""

    def __init__(self, line: Line, address: Address, port: int, *, other_port: bool) -> None:
        self._line, self._address, self._port = line, address, port
        self._other_port = other_port
        self._left = MOST_ANSWERS
        self.sent = 0
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        level, option = (
            (socket.IPPROTO_IP, _IP_RECVERR) if address.version == 4 else (socket.IPPROTO_IPV6, _IPV6_RECVERR)
        )
        # A socket that is not connected hears of ICMP errors only when it asks for them.
        self._socket.setsockopt(level, option, 1)
        self._errors = (level, option)

    def connect(self) -> None:
        """Connects the socket, or binds it to the address from which it sends."""
        if not self._other_port:
            self._socket.connect((str(self._address), self._port))
            return
        with socket.socket(self._socket.family, socket.SOCK_DGRAM) as scout:
            scout.connect((str(self._address), self._port))
            self._socket.bind((scout.getsockname()[0], 0))

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    async def send(self, payload: bytes) -> None:
        """Sends one datagram, once the line permits it, and logs it.

        Raises:
            TalkError: not permitted; `UnsentError`, `RefusedError`.

        """
        await self._line.permit(self._address)
        loop = asyncio.get_running_loop()
        with self._told(sending=True):
            await loop.sock_sendto(self._socket, payload, (str(self._address), self._port))
        self.sent += 1
        here = str(self._socket.getsockname()[0])
        self._line.log(Sent(time(), here, str(self._address), self._port, ProbeKind.UDP, len(payload)))

    async def receive(self, seconds: float, accept: Accept = anything) -> bytes:
        """The next accepted datagram of that address and port (of any port, where it was opened so).

        Raises:
            SilentError: none came within that time.
            RefusedError: the address itself sent the error that nobody listens there.
            TooMuchError: more datagrams than the limit, none of which was accepted.
            TalkError: another error came back, or this one from somebody else: a filter's word.

        """
        loop = asyncio.get_running_loop()
        until = min(monotonic() + seconds, self._line.deadline)
        try:
            async with asyncio.timeout(max(0.0, until - monotonic())):
                while True:
                    with self._told(sending=False):
                        data, sender = await loop.sock_recvfrom(self._socket, _LONGEST)
                    if self._left <= 0:
                        raise TooMuchError(f"more than {MOST_ANSWERS} datagrams came, and no answer in them")
                    self._left -= 1
                    if self._is_theirs(sender) and accept(data):
                        return data
        except TimeoutError:
            raise SilentError("no answer") from None

    async def burst(self, seconds: float, accept: Accept = anything) -> tuple[bytes, ...]:
        """All accepted datagrams up to a pause of that time, within the limits on their number and bytes.

        Raises:
            SilentError: none came within that time.
            RefusedError: the error came back that nobody listens there.

        """
        heard = [await self.receive(seconds, accept)]
        size = len(heard[0])
        ends = monotonic() + 2 * seconds
        with contextlib.suppress(SilentError, TooMuchError):
            while size < BYTE_LIMIT and monotonic() < ends:
                heard.append(await self.receive(seconds, accept))
                size += len(heard[-1])
        return tuple(heard)

    @contextlib.contextmanager
    def _told(self, *, sending: bool) -> Iterator[None]:
        """Turns errors into words; that a port is closed, only the address itself can say."""
        try:
            yield
        except TimeoutError:
            raise
        except ConnectionRefusedError:
            if not self._is_its_own():
                raise TalkError("a device on the way refused it in the place of the address") from None
            raise RefusedError("the port is closed: nobody listens there") from None
        except OSError as error:
            raise _in_words(error, sending=sending) from None

    def _is_its_own(self) -> bool:
        """Whether the address itself sent the last error, as far as the kernel kept its sender."""
        try:
            _, ancillary, _, _ = self._socket.recvmsg(512, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return True
        told = [data for level, kind, data in ancillary if (level, kind) == self._errors]
        start, size = (20, 4) if self._address.version == 4 else (24, 16)
        # The kernel's own account of the error, and after it the socket address of whoever sent it.
        senders = [data[start : start + size] for data in told if data[4:5] in _FROM_THE_WIRE]
        return all(sender == self._address.packed for sender in senders if len(sender) == size)

    def _is_theirs(self, sender: tuple[object, ...]) -> bool:
        # The kernel holds a connected socket to its address and port.
        return not self._other_port or str(sender[0]).partition("%")[0] == str(self._address)


@contextlib.asynccontextmanager
async def open_udp(
    line: Line, address: Address, port: int, *, other_port: bool = False
) -> AsyncIterator[Datagrams]:
    """A UDP socket towards that port; nothing is sent before `send`.

    `other_port` is for protocols whose servers answer from another port of the same address (TFTP): the
    socket stays unconnected then, and only the address of the sender is held to.

    Raises:
        TalkError: the port is one to which nothing may be sent; `UnsentError`: there is no route.

    """
    if port in FRAGILE:
        raise TalkError(f"nothing was sent: usually {FRAGILE[port]}, which a byte can disturb")
    try:
        datagrams = Datagrams(line, address, port, other_port=other_port)
    except OSError as error:
        raise _in_words(error, sending=True) from None
    try:
        try:
            datagrams.connect()
        except OSError as error:
            raise _in_words(error, sending=True) from None
        yield datagrams
    finally:
        datagrams.close()


async def ask_udp(
    line: Line,
    address: Address,
    port: int,
    payload: bytes,
    *,
    tries: int = TRIES,
    seconds: float = 0.0,
    accept: Accept = anything,
    other_port: bool = False,
) -> bytes:
    """The first answer to this datagram that is accepted; sent again when nothing comes within `seconds`.

    Raises:
        RefusedError: the port is closed.
        SilentError: no answer to any try; open or filtered, never a reason to pass.
        TalkError: not permitted, not sent, or a flood of other datagrams.

    """
    async with open_udp(line, address, port, other_port=other_port) as datagrams:
        for _ in range(tries):
            await datagrams.send(payload)
            with contextlib.suppress(SilentError):
                return await datagrams.receive(seconds or patience(address), accept)
        raise SilentError(f"no answer to {tries} datagrams" if tries > 1 else "no answer to a datagram")


def patience(address: Address) -> float:
    """Seconds to wait for an answer."""
    return LOOPBACK_SECONDS if address.is_loopback else ANSWER_SECONDS


def _in_words(error: OSError, *, sending: bool) -> TalkError:
    words = error.strerror or type(error).__name__
    if sending and error.errno in _OUR_OWN:
        return UnsentError(f"the datagram could not be sent: {words}")
    return TalkError(f"an error came back in the place of an answer: {words}")
