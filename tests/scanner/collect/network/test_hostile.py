"""A scan of a network in which every server does its worst: it ends, it stays small, and nothing passes.

The scan is a process of its own with the command line as its entrance, so that its memory can be measured
and everything that it prints and writes can be looked at.
"""

from __future__ import annotations

import gzip
import ipaddress
import json
import os
import re
import socket
import subprocess
import sys
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from unicodedata import category

import pytest

from tests.lab.hostile import NETWORK, SCANNER, Hostile, hostile
from tests.lab.network import capture, syn_of

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[4]
BARTIZAN = Path(sys.executable).with_name("bartizan")
SECONDS, MEGABYTES = 90, 150
FORMS = ("table", "jsonl")
PACKED = re.compile("H4sI[A-Za-z0-9+/=]+")
HELD = ("<script>alert", "<img src=x")

SCOPE = """\
version: 1
organisation: Lab
authorisation: {{by: The tests, reference: this file, until: 2099-12-31}}
networks:
  - {{name: lab, cidrs: ["{network}"], zone: lab, vantage: inside, ports: {tcp}, udp: {udp}}}
exclude: {nobody}
rate: {{packets_per_second: 5000, per_host: 5000}}
baselines: [{{id: network-exposure, profile: internet-facing}}]
"""

# What a server says of itself is evidence for what it says, however badly it goes on:
WEB = ("network.http.", "network.http-headers.", "network.web-files.", "network.consoles.",
       "network.plaintext.web-login", "network.exposure.")  # fmt: skip
HEADERS = ("network.http.version-disclosure", "network.http-headers.")
TLS = ("network.tls.", "network.tls-settings.", "network.tls-trust.")
MAIL = ("network.mail.version-told",)
SSH = ("network.versions.openssh",)
ALWAYS = ("network.coverage.identified",)
HONEST: Mapping[str, tuple[str, ...]] = {
    # Whole answers of HTTP, whose contents make no sense: decided is what HTTP alone decides.
    "consul: not even JSON": WEB,
    "elasticsearch: markup and numbers without bound": WEB,
    "http: a compression bomb": WEB,
    "http: a bomb that says it is deflated": WEB,
    "http: markup everywhere": WEB,
    "http: redirects out of the scope": WEB,
    "http: redirects to a file": WEB,
    "http: redirects to a name of another network": WEB,
    "http: redirects to itself for ever": WEB,
    # Whole headers, and a body that breaks off: only the headers are decided.
    "etcd: JSON that ends early": HEADERS,
    "http: a body without an end": HEADERS,
    "http: a chunk of sixteen exabytes": HEADERS,
    "http: a length that is none": HEADERS,
    "http: a length that is too long": HEADERS,
    "http: chunks of negative size": HEADERS,
    "http: chunks without an end": HEADERS,
    "kubelet: JSON without an end": HEADERS,
    "docker: deep JSON": WEB,
    # A real TLS library with a strange certificate: its handshakes are true.
    "tls: a certificate of 60,000 bytes": TLS,
    "tls: markup in the certificate": TLS,
    # A greeting that names no version, and capabilities: it said so itself.
    "smtp: markup in the answers": (*MAIL, "network.mail.user-names", "network.plaintext.mail-login"),
    "smtp: STARTTLS agreed to and garbage": (*MAIL, "network.plaintext."),
    "smtp: answers without an end after EHLO": MAIL,
    "imap: literal of four gigabytes": MAIL,
    "pop3: reset after the greeting": MAIL,
    "postgres: TLS agreed to and garbage": ("network.databases.tls",),
    # The version in a banner is what it is, whether the rest of the talk works or not.
    "imap: untagged lines without an end": MAIL,
    "mysql: a packet of sixteen megabytes": ("network.versions.known-flaws",),
    "pop3: CAPA without an end": MAIL,
    "smtp: EHLO answered without an end": MAIL,
    "smtp: greeting of many lines without an end": MAIL,
    "ssh: KEXINIT that is cut": SSH,
    "ssh: KEXINIT without an end": SSH,
    "ssh: a packet of four gigabytes": SSH,
    "ssh: garbage after the banner": SSH,
    "ssh: packets without an end": SSH,
    "ssh: KEXINIT with lying lengths": SSH,
    "ssh: escapes in the names of algorithms": (*SSH, "network.ssh.protocol"),
    "ssh: reset after the banner": SSH,
    "ssh: stall after the banner": SSH,
}
# How many bytes come back for one is counted on the wire, whatever they mean.
COUNTED = ("network.datagrams.amplifier",)
FLOODS = ("dns: ten thousand answers", "ssdp: ten thousand answers", "tftp: ten thousand answers")


