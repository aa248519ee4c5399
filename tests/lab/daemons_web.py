"""Web servers: nginx in many bad shapes and a good one, lighttpd, and Python's own."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from tests.lab.daemons_place import Place, Prepared, Preparer
from tests.lab.services import Made, certificate

_LOGIN = '<html><title>Sign in</title><form method=post><input name=u><input type="password"></form></html>'
_SAFE_HEADERS = (
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)
_NEW_TLS = (
    "ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20; ssl_prefer_server_ciphers on;"
)
_OLD_TLS = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_ciphers AES128-SHA:AES256-SHA:NULL-SHA256@SECLEVEL=0;"


def _nginx(place: Place, *servers: str) -> tuple[str, ...]:
    """The command of an nginx with these server blocks."""
    for kind in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
        place.directory(kind, 0o777)
    paths = " ".join(
        f"{kind}_temp_path {place.folder}/{name};"
        for kind, name in (("client_body", "body"), ("proxy", "proxy"), ("fastcgi", "fastcgi"),
                           ("uwsgi", "uwsgi"), ("scgi", "scgi"))
    )  # fmt: skip
    config = place.write(
        "nginx.conf",
        f"daemon off; worker_processes 1; pid {place.folder}/pid; error_log stderr crit;\n"
        f"events {{ worker_connections 64; }}\n"
        f"http {{ access_log off; default_type text/html; {paths}\n" + "\n".join(servers) + "\n}\n",
    )
    return "nginx", "-p", str(place.folder), "-c", str(config), "-e", "stderr"


def _page(place: Place, text: str) -> str:
    site = place.directory("site")
    place.write("site/index.html", text)
    return f"root {site};"


def nginx_plain(place: Place) -> Prepared:
    """A page over HTTP alone: version shown, no header of protection."""
    port = place.port(80)
    server = f"server {{ listen {place.address}:{port}; {_page(place, '<html>Hello</html>')} }}"
    return Prepared(_nginx(place, server), (port,))


def nginx_login(place: Place) -> Prepared:
    """A login form over HTTP."""
    port = place.port(80)
    server = f"server {{ listen {place.address}:{port}; server_tokens off; {_page(place, _LOGIN)} }}"
    return Prepared(_nginx(place, server), (port,))


def nginx_listing(place: Place) -> Prepared:
    """A listing of a directory, with a `.git` in it."""
    port = place.port(80)
    site = place.directory("site")
    place.write("site/backup.sql", "x")
    place.write("site/.git/HEAD", "ref: refs/heads/main\n")
    server = f"server {{ listen {place.address}:{port}; root {site}; autoindex on; }}"
    return Prepared(_nginx(place, server), (port,))


def nginx_redirect(place: Place) -> Prepared:
    """Redirects every path to an address outside of every scope (TEST-NET-3)."""
    port = place.port(80)
    server = f"server {{ listen {place.address}:{port}; return 302 http://203.0.113.9/; }}"
    return Prepared(_nginx(place, server), (port,))


def nginx_old_tls(place: Place) -> Prepared:
    """TLS 1.0 and 1.1, ciphers without forward secrecy, and no HSTS."""
    made = certificate(place.folder, names=(place.address,), self_signed=False)
    return _tls(place, made, _OLD_TLS)


def nginx_expired(place: Place) -> Prepared:
    """A certificate that has expired."""
    return _tls(
        place,
        certificate(place.folder, names=(place.address,), days=-10, bits=0, self_signed=False),
        _NEW_TLS,
    )


def nginx_self_signed(place: Place) -> Prepared:
    """A self-signed certificate of a short key for another name."""
    made = certificate(place.folder, names=("elsewhere.lab.test",), bits=1024)
    return _tls(place, made, _OLD_TLS)


def nginx_good(place: Place) -> Prepared:
    """Port 80 redirects to 443 of the same host; TLS 1.2 and 1.3, a signed certificate, all headers."""
    plain, tls = place.port(80), place.port(443)
    made = certificate(place.folder, names=(place.address,), bits=0, self_signed=False)
    headers = " ".join(f'add_header {name} "{value}" always;' for name, value in _SAFE_HEADERS)
    servers = (
        f"server {{ listen {place.address}:{plain}; server_tokens off; {headers}"
        f" return 301 https://{place.address}:{tls}$request_uri; }}",
        f"server {{ listen {place.address}:{tls} ssl; server_tokens off; {_files(made)} {_NEW_TLS} {headers}"
        f" if ($request_method = TRACE) {{ return 405; }} {_page(place, '<html>Hello</html>')} }}",
    )
    return Prepared(_nginx(place, *servers), (tls, plain))


def _tls(place: Place, made: Made, settings: str) -> Prepared:
    port = place.port(443)
    page = _page(place, "<html>Hello</html>")
    server = f"server {{ listen {place.address}:{port} ssl; {_files(made)} {settings} {page} }}"
    return Prepared(_nginx(place, server), (port,))


def _files(made: Made) -> str:
    return f"ssl_certificate {made.certificate}; ssl_certificate_key {made.key};"


def lighttpd(place: Place) -> Prepared:
    """A lighttpd with its version and a listing of a directory."""
    port = place.port(8080)
    site = place.directory("site")
    place.write("site/readme.txt", "x")
    config = place.write(
        "lighttpd.conf",
        f'server.document-root = "{site}"\nserver.port = {port}\nserver.bind = "{place.address}"\n'
        'server.modules = ("mod_dirlisting")\ndir-listing.activate = "enable"\n',
    )
    return Prepared(("lighttpd", "-D", "-f", str(config)), (port,))


def python_http(place: Place) -> Prepared:
    """Python's own server: a listing of a directory."""
    port = place.port(8000)
    site = place.directory("site")
    place.write("site/readme.txt", "x")
    return Prepared(
        (sys.executable, "-m", "http.server", str(port), "--bind", place.address, "--directory", str(site)),
        (port,),
    )


def openssl_anonymous(place: Place) -> Prepared:
    """TLS that goes along without a certificate and with a cipher that hides nothing."""
    port = place.port(4443)
    made = certificate(place.folder, names=(place.address,))
    return Prepared(
        ("openssl", "s_server", "-accept", f"{place.address}:{port}", "-cert", str(made.certificate), "-key",
         str(made.key), "-cipher", "ALL:eNULL:aNULL@SECLEVEL=0", "-tls1_2", "-www", "-quiet"),
        (port,),
    )  # fmt: skip


DAEMONS: Mapping[str, Preparer] = {
    "nginx-plain": nginx_plain,
    "nginx-login": nginx_login,
    "nginx-listing": nginx_listing,
    "nginx-redirect": nginx_redirect,
    "nginx-old-tls": nginx_old_tls,
    "nginx-expired": nginx_expired,
    "nginx-self-signed": nginx_self_signed,
    "nginx-good": nginx_good,
    "lighttpd": lighttpd,
    "python-http": python_http,
    "openssl-anonymous": openssl_anonymous,
}
