"""Interfaces that run machines: container APIs and remote screens, and whether they ask who is there."""

from __future__ import annotations

import json
import re
import struct

from checks.facts.network import OpenPort
from checks.facts.network.consoles import RemoteManagement, RemoteManagements
from checks.facts.network.logins import DockerLogins, KubeletLogins, Login
from checks.facts.network.screens import VncServer, VncServers
from checks.facts.snapshot import source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network import web
from scanner.collect.network.ask.databases import decided, service
from scanner.collect.network.ask.http_page import schemes
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import Talk, TalkError

DOCKER_PORTS = frozenset({2375, 2376})
KUBELET_PORTS = frozenset({10250, 10255})
WINRM_PORTS = frozenset({5985, 5986})
_IDENTIFY = web.Request(
    "/wsman",
    "POST",
    (("Content-Type", "application/soap+xml;charset=UTF-8"), ("WSMANIDENTIFY", "unauthenticated")),
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    b'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    b"<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>",
)
"""The question of WS-Management who is there; it is made to be asked before any login."""
_CERTIFICATE_ASKED = re.compile(r"certificate required|bad certificate")
"""The words of a server that misses a client certificate; a handshake may fail for many other reasons."""


async def _docker(asked: Asked, talk: Talk) -> Login:
    response = await web.get(talk, asked.address, asked.port.number, "/version")
    if response.status in (401, 403):
        return Login(asked.port.name, needed=True, answer=f"status {response.status}")
    told = _json(response)
    if response.status != 200 or "ApiVersion" not in told:
        raise TalkError(f"status {response.status} and no version of Docker")
    version = printable(str(told.get("Version", "")))[:30]
    return Login(asked.port.name, needed=False, answer="status 200: /version was answered", version=version)


async def _kubelet(asked: Asked, talk: Talk) -> Login:
    response = await web.get(talk, asked.address, asked.port.number, "/pods")
    if response.status in (401, 403):
        return Login(asked.port.name, needed=True, answer=f"status {response.status}")
    # A long list of pods is cut at the limit of the conversation; its beginning says enough.
    if response.status == 200 and re.match(
        rb'\s{0,20}\{\s{0,20}"kind"\s{0,4}:\s{0,4}"PodList"', response.body
    ):
        return Login(asked.port.name, needed=False, answer="status 200: /pods was listed")
    raise TalkError(f"status {response.status} and no list of pods")


async def _ask_docker(asked: Asked) -> Collected:
    """The version without a client certificate; a server that insists on one says so in TLS."""
    found = await decided(DockerLogins, DockerLogins, "GET /version", _docker)(asked)
    for gap in found.gaps:
        if asked.port.tls and _CERTIFICATE_ASKED.search(gap.reason):
            login = Login(
                asked.port.name, needed=True, answer=f"a client certificate is asked for: {gap.reason}"
            )
            how = f"a TLS handshake without a client certificate with {asked.address} {asked.port.name}"
            evidence = source(DockerLogins, how, asked.at, login.answer, login.port)
            return Collected((DockerLogins((login,)),), sources=(evidence,))
    return found


async def _ask_winrm(asked: Asked) -> Collected:
    """Whether WS-Management answers here: by its own word, or by asking for a login at its own path."""
    port = asked.port
    [answer] = await web.exchange(asked.line, asked.address, port.number, tls=port.tls, requests=(_IDENTIFY,))
    if isinstance(answer, TalkError):
        return undecided(RemoteManagements, asked, str(answer))
    offered = schemes(answer.headers.get("www-authenticate", ""))
    named = b"IdentifyResponse" in answer.body[:20_000]
    if not named and not (answer.status == 401 and offered) and answer.status != 404:
        return undecided(RemoteManagements, asked, f"status {answer.status} at /wsman decides nothing")
    listeners: tuple[RemoteManagement, ...] = ()
    said = f"status {answer.status} at /wsman" + (", and it names itself" if named else "")
    if answer.status != 404:
        listeners = (RemoteManagement(port.name, port.tls, offered, said),)
    how = f"POST of an Identify of WS-Management to {asked.address} {port.name}"
    evidence = source(RemoteManagements, how, asked.at, f"{port.name} {said}", port.name)
    return Collected((RemoteManagements(listeners),), sources=(evidence,))


async def _ask_vnc(asked: Asked) -> Collected:
    """The security types, from the first three messages of RFB; the connection ends before any is chosen."""
    try:
        async with asked.line.talk(asked.address, asked.port.number) as talk:
            greeting = await talk.exactly(12)
            major, minor = _rfb(greeting)
            old = (major, minor) < (3, 7)
            await talk.send(b"RFB 003.003\n" if old else b"RFB 003.008\n")
            types = await _old_type(talk) if old else await _types(talk)
    except TalkError as error:
        return undecided(VncServers, asked, str(error))
    protocol = f"{major}.{minor}"
    said = f"{asked.port.name} RFB {protocol}, security types {', '.join(map(str, types))}"
    how = f"the RFB greeting of {asked.address} {asked.port.name}"
    fact = VncServers((VncServer(asked.port.name, protocol, types),))
    return Collected((fact,), sources=(source(VncServers, how, asked.at, said, asked.port.name),))


def _rfb(greeting: bytes) -> tuple[int, int]:
    version = re.fullmatch(rb"RFB (\d{3})\.(\d{3})\n", greeting)
    if not version:
        raise TalkError("no greeting of RFB")
    return int(version[1]), int(version[2])


async def _types(talk: Talk) -> tuple[int, ...]:
    data = await talk.until(lambda heard: len(heard) >= 1 and (heard[0] == 0 or len(heard) > heard[0]))
    if data[0] == 0:
        raise TalkError("the server refused to name its security types")
    return tuple(data[1 : 1 + data[0]])


async def _old_type(talk: Talk) -> tuple[int, ...]:
    [chosen] = struct.unpack("!I", await talk.exactly(4))
    if chosen == 0:
        raise TalkError("the server refused to name its security type")
    return (int(chosen),)


def _json(response: web.Response) -> dict[str, object]:
    try:
        told = json.loads(response.body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _may_be_docker(port: OpenPort) -> bool:
    return port.product == "Docker" or (port.number in DOCKER_PORTS and (port.tls or port.service == "http"))


def _may_be_kubelet(port: OpenPort) -> bool:
    return port.number in KUBELET_PORTS and port.service == "http"


def _may_be_winrm(port: OpenPort) -> bool:
    return port.protocol == "tcp" and port.number in WINRM_PORTS and port.service in ("http", "winrm")


QUESTIONS = (
    Question(
        frozenset({DockerLogins}), _may_be_docker, _ask_docker, "an HTTP GET of /version at Docker APIs"
    ),
    Question(
        frozenset({KubeletLogins}),
        _may_be_kubelet,
        decided(KubeletLogins, KubeletLogins, "GET /pods", _kubelet),
        "an HTTP GET of /pods at kubelets, without a token",
    ),
    Question(
        frozenset({RemoteManagements}),
        _may_be_winrm,
        _ask_winrm,
        "the Identify request of WS-Management at ports 5985 and 5986, without a login",
    ),
    Question(
        frozenset({VncServers}), service("vnc"), _ask_vnc, "the greeting of VNC servers, left before a login"
    ),
)
