"""What an SSH server offers before a login: banner, algorithms, proven host keys, and ways to log in."""

from __future__ import annotations

import asyncio
import os
import struct

from checks.facts.network import OpenPort
from checks.facts.network.ssh import (
    SshGroup,
    SshGroups,
    SshHostKey,
    SshHostKeys,
    SshLogin,
    SshLogins,
    SshOffer,
    SshOffers,
)
from checks.facts.snapshot import source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network.ask import ssh_kex
from scanner.collect.network.ask import ssh_wire as wire
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.ask.ssh_cipher import CIPHERS, MACS, direction
from scanner.collect.network.ask.ssh_stream import DroppedError, Stream
from scanner.collect.network.talk import TalkError

OUR_BANNER = b"SSH-2.0-Bartizan"
LOGIN_NAME = b"bartizan"
"""The user for whom the ways to log in are asked; nobody is meant to exist under it."""
LIST_LIMIT = 128
NAME_LIMIT = 100
STRICT = "kex-strict-s-v00@openssh.com"
SHUT_OUT = "Not allowed at this time"
"""What OpenSSH says to an address that it punishes; more connections only lengthen that."""
_PAUSE = 0.5
_SMALL = 1_024
_WANTED = wire.Wanted(tuple(ssh_kex.KEX), ssh_kex.HOST_KEYS, CIPHERS, MACS)
_RSA = wire.Wanted(tuple(ssh_kex.KEX), ssh_kex.RSA_KEYS, CIPHERS, MACS)
_GROUP = wire.Wanted(ssh_kex.GROUP_EXCHANGES, ssh_kex.HOST_KEYS, CIPHERS, MACS)


async def ask(asked: Asked) -> Collected:
    """The offer, the host keys, the ways to log in, and the group that the server chooses, if wanted.

    One key answers per exchange: the preferred one, and the RSA key beside it, which alone may be short.
    """
    first = _Conversation(asked)
    found = await first.hold()
    if first.dropped:
        # A busy sshd drops some of those who are not logged in; a second try often comes through.
        await asyncio.sleep(_PAUSE)
        first = _Conversation(asked)
        found = await first.hold()
    if first.offer is None:
        return found
    if SshHostKeys in asked.wanted and first.proof is not None:
        found += await _host_keys(asked, first.offer, first.proof)
    if SshGroups in asked.wanted and set(ssh_kex.GROUP_EXCHANGES) & set(first.offer.kex):
        found += await _group(asked)
    return found


