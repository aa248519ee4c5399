"""What an SSH server offers before a login: banner, algorithms, and the host keys that it proves to own."""

from __future__ import annotations

import os

from checks.facts.network import OpenPort
from checks.facts.network.ssh import SshHostKey, SshHostKeys, SshOffer, SshOffers
from checks.facts.snapshot import source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network.ask import ssh_wire as wire
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import Talk, TalkError

OUR_BANNER = b"SSH-2.0-Bartizan"
BANNER_LIMIT = 8_192
"""Bytes up to the end of the banner line: RFC 4253 lets a server write lines before it."""
LIST_LIMIT = 128
NAME_LIMIT = 100
STRICT = "kex-strict-s-v00@openssh.com"


async def ask(asked: Asked) -> Collected:
    """The offer, and the host keys from key exchanges that are left before they would ask who we are.

    One key answers per exchange: the preferred one, and the RSA key beside it, which alone may be short.
    """
    offers: list[SshOffer] = []
    try:
        proofs = [await _exchange(asked, offers, wire.HOST_KEYS)]
        if "rsa" not in proofs[0].algorithm and set(wire.RSA_KEYS) & set(offers[0].host_keys):
            proofs.append(await _exchange(asked, offers, wire.RSA_KEYS))
    except (TalkError, wire.SshWireError) as error:
        offer = offers[0] if offers else None
        return _offered(asked, offer, str(error)) + undecided(SshHostKeys, asked, str(error))
    keys = tuple(SshHostKey(asked.port.name, p.algorithm, p.bits, p.fingerprint) for p in proofs)
    how = f"a key exchange per key with {asked.address} {asked.port.name}, left before any login"
    said = "\n".join(f"{key.port} {key.algorithm} {key.bits} {key.fingerprint}" for key in keys)
    evidence = source(SshHostKeys, how, asked.at, said, asked.port.name)
    return _offered(asked, offers[0], "") + Collected((SshHostKeys(keys),), sources=(evidence,))


async def _exchange(asked: Asked, offers: list[SshOffer], wanted: tuple[str, ...]) -> wire.Proof:
    """One key exchange for one of the wanted kinds; what the server offers is added to `offers`."""
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        await talk.send(OUR_BANNER + b"\r\n")
        stream = _Stream(talk)
        banner = await stream.banner()
        server = wire.read_kexinit(await stream.payload())
        offers.append(_offer(asked.port.name, banner, server))
        return await _prove(talk, stream, server, (banner, wanted))


class _Stream:
    """The bytes of the server, cut into its banner and its packets."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._data = b""

    async def banner(self) -> bytes:
        """The line that begins with `SSH-`, without its end."""
        while True:
            line, mark, rest = self._data.partition(b"\n")
            if mark and line.startswith(b"SSH-"):
                self._data = rest
                return line.removesuffix(b"\r")
            if mark:
                self._data = rest
                continue
            if len(self._data) > BANNER_LIMIT:
                raise TalkError("no SSH banner line within its bounds")
            await self._more()

    async def payload(self) -> bytes:
        """The content of the next packet that is not one of the four to be ignored."""
        while True:
            while not (size := wire.packet_length(self._data)) or len(self._data) < size:
                await self._more()
            content = wire.payload(self._data[:size])
            self._data = self._data[size:]
            if content[0] not in (2, 3, 4, 7):
                return content

    async def _more(self) -> None:
        data = await self._talk.read()
        if not data:
            raise TalkError("the server closed the connection in the middle of its first messages")
        self._data += data


async def _prove(
    talk: Talk, stream: _Stream, server: wire.KexInit, about: tuple[bytes, tuple[str, ...]]
) -> wire.Proof:
    banner, wanted = about
    ours, kex = wire.our_kexinit(server, os.urandom(16), wanted)
    exchange = wire.start_exchange(kex)
    size = len(exchange.public).to_bytes(4, "big")
    await talk.send(wire.packet(ours) + wire.packet(bytes([wire.ECDH_INIT]) + size + exchange.public))
    reply = await stream.payload()
    return wire.verify_reply(reply, kex, exchange, (OUR_BANNER, banner), (ours, server.payload))


def _offer(port: str, banner: bytes, server: wire.KexInit) -> SshOffer:
    return SshOffer(
        port=port,
        banner=printable(banner.decode("utf-8", "backslashreplace"))[:255],
        kex=_names(server.kex),
        host_keys=_names(server.host_keys),
        ciphers=_names((*server.ciphers[0], *server.ciphers[1])),
        macs=_names((*server.macs[0], *server.macs[1])),
        strict=STRICT in server.kex,
    )


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(printable(name)[:NAME_LIMIT] for name in list(dict.fromkeys(names))[:LIST_LIMIT])


def _offered(asked: Asked, offer: SshOffer | None, reason: str) -> Collected:
    if offer is None:
        return undecided(SshOffers, asked, reason)
    lines = (
        f"{offer.port} {offer.banner}",
        f"kex {','.join(offer.kex)}",
        f"host keys {','.join(offer.host_keys)}",
        f"ciphers {','.join(offer.ciphers)}",
        f"macs {','.join(offer.macs)}",
    )
    how = f"banner and KEXINIT of {asked.address} {asked.port.name}"
    evidence = source(SshOffers, how, asked.at, "\n".join(lines), asked.port.name)
    return Collected((SshOffers((offer,)),), sources=(evidence,))


def _applies(port: OpenPort) -> bool:
    return port.service == "ssh"


QUESTION = Question(
    frozenset({SshOffers, SshHostKeys}), _applies, ask, "an SSH key exchange, left before any login"
)
