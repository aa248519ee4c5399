"""Real services on loopback, each on a port of its own, and servers that behave as badly as they can."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from time import monotonic, sleep

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.lab.parts import LOOPBACK, free_port, program


def wait_for(
    port: int, process: subprocess.Popen[bytes] | None = None, seconds: float = 15, address: str = LOOPBACK
) -> None:
    """Returns once somebody listens on that port."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        assert process is None or process.poll() is None, f"{process.args!r} ended at once"
        with socket.socket() as one:
            one.settimeout(1)
            if one.connect_ex((address, port)) == 0:
                return
        sleep(0.02)
    raise AssertionError(f"nobody listens on {port}")


@contextlib.contextmanager
def running(*command: str, port: int, cwd: Path | None = None, address: str = LOOPBACK) -> Iterator[None]:
    """That program, running and listening on that port; stopped by its own process group."""
    with open(os.devnull, "r+b") as quiet:
        process = subprocess.Popen(
            [program(command[0]), *command[1:]],
            stdin=subprocess.PIPE,
            stdout=quiet,
            stderr=quiet,
            cwd=cwd,
            start_new_session=True,
        )
    try:
        wait_for(port, process, address=address)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
        if process.stdin:
            process.stdin.close()


@contextlib.contextmanager
def redis(folder: Path, password: str = "") -> Iterator[int]:
    """A redis-server; its port."""
    port = free_port()
    locked = ("--requirepass", password) if password else ()
    arguments = ("--bind", LOOPBACK, "--save", "", "--dir", str(folder), *locked)
    with running("redis-server", "--port", str(port), *arguments, port=port):
        yield port


@contextlib.contextmanager
def memcached() -> Iterator[int]:
    """A memcached; its port."""
    port = free_port()
    with running("memcached", "-u", "nobody", "-l", LOOPBACK, "-p", str(port), "-U", "0", port=port):
        yield port


@contextlib.contextmanager
def vsftpd(folder: Path, *options: str, anonymous: bool) -> Iterator[int]:
    """A vsftpd without TLS unless the options (`ssl_enable=YES` …) say so; its port."""
    port = free_port()
    root = folder / "empty"
    root.mkdir(exist_ok=True)
    root.chmod(0o555)
    file = folder / "vsftpd.conf"
    file.write_text(
        f"listen=YES\nlisten_address={LOOPBACK}\nlisten_port={port}\nbackground=NO\nwrite_enable=NO\n"
        f"anonymous_enable={'YES' if anonymous else 'NO'}\nlocal_enable=YES\nanon_root={root}\n"
        f"secure_chroot_dir={root}\nseccomp_sandbox=NO\nno_anon_password=NO\n"
        + "".join(f"{option}\n" for option in options)
    )
    with running("vsftpd", str(file), port=port):
        yield port


@contextlib.contextmanager
def sshd(folder: Path, *options: str, address: str = LOOPBACK) -> Iterator[int]:
    """An OpenSSH server with ed25519, ECDSA and RSA host keys, made where the folder has none; its port."""
    port = free_port()
    keys = []
    for kind in ("ed25519", "ecdsa", "rsa"):
        file = folder / f"host_{kind}"
        if not file.exists():
            subprocess.run([program("ssh-keygen"), "-q", "-t", kind, "-N", "", "-f", str(file)], check=True)
        keys.append(f"HostKey {file}")
    config = folder / "sshd_config"
    lines = [f"Port {port}", f"ListenAddress {address}", "PidFile none", "UsePAM no", *keys, *options]
    config.write_text("\n".join(lines) + "\n")
    Path("/run/sshd").mkdir(exist_ok=True)
    with running("sshd", "-D", "-e", "-f", str(config), port=port, address=address):
        yield port


@contextlib.contextmanager
def postgres() -> Iterator[tuple[int, Callable[[str], None]]]:
    """A PostgreSQL server; its port, and a function that sets the method of all logins (`trust`, …)."""
    # Not below a test's own folder: those are closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="btz-postgres-", dir="/tmp") as folder:
        shutil.chown(folder, "postgres")
        with _postgres(Path(folder) / "data") as running_server:
            yield running_server


@contextlib.contextmanager
def _postgres(data: Path) -> Iterator[tuple[int, Callable[[str], None]]]:
    port = free_port()
    as_postgres = (program("setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups")
    subprocess.run(
        [*as_postgres, program("initdb"), "-D", str(data), "-A", "trust", "-N", "-U", "postgres"],
        check=True,
        capture_output=True,
        cwd="/",
    )
    command = (*as_postgres, program("postgres"), "-D", str(data), "-p", str(port), "-h", LOOPBACK, "-k", "",
               "-F")  # fmt: skip

    def allow(method: str) -> None:
        (data / "pg_hba.conf").write_text(f"host all all 127.0.0.1/32 {method}\n")
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGHUP)
        sleep(0.3)

    with running(*command, port=port, cwd=Path("/")):
        yield port, allow