class _Conversation:
    """The first conversation with a server, as far as it leads; `hold` gives what it brought."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.offer: SshOffer | None = None
        self.proof: ssh_kex.Proof | None = None
        self.dropped = False
        self._login: SshLogin | None = None

    async def hold(self) -> Collected:
        asked, reason = self._asked, ""
        try:
            async with asked.line.talk(asked.address, asked.port.number) as talk:
                await talk.send(OUR_BANNER + b"\r\n")
                await self._lead(Stream(talk))
        except (TalkError, wire.SshWireError) as error:
            reason = printable(str(error))
            self.dropped = isinstance(error, DroppedError) and SHUT_OUT not in reason
        found = _offered(asked, self.offer, reason)
        if SshHostKeys in asked.wanted and self.proof is None:
            found += undecided(SshHostKeys, asked, reason)
        if SshLogins in asked.wanted:
            found += _login(asked, self._login, reason)
        return found

    async def _lead(self, stream: Stream) -> None:
        port = self._asked.port.name
        banner = await stream.banner()
        if banner.startswith(b"SSH-1.") and not banner.startswith(b"SSH-1.99-"):
            self.offer = _offer(port, banner, wire.KexInit((), (), ((), ()), ((), ()), b""))
            raise TalkError("it speaks version 1 of SSH only")
        server = wire.read_kexinit(await stream.payload())
        if not all((server.kex, server.host_keys, *server.ciphers)):
            # Nobody can agree with an empty list, so nothing is known of what it would take.
            raise wire.SshWireError("a list of algorithms without a name in it")
        self.offer = _offer(port, banner, server)
        agreed, exchange = await _begin(stream, server, _WANTED)
        self.proof, secrets = ssh_kex.verify_reply(
            await stream.payload(),
            agreed.kex,
            exchange,
            (OUR_BANNER, banner),
            (agreed.message, server.payload),
        )
        if SshLogins in self._asked.wanted:
            self._login = await _ways_in(stream, agreed, secrets, port)


async def _begin(
    stream: Stream, server: wire.KexInit, wanted: wire.Wanted
) -> tuple[wire.Agreed, ssh_kex.Exchange]:
    agreed = wire.our_kexinit(server, os.urandom(16), wanted)
    exchange = ssh_kex.start_exchange(agreed.kex)
    await stream.send(agreed.message, bytes([wire.KEX_INIT]) + wire.string(exchange.public))
    return agreed, exchange


async def _ways_in(stream: Stream, agreed: wire.Agreed, secrets: ssh_kex.Secrets, port: str) -> SshLogin:
    """The methods that the server names when somebody asks to come in without any of them."""
    if not all(agreed.ciphers) or not all(agreed.macs):
        raise TalkError("it offers no cipher or MAC that the prober speaks")
    await stream.send(bytes([wire.NEWKEYS]))
    if (await stream.payload())[0] != wire.NEWKEYS:
        raise wire.SshWireError("no end to the key exchange")
    stream.encrypt(
        direction(agreed.ciphers[0], agreed.macs[0], secrets, b"ACE", stream.sent),
        direction(agreed.ciphers[1], agreed.macs[1], secrets, b"BDF", stream.received),
    )
    await stream.send(bytes([wire.SERVICE_REQUEST]) + wire.string(b"ssh-userauth"))
    if (await stream.payload())[0] != wire.SERVICE_ACCEPT:
        raise wire.SshWireError("the server does not go on to a login")
    words = (LOGIN_NAME, b"ssh-connection", b"none")
    await stream.send(bytes([wire.LOGIN_REQUEST]) + b"".join(map(wire.string, words)))
    answer = await stream.payload()
    await stream.send(bytes([wire.DISCONNECT]) + struct.pack("!I", 11) + wire.string(b"") * 2)
    if answer[0] == wire.LOGIN_SUCCESS:
        return SshLogin(port, (), opened=True)
    if answer[0] != wire.LOGIN_FAILURE:
        raise wire.SshWireError("no answer to the question of how to log in")
    names, _ = wire.read_string(answer, 1)
    methods = tuple(name for name in names.decode("ascii", "backslashreplace").split(",") if name)
    return SshLogin(port, _names(methods), opened=False)


async def _host_keys(asked: Asked, offer: SshOffer, first: ssh_kex.Proof) -> Collected:
    proofs, missing = [first], Collected()
    if "rsa" not in first.algorithm and set(ssh_kex.RSA_KEYS) & set(offer.host_keys):
        try:
            proofs.append(await _rsa_key(asked))
        except (TalkError, wire.SshWireError) as error:
            # The proven key still says which machine this is; whether the other is short stays open.
            missing = undecided(SshHostKeys, asked, f"the RSA key beside it: {printable(str(error))}")
    keys = tuple(SshHostKey(asked.port.name, p.algorithm, p.bits, p.fingerprint) for p in proofs)
    how = f"a key exchange per key with {asked.address} {asked.port.name}"
    said = "\n".join(f"{key.port} {key.algorithm} {key.bits} {key.fingerprint}" for key in keys)
    evidence = source(SshHostKeys, how, asked.at, said, asked.port.name)
    return missing + Collected((SshHostKeys(keys),), sources=(evidence,))


async def _rsa_key(asked: Asked) -> ssh_kex.Proof:
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        await talk.send(OUR_BANNER + b"\r\n")
        stream = Stream(talk)
        banner = await stream.banner()
        server = wire.read_kexinit(await stream.payload())
        agreed, exchange = await _begin(stream, server, _RSA)
        proof, _ = ssh_kex.verify_reply(
            await stream.payload(),
            agreed.kex,
            exchange,
            (OUR_BANNER, banner),
            (agreed.message, server.payload),
        )
        return proof


async def _group(asked: Asked) -> Collected:
    """The size of the group that the server chooses for a client that would take a small one."""
    try:
        async with asked.line.talk(asked.address, asked.port.number) as talk:
            await talk.send(OUR_BANNER + b"\r\n")
            stream = Stream(talk)
            await stream.banner()
            server = wire.read_kexinit(await stream.payload())
            agreed = wire.our_kexinit(server, os.urandom(16), _GROUP)
            request = struct.pack("!BIII", wire.GEX_REQUEST, _SMALL, _SMALL, 8 * _SMALL)
            await stream.send(agreed.message, request)
            answer = await stream.payload()
        if answer[0] != wire.GEX_GROUP:
            return undecided(SshGroups, asked, "the server did not choose a group")
        prime, _ = wire.read_string(answer, 1)
    except (TalkError, wire.SshWireError) as error:
        return undecided(SshGroups, asked, printable(str(error)))
    one = SshGroup(asked.port.name, int.from_bytes(prime, "big").bit_length())
    how = f"a request for a group of {_SMALL} bits or more to {asked.address} {one.port}"
    said = f"{one.port} {agreed.kex} a group of {one.bits} bits"
    return Collected((SshGroups((one,)),), sources=(source(SshGroups, how, asked.at, said, one.port),))


def _login(asked: Asked, one: SshLogin | None, reason: str) -> Collected:
    if one is None:
        return undecided(SshLogins, asked, reason)
    how = f'the method "none" for the user {LOGIN_NAME.decode()} at {asked.address} {one.port}'
    said = f"{one.port} {'let in without a login' if one.opened else ','.join(one.methods)}"
    return Collected((SshLogins((one,)),), sources=(source(SshLogins, how, asked.at, said, one.port),))


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
    own = tuple(dict.fromkeys(names))
    if len(own) > LIST_LIMIT:
        # What is weak may well stand behind the part that was read.
        raise wire.SshWireError(f"a list of {len(own)} names; not more than {LIST_LIMIT} are read")
    if not all(name.isascii() and name.isprintable() and " " not in name for name in own):
        # RFC 4251, 6: printable US-ASCII and nothing else. Whoever sends such a list negotiates nothing.
        raise wire.SshWireError("a list with names that no algorithm has")
    return tuple(name[:NAME_LIMIT] for name in own)


def _offered(asked: Asked, offer: SshOffer | None, reason: str) -> Collected:
    if SshOffers not in asked.wanted:
        return Collected()
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
    frozenset({SshOffers, SshHostKeys, SshLogins, SshGroups}),
    _applies,
    ask,
    'SSH key exchanges, and one login without any password (the method "none") as the user bartizan',
)