@dataclass(frozen=True)
class Done:
    """What the scan did, printed and left."""

    lab: Hostile
    seconds: float
    megabytes: float
    error: str
    printed: Mapping[str, str] = field(repr=False)
    folder: Path
    frames: tuple[bytes, ...] = field(repr=False)

    @property
    def findings(self) -> list[dict[str, str]]:
        """What was found, one dictionary each."""
        return [json.loads(line) for line in self.printed["jsonl"].splitlines()]

    @property
    def probes(self) -> list[dict[str, object]]:
        """The log of what was sent."""
        return [json.loads(line) for line in (self.folder / "probes.jsonl").read_text().splitlines()]

    @property
    def pages(self) -> str:
        """The text of all pages of the report."""
        return "".join(page.read_text() for page in sorted((self.folder / "report").glob("*.html")))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("hostile")
    scope = folder / "scope.yaml"
    home = {name: str(folder) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    env = {**os.environ, **home, "PYTHONPATH": str(ROOT), "BARTIZAN_STORE": str(folder / "b.db")}
    with hostile() as lab:
        ports = {kind: list(lab.ports(kind)) for kind in ("tcp", "udp")}
        words = {"network": NETWORK, "nobody": nobody(lab), **ports}
        scope.write_text(SCOPE.format(**words))
        command = [sys.executable, "-m", "tests.lab.hostile_scan", "scan", "--scope", str(scope), "--no-nmap",
                   "--out", str(folder / "report"), "--probe-log", str(folder / "probes.jsonl")]  # fmt: skip
        began = monotonic()
        with capture(lab.scanner) as frames:
            error, most = lab.scanner.inside(lambda: measured(command, env, folder), SECONDS + 30)
        seconds = monotonic() - began
    printed = {
        form: subprocess.run(
            [str(BARTIZAN), "findings", "--format", form],
            env=env,
            capture_output=True,
            check=True,
            cwd=folder,
        ).stdout.decode()
        for form in FORMS
    }
    return Done(lab, seconds, most, error, printed, folder, tuple(frames))


def nobody(lab: Hostile) -> list[str]:
    """The addresses of the network at which no behaviour lives."""
    living = {row.address for row in lab.rows}
    return [str(one) for one in ipaddress.ip_network(NETWORK).hosts() if str(one) not in living]


def measured(command: list[str], env: Mapping[str, str], folder: Path) -> tuple[str, float]:
    """Runs a command; what it said on stderr, and the most memory that it took, in MB."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=err, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = (folder / "err").read_text()
    assert process.returncode == 0, said
    for name in ("out", "err"):
        (folder / name).unlink()
    return said, usage.ru_maxrss / 1024


def test_the_scan_ends_in_time(done: Done) -> None:
    assert done.seconds < SECONDS
    assert "broke" not in done.error
    assert "Traceback" not in done.error


def test_its_memory_stays_small(done: Done) -> None:
    code = "import scanner.collect.network.collect, scanner.cli.scan, reports.report, resource as r; "
    code += "print(r.getrusage(r.RUSAGE_SELF).ru_maxrss)"
    empty = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, text=True
    ).stdout
    assert done.megabytes - int(empty) / 1024 < MEGABYTES


def test_every_address_was_looked_at_and_every_behaviour_met(done: Done) -> None:
    talked = {(p["destination"], p["port"]) for p in done.probes if p["kind"] in ("tcp-talk", "udp")}
    assert {(row.address, row.port) for row in done.lab.rows} <= talked
    assert {row.address for row in done.lab.rows} <= {finding["target"] for finding in done.findings}


def test_nothing_that_a_hostile_port_says_is_a_pass(done: Done) -> None:
    """A pass at the port of a behaviour is allowed only for what that behaviour truly answered."""
    wrong = []
    for finding in done.findings:
        name = done.lab.name(finding["target"], finding["on"])
        if not name or finding["outcome"] != "pass":
            continue
        allowed = (*ALWAYS, *HONEST.get(name, ()), *(COUNTED if name not in FLOODS else ()))
        if not finding["check"].startswith(allowed):
            wrong.append(f"{name}: {finding['check']} ({finding['saw']})")
    assert not wrong, "\n".join(sorted(wrong))


def test_no_check_broke(done: Done) -> None:
    assert not [finding for finding in done.findings if finding["outcome"] == "error"]


def test_nothing_left_the_scope(done: Done) -> None:
    network = ipaddress.ip_network(NETWORK)
    sent = {ipaddress.ip_address(f[30:34]) for f in done.frames if f[12:14] == b"\x08\x00"}
    asked = {ipaddress.ip_address(f[38:42]) for f in done.frames if f[12:14] == b"\x08\x06"}
    assert sent
    assert all(one in network for one in sent | asked)
    assert all(ipaddress.ip_address(str(p["destination"])) in network for p in done.probes)


def test_the_log_is_what_the_wire_saw(done: Done) -> None:
    probes = [p for p in done.probes if p["destination"] != SCANNER]
    kinds = ("tcp-syn", "tcp-connect", "tcp-talk")
    logged = Counter(where(p) for p in probes if p["kind"] in kinds)
    seen = Counter(syn for frame in done.frames if (syn := syn_of(frame)))
    # The kernel repeats a SYN to a port whose queue is full: never is there one that is not in the log.
    assert set(seen) == set(logged)
    assert all(seen[key] >= count for key, count in logged.items())
    datagrams = {where(p) for p in probes if p["kind"] == "udp"}
    assert {key for frame in done.frames if (key := datagram_of(frame))} == datagrams


def where(probe: Mapping[str, object]) -> tuple[str, int]:
    """(destination, port) of a line of the log."""
    return str(probe["destination"]), int(str(probe["port"]))


def datagram_of(frame: bytes) -> tuple[str, int] | None:
    """(destination, port) if the frame is a UDP datagram."""
    if frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
        return None
    start = 14 + (frame[14] & 15) * 4
    return socket.inet_ntoa(frame[30:34]), int.from_bytes(frame[start + 2 : start + 4], "big")


def test_nothing_is_written_beyond_the_store_the_report_and_the_log(done: Done) -> None:
    left = {str(file.relative_to(done.folder)) for file in done.folder.rglob("*") if file.is_file()}
    expected = {"scope.yaml", "b.db", "probes.jsonl"}
    expected |= {f"report/{name}.html" for name in ("index", "executive", "workbook")}
    assert left - {"b.db-wal", "b.db-shm"} == expected


@pytest.mark.parametrize("form", FORMS)
def test_what_is_printed_holds_no_control_character(done: Done, form: str) -> None:
    assert controls(done.printed[form].replace("\r\n", "\n")) == set()


def test_the_values_inside_the_json_hold_no_control_character(done: Done) -> None:
    assert controls("".join(strings(done.findings))) == set()


def test_the_pages_hold_no_control_character_and_no_markup_of_a_target(done: Done) -> None:
    # The details lie in the pages as packed JSON, which the page itself shows as text.
    details = [gzip.decompress(b64decode(found)).decode() for found in PACKED.findall(done.pages)]
    texts = [text for one in details for text in strings(json.loads(one))]
    assert any("alert(1)" in text for text in texts)
    assert controls("".join(texts)) == set()
    assert controls(done.pages) == set()
    assert not [held for held in HELD if held in done.pages]


def controls(text: str) -> set[str]:
    """The control, bidi and zero-width characters in a text, without line ends and tabs."""
    return {repr(one) for one in set(text) - {"\n", "\t"} if category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


def strings(value: object) -> Iterator[str]:
    """All strings inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from strings(one)
