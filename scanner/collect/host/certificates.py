"""Certificates of services: which files the configurations name, and what the certificates say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from checks.facts.host.certificates import AddedAuthorities, Certificate, Certificates
from checks.facts.snapshot import Fact, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe

_CONFIGS = (
    *("/etc/nginx/nginx.conf", "/etc/nginx/conf.d/*.conf", "/etc/nginx/sites-enabled/*"),
    *("/etc/nginx/snippets/*.conf", "/etc/apache2/apache2.conf", "/etc/apache2/sites-enabled/*"),
    *("/etc/apache2/conf-enabled/*", "/etc/apache2/mods-enabled/ssl.conf", "/etc/apache2/vhosts.d/*.conf"),
    *("/etc/httpd/conf/httpd.conf", "/etc/httpd/conf.d/*.conf", "/etc/postfix/main.cf"),
    *("/etc/dovecot/dovecot.conf", "/etc/dovecot/conf.d/*.conf", "/etc/haproxy/haproxy.cfg"),
    *("/etc/haproxy/conf.d/*.cfg", "/etc/ldap/slapd.conf", "/etc/openldap/slapd.conf"),
    *("/etc/postgresql/*/*/postgresql.conf", "/etc/postgresql/*/*/conf.d/*.conf"),
    *("/var/lib/pgsql/data/postgresql.conf", "/etc/mysql/*.cnf", "/etc/mysql/*.d/*.cnf", "/etc/my.cnf"),
    *("/etc/my.cnf.d/*.cnf", "/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf", "/etc/proftpd/tls.conf"),
    *("/etc/proftpd.conf", "/etc/stunnel/*.conf", "/etc/lighttpd/lighttpd.conf"),
    *("/etc/lighttpd/conf-enabled/*.conf", "/etc/redis/redis.conf", "/etc/redis.conf"),
    *("/etc/mosquitto/mosquitto.conf", "/etc/mosquitto/conf.d/*.conf", "/etc/exim4/exim4.conf.localmacros"),
)
_WORDS = (
    "ssl_certificate|sslcertificatefile|smtpd?_tls_(ec)?cert_file|smtpd?_tls_chain_files|ssl_cert|"
    "ssl_server_cert_file|tlscertificatefile|ssl_cert_file|rsa_cert_file|tlsrsacertificatefile|"
    "tlseccertificatefile|ssl-cert|cert|certfile|ssl[.]pemfile|tls-cert-file|main_tls_certificate"
)
_LYING = ("/etc/letsencrypt/live/*/cert.pem", "/etc/pki/tls/certs/localhost.crt", "/etc/ssl/certs/*local*")
_AUTHORITIES = (
    *("/usr/local/share/ca-certificates/*.crt", "/usr/local/share/ca-certificates/*/*.crt"),
    *("/etc/pki/ca-trust/source/anchors/*", "/etc/pki/trust/anchors/*"),
)
_FILES, _BLOCKS, _BLOCK_LINES = 60, 10, 200
# Only what stands between the marks of a certificate is written: a file may hold its private key, too.
_SCRIPT = r"""
set --
for file in @CONFIGS@; do
  if [ -f "$file" ] && [ -r "$file" ]; then set -- "$@" "$file"
  elif [ -f "$file" ]; then printf 'unread\tCertificates\t%s\n' "$file"; fi
done
for folder in /etc/nginx /etc/apache2 /etc/httpd/conf /etc/postfix /etc/dovecot /etc/haproxy /etc/postgresql \
  /etc/letsencrypt/live /etc/mysql /etc/redis; do
  [ -d "$folder" ] && { ! [ -r "$folder" ] || ! [ -x "$folder" ]; } &&
    printf 'unread\tCertificates\t%s\n' "$folder"
