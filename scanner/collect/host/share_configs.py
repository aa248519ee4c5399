"""FTP, NFS, Samba and SNMP, from their configurations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from checks.facts.host.shares import (
    FtpDaemons,
    FtpServer,
    NfsExport,
    NfsExports,
    Samba,
    SambaShare,
    SnmpAgent,
    SnmpCommunity,
)
from checks.facts.snapshot import Absence, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.configs import Files, pairs

_YES = frozenset({"yes", "true", "1", "on"})
_SMB_CONF = "/etc/samba/smb.conf"
_SMB_NAMES = {
    "public": "guest ok",
    "only guest": "guest only",
    "min protocol": "server min protocol",
    "write ok": "writable",
    "writeable": "writable",
    "print ok": "printable",
    "smb encrypt": "server smb encrypt",
}
_SMB_SPACES = {
    name.replace(" ", ""): name
    for name in (
        *_SMB_NAMES,
        *_SMB_NAMES.values(),
        *("map to guest", "server signing", "read only", "config file"),
    )
}
_EXPORT = re.compile(r'\s*("(?:[^"]*)"|\S+)\s*(.*)')
_CLIENT = re.compile(r"([^\s()]*)(?:\(([^)]*)\))?")


def ftp(files: Files) -> Collected:
    """The `FtpDaemons` in these files."""
    found: list[FtpServer] = []
    for file, lines in files.get("vsftpd", {}).items():
        if file.endswith(".conf"):
            found.append(_vsftpd(file, dict(pairs(lines))))
    proftpd = files.get("proftpd", {})
    if proftpd:
        found.append(_proftpd(proftpd))
    if "pureftpd" in files:
        values = {file.rpartition("/")[2]: next(iter(lines), "") for file, lines in files["pureftpd"].items()}
        anonymous = values.get("NoAnonymous", "").lower() not in _YES
        uploads = values.get("AnonymousCantUpload", "yes").lower() not in _YES
        tls = values.get("TLS", "") in ("2", "3")
        folder = next(iter(files["pureftpd"])).rpartition("/")[0]
        found.append(FtpServer("pure-ftpd", folder, anonymous, uploads, tls, ""))
    if not found:
        return _absent(FtpDaemons.__name__, "no FTP server has a configuration here")
    return Collected((FtpDaemons(tuple(found)),))


def _vsftpd(file: str, values: Mapping[str, str]) -> FtpServer:
    # Without a line the daemon lets anonymous logins in.
    anonymous = values.get("anonymous_enable", "yes") in _YES
    writes = values.get("write_enable", "no") in _YES
    uploads = writes and any(values.get(k) in _YES for k in ("anon_upload_enable", "anon_mkdir_write_enable"))
    encrypted = values.get("ssl_enable", "no") in _YES and values.get("force_local_logins_ssl", "yes") in _YES
    line = "anonymous_enable=yes" if anonymous and "anonymous_enable" in values else ""
    return FtpServer("vsftpd", file, anonymous, uploads, encrypted, line)


def _proftpd(files: Mapping[str, list[str]]) -> FtpServer:
    lines = [(file, line) for file in sorted(files) for line in files[file]]
    anonymous = [(file, line) for file, line in lines if line.lower().startswith("<anonymous")]
    required = any(
        line.lower().split() in (["tlsrequired", "on"], ["tlsrequired", "ctrl"]) for _, line in lines
    )
    engine = any(line.lower().split() == ["tlsengine", "on"] for _, line in lines)
    file, line = anonymous[0] if anonymous else (min(files), "")
    return FtpServer("proftpd", file, bool(anonymous), False, required and engine, line)


def nfs(files: Files) -> Collected:
    """The `NfsExports` in /etc/exports and its folder; an empty file exports nothing."""
    found: list[NfsExport] = []
    gaps: list[Gap] = []
    for file, lines in files["exports"].items():
        if file.startswith("/etc/exports.d/") and not file.endswith(".exports"):
            continue
        for line in lines:
            shape = _EXPORT.fullmatch(line)
            if shape is None or not shape[1].strip('"').startswith("/"):
                gaps.append(Gap(NfsExports.__name__, f"a line of another form: {line[:60]}", where=file))
                continue
            found += _clients(file, shape[1].strip('"'), shape[2])
    return Collected((NfsExports(tuple(found)),), tuple(gaps))


def _clients(file: str, path: str, text: str) -> Iterator[NfsExport]:
    common: tuple[str, ...] = ()
    words = text.split()
    for word in words or ["*"]:
        if word.startswith("-"):
            common = tuple(word[1:].split(","))
            continue
        shape = _CLIENT.fullmatch(word)
        client, options = (shape[1], shape[2] or "") if shape else (word, "")
        own = tuple(one.strip() for one in options.split(",") if one.strip())
        # Options after a space stand for everybody.
        yield NfsExport(file, path, client or "*", (*common, *own))


def samba(files: Files) -> Collected:
    """The `Samba` in smb.conf."""
    lines = files["samba"].get(_SMB_CONF)
    if lines is None:
        return _absent(Samba.__name__, f"there is no {_SMB_CONF}")
    sections: dict[str, dict[str, str]] = {}
    gaps: list[Gap] = []
    here = sections.setdefault("global", {})
    for line in lines:
        if line.startswith("["):
            section = line.strip("[] ").lower()
            here = sections.setdefault("global" if section == "globals" else section, {})
            continue
        [(written, value)] = pairs([line])
        # Samba takes no notice of spaces within a name.
        key = _SMB_SPACES.get(written.replace(" ", ""), written)
        if key in ("include", "copy", "config file"):
            gaps.append(Gap(Samba.__name__, f"settings are taken in from {value}, unread", where=_SMB_CONF))
            continue
        name = _SMB_NAMES.get(key, key)
        if name == "read only":
            name, value = "writable", "no" if value.lower() in _YES else "yes"
        here[name] = value.lower()
    settings = sections.pop("global")
    shares = tuple(_share(name, {**settings, **own}) for name, own in sections.items())
    return Collected((Samba(_SMB_CONF, settings, shares),), tuple(gaps))


def _share(name: str, values: Mapping[str, str]) -> SambaShare:
    guest = values.get("guest ok", "no") in _YES or values.get("guest only", "no") in _YES
    writable = values.get("writable", "no") in _YES and values.get("printable", "no") not in _YES
    return SambaShare(name, guest, writable)


def snmp(files: Files) -> Collected:
    """The `SnmpAgent` in snmpd.conf and the files beside it."""
    found: list[SnmpCommunity] = []
    gaps: list[Gap] = []
    for file, lines in files["snmp"].items():
        if file.endswith("snmp.conf") or not file.endswith(".conf"):
            continue
        for line in lines:
            match line.split():
                case ["com2sec", name, source]:
                    found.append(SnmpCommunity(file, name == "default", False, _anywhere(source)))
                case ["include", taken] if not taken.startswith("/etc/snmp/"):
                    gaps.append(Gap(SnmpAgent.__name__, f"{taken} is taken in from there, unread", file))
                case [kind, name, source, *_] if kind.startswith(("rocommunity", "rwcommunity")):
                    writes = kind.startswith("rw")
                    found.append(SnmpCommunity(file, name == "default", writes, _anywhere(source)))
                case _:
                    continue
    if not any(file.endswith("snmpd.conf") for file in files["snmp"]) and not found and not gaps:
        return _absent(SnmpAgent.__name__, "there is no snmpd.conf")
    return Collected((SnmpAgent(tuple(found)),), tuple(gaps))


def _anywhere(source: str) -> str:
    return "anywhere" if source in ("default", "anywhere", "0.0.0.0/0", "::/0") else source


def _absent(fact: str, reason: str) -> Collected:
    return Collected(absences=(Absence(fact, reason),))