@dataclass(frozen=True)
class Made:
    """A certificate and its key in PEM files."""

    certificate: Path
    key: Path


def certificate(
    folder: Path,
    name: str = "server",
    *,
    names: tuple[str, ...] = (LOOPBACK,),
    days: int = 90,
    bits: int = 2048,
    self_signed: bool = True,
) -> Made:
    """A fresh certificate; `bits` 0 gives an elliptic curve; negative days one that has expired.

    One that is not self-signed is signed by an authority that exists only here.
    """
    key = rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())
    signer = key if self_signed else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = subject if self_signed else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab CA")])
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - dt.timedelta(days=max(days, 0) + 30))
        .not_valid_after(end)
    )
    if names:
        alternative = x509.SubjectAlternativeName([_general(n) for n in names])
        builder = builder.add_extension(alternative, critical=False)
    made = Made(folder / f"{name}.pem", folder / f"{name}.key")
    signed = builder.sign(signer, hashes.SHA256())
    made.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return made


def sha1_certificate(folder: Path) -> Made:
    """A self-signed certificate with a SHA-1 signature, which only openssl still makes."""
    made = Made(folder / "sha1.pem", folder / "sha1.key")
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha1", "-days", "90",
         "-subj", "/CN=sha1", "-keyout", str(made.key), "-out", str(made.certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@contextlib.contextmanager
def openssl_server(made: Made, *options: str) -> Iterator[int]:
    """An `openssl s_server` with these options (`-tls1`, `-cipher …`); its port."""
    port = free_port()
    files = ("-cert", str(made.certificate), "-key", str(made.key))
    with running(
        "openssl", "s_server", "-accept", f"{LOOPBACK}:{port}", *files, "-quiet", *options, port=port
    ):
        yield port


Handler = Callable[[socket.socket], None]


@contextlib.contextmanager
def serving(handler: Handler, port: int = 0, address: str = LOOPBACK) -> Iterator[int]:
    """A server that gives each connection to the handler, in a thread of its own; its port."""

    class Each(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                handler(self.request)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

    with Server((address, port), Each) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join(5)


def saying(words: bytes) -> Handler:
    """Says this at once, then listens in silence until the client leaves."""

    def handle(connection: socket.socket) -> None:
        connection.sendall(words)
        while connection.recv(4096):
            pass

    return handle


def answering(reply: Callable[[bytes], bytes], greeting: bytes = b"") -> Handler:
    """Answers each thing that it hears; an empty reply closes the connection."""

    def handle(connection: socket.socket) -> None:
        if greeting:
            connection.sendall(greeting)
        while heard := connection.recv(65536):
            said = reply(heard)
            if not said:
                return
            connection.sendall(said)

    return handle


def http(status: str = "200 OK", body: str = "", **headers: str) -> Handler:
    """An HTTP server with one page for every path; `_` in a header's name stands for `-`."""
    lines = [f"HTTP/1.1 {status}", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
    lines += [f"Content-Length: {len(body.encode())}", "Connection: close", "", body]
    page = "\r\n".join(lines).encode()

    def handle(connection: socket.socket) -> None:
        heard = b""
        while b"\r\n\r\n" not in heard:
            more = connection.recv(4096)
            if not more or len(heard) > 65536:
                return
            heard += more
        if heard.startswith(b"GET "):
            connection.sendall(page)

    return handle


def inside_tls(made: Made, handler: Handler, **settings: object) -> Handler:
    """The same server inside TLS; `settings` are attributes of the context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    for name, value in settings.items():
        setattr(context, name, value)

    def handle(connection: socket.socket) -> None:
        with connection.dup() as kept:
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    handler(secured)
                    with contextlib.suppress(OSError):
                        secured.unwrap()
            except ssl.SSLError:
                # Closed with words of the client unread, the kernel's reset would overtake our alert.
                kept.settimeout(5)
                kept.shutdown(socket.SHUT_WR)
                while kept.recv(65536):
                    pass

    return handle


def reset(connection: socket.socket) -> None:
    """Closes with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


def resetting(after: int = 1) -> Handler:
    """Listens to this many bytes, then resets the connection."""

    def handle(connection: socket.socket) -> None:
        connection.recv(after)
        reset(connection)

    return handle


def endless(connection: socket.socket) -> None:
    """Talks without an end."""
    while True:
        connection.sendall(b"A" * 16_384)


def endless_lines(connection: socket.socket) -> None:
    """Talks in lines without an end."""
    while True:
        connection.sendall(b"not yet\r\n" * 1_000)


def dripping(connection: socket.socket) -> None:
    """One byte every 150 ms, for ever: below every timeout between two reads."""
    while True:
        connection.sendall(b"S")
        sleep(0.15)


def mute(connection: socket.socket) -> None:
    """Listens and never says anything."""
    while connection.recv(4096):
        pass