done
used=
[ $# = 0 ] || used=$(awk '
  function tell(text) {
    if (text ~ /[$]/) { if (!said[FILENAME]++) print "$\t" FILENAME; return }
    # Web servers take a name without a folder from their own.
    if (FILENAME ~ /^\/etc\/(nginx|apache2|httpd)\// && match(text, /^[ \t"'"'"']*[A-Za-z0-9_.-]/)) {
      gsub(/^[ \t"'"'"']+/, "", text); split(FILENAME, at, "/"); text = "/etc/" at[3] "/" text
    }
    if (match(text, /\/[^ \t;"'"'"',<>]+/) && !seen[FILENAME, substr(text, RSTART, RLENGTH)]++)
      print substr(text, RSTART, RLENGTH) "\t" FILENAME
  }
  FNR > 5000 { next }
  { sub(/^[ \t]+/, ""); low = tolower($0) }
  FILENAME ~ /^\/etc\/nginx\// && !/^#/ && /[;{].*[^ \t]/ {
    count = split($0, part, /[;{}]/)
    for (one = 1; one <= count; one++) if (part[one] ~ /^[ \t]*ssl_certificate[ \t]/) {
      sub(/^[ \t]*[^ \t]+/, "", part[one]); tell(part[one]) }
    next }
  low ~ /^(@WORDS@)([ \t=:]|$)/ { sub(/^[^ \t=:]+/, ""); tell($0); next }
  low ~ /^bind[ \t]/ { text = $0; while (match(text, /[ \t]crt[ \t]+[^ \t]+/)) {
    tell(substr(text, RSTART, RLENGTH)); text = substr(text, RSTART + RLENGTH) } }' "$@" | head -n @FILES@)
[ -z "$used" ] || printf '%s\n' "$used" | sed 's/^/used\t/'
set --
# Whether a file can be read; one that somebody named is told where it cannot.
look() {
  [ -f "$1" ] && [ -r "$1" ] && return
  [ -e "$1" ] || [ "$2" = named ] || return
  if [ "$ROOT" = root ]; then printf 'gone\t%s\t%s\n' "$fact" "$1"
  else printf 'unread\t%s\t%s\n' "$fact" "$1"; fi
  return 1
}
fact=Certificates
IFS='
'
for line in $used; do
  file=${line%%	*}
  if [ "$file" = '$' ]; then continue; fi
  if [ -d "$file" ]; then
    for one in "$file"/*.pem; do
      look "$one" no && set -- "$@" "$one" && printf 'used\t%s\t%s\n' "$one" "${line#*	}"
    done
  else look "$file" named && set -- "$@" "$file"; fi
done
for file in @LYING@; do look "$file" no && set -- "$@" "$file"; done
show() {
  kind=$1 most=$2
  shift 2
  [ $# = 0 ] || awk -v kind="$kind" -v most="$most" '
    FNR == 1 { if (++files > @FILES@) exit; blocks = inside = 0 }
    /-----BEGIN CERTIFICATE-----/ && blocks < most {
      inside = 1; blocks++; lines = 0; print kind "\t" FILENAME; next }
    /-----END CERTIFICATE-----/ && inside { inside = 0; print "whole"; next }
    inside && ++lines < @LINES@ && /^[A-Za-z0-9+\/= \t\r]+$/ { gsub(/[ \t\r]/, ""); print "=" $0 }' "$@"
}
show certificate 1 "$@"
set --
fact=AddedAuthorities
for file in @AUTHORITIES@; do look "$file" no && set -- "$@" "$file"; done
show authority @BLOCKS@ "$@"
printf 'ended\n'
exit 0
"""
_FACTS: dict[str, type[Fact]] = {fact.__name__: fact for fact in (Certificates, AddedAuthorities)}


def parse(text: str) -> Collected:
    """The certificates in an answer; one that may not be read or is none is a gap of its own."""
    lines = [line for line in text.splitlines() if line.strip()]
    if lines[-1:] != ["ended"]:
        raise ParseError("the answer has no end")
    used: dict[str, list[str]] = {}
    gaps: list[Gap] = []
    blocks: list[tuple[str, str, list[str]]] = []
    ended = True
    for line in lines[:-1]:
        match line.split("\t"):
            case ["used", "$", file]:
                reason = f"{file} names a certificate by a variable"
                gaps.append(Gap(Certificates.__name__, reason, where=file))
            case ["used", path, file]:
                used.setdefault(path, []).append(file)
            case ["unread", fact, path] if fact in _FACTS:
                gaps.append(Gap(fact, f"{path} may not be read", path, f"read access to {path}"))
            case ["gone", fact, path] if fact in _FACTS:
                gaps.append(Gap(fact, f"{path} is named and not there", path))
            case ["certificate" | "authority" as kind, path] if ended:
                blocks.append((kind, path, []))
                ended = False
            case ["whole"] if blocks and not ended:
                ended = True
            case [part] if part.startswith("=") and not ended:
                blocks[-1][2].append(part[1:])
            case _:
                raise ParseError(f"unexpected line {line[:60]!r}")
    read, broken = _read(blocks, used)
    named = {one.path for one in read["certificate"]} | {gap.where for gap in (*gaps, *broken)}
    for path in used:
        # HAProxy names whole folders.
        if path not in named and not any(other.startswith(f"{path}/") for other in named):
            gaps.append(Gap(Certificates.__name__, f"{path} holds no certificate in PEM form", path))
    certificates = tuple(_once(read["certificate"]))
    facts = (Certificates(certificates), AddedAuthorities(tuple(read["authority"])))
    return Collected(facts, (*gaps, *broken))


def _read(
    blocks: Iterable[tuple[str, str, list[str]]], used: dict[str, list[str]]
) -> tuple[dict[str, list[Certificate]], list[Gap]]:
    read: dict[str, list[Certificate]] = {"certificate": [], "authority": []}
    gaps: list[Gap] = []
    for kind, path, body in blocks:
        try:
            read[kind].append(_certificate(path, body, tuple(used.get(path, ()))))
        except (ValueError, UnsupportedAlgorithm, TypeError) as error:
            fact = Certificates if kind == "certificate" else AddedAuthorities
            reason = f"the certificate in {path} is not understood: {str(error)[:120]}"
            gaps.append(Gap(fact.__name__, reason, path))
    return read, gaps


def _once(found: Iterable[Certificate]) -> Iterator[Certificate]:
    """Each certificate by its path; one that merely lies there only where no configuration names it."""
    chosen = list({one.path: one for one in found}.values())
    served = {one.fingerprint for one in chosen if one.used_by}
    return (one for one in chosen if one.used_by or one.fingerprint not in served)


def _certificate(path: str, body: Iterable[str], used_by: tuple[str, ...]) -> Certificate:
    pem = "\n".join(("-----BEGIN CERTIFICATE-----", *body, "-----END CERTIFICATE-----", ""))
    found = x509.load_pem_x509_certificate(pem.encode())
    key, bits = _key(found)
    digest = found.signature_hash_algorithm
    return Certificate(
        path=path,
        subject=_name(found.subject),
        issuer=_name(found.issuer),
        begins=_time(found.not_valid_before_utc),
        ends=_time(found.not_valid_after_utc),
        key=key,
        bits=bits,
        digest=digest.name if digest is not None else "",
        fingerprint=found.fingerprint(hashes.SHA256()).hex(),
        self_signed=found.issuer == found.subject,
        used_by=used_by,
    )


def _key(found: x509.Certificate) -> tuple[str, int]:
    match found.public_key():
        case rsa.RSAPublicKey() as key:
            return "RSA", key.key_size
        case ec.EllipticCurvePublicKey() as key:
            return "EC", key.key_size
        case dsa.DSAPublicKey() as key:
            return "DSA", key.key_size
        case ed25519.Ed25519PublicKey():
            return "Ed25519", 256
        case ed448.Ed448PublicKey():
            return "Ed448", 456
        case other:
            raise ValueError(f"unknown kind of key {type(other).__name__}")


def _name(name: x509.Name) -> str:
    text = name.rfc4514_string()[:300]
    return "".join(one if one.isprintable() else "?" for one in text)


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


PROBE = Probe(
    "certificates",
    (Certificates, AddedAuthorities),
    _SCRIPT.replace("@CONFIGS@", " ".join(_CONFIGS))
    .replace("@WORDS@", _WORDS)
    .replace("@LYING@", " ".join(_LYING))
    .replace("@AUTHORITIES@", " ".join(_AUTHORITIES))
    .replace("@FILES@", str(_FILES))
    .replace("@BLOCKS@", str(_BLOCKS))
    .replace("@LINES@", str(_BLOCK_LINES)),
    parse,
    how="the certificates that configurations of services name",
    limit=524_288,
)
