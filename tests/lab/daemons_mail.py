"""Mail: postfix as an open and as a closed relay, dovecot with and without plain text logins."""

from __future__ import annotations

import functools
import pwd
import shutil
from collections.abc import Mapping

from tests.lab.daemons_place import Place, Prepared, Preparer
from tests.lab.services import certificate

_QUEUES = ("incoming", "active", "deferred", "bounce", "defer", "corrupt", "hold", "trace", "flush", "saved",
           "pid", "private", "public", "maildrop")  # fmt: skip
_SBIN = "/usr/lib/postfix/sbin"


def postfix(relay: bool, tls: bool, place: Place) -> Prepared:
    """A mail server: an open relay with VRFY and no TLS, or a closed one with STARTTLS."""
    port = place.port(25)
    queue, data = place.directory("queue"), place.directory("data", 0o700)
    shutil.chown(data, "postfix")
    for name in _QUEUES:
        one = place.directory(f"queue/{name}", 0o700)
        shutil.chown(one, "postfix", "postdrop" if name in {"maildrop", "public"} else None)
    lines = [
        "compatibility_level = 3.6", f"queue_directory = {queue}", f"data_directory = {data}",
        f"daemon_directory = {_SBIN}", "command_directory = /usr/sbin", "mail_owner = postfix",
        "setgid_group = postdrop", "myhostname = mail.lab.test", "mydestination = lab.test",
        "maillog_file = /dev/stdout", f"inet_interfaces = {place.address}", "inet_protocols = ipv4",
        "alias_maps =", "alias_database =", "local_recipient_maps =",
        "local_transport = error:no mailboxes here",
        "relay_transport = error:nothing is delivered", "default_transport = discard:nothing is delivered",
        f"mynetworks = {'0.0.0.0/0' if relay else '127.0.0.255/32'}",
        f"disable_vrfy_command = {'no' if relay else 'yes'}",
        "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination",
        "smtpd_peername_lookup = no", "smtpd_client_connection_rate_limit = 0",
        f"syslog_name = lab-{place.folder.name}",
    ]  # fmt: skip
    if tls:
        made = certificate(place.folder, names=("mail.lab.test", place.address), bits=0, self_signed=False)
        lines += ["smtpd_tls_security_level = may", f"smtpd_tls_cert_file = {made.certificate}",
                  f"smtpd_tls_key_file = {made.key}", "smtpd_tls_ciphers = high",
                  "smtpd_tls_exclude_ciphers = aNULL, eNULL, 3DES, RC4", "smtpd_tls_protocols = >=TLSv1.2",
                  "smtpd_tls_mandatory_protocols = >=TLSv1.2"]  # fmt: skip
    place.write("main.cf", "\n".join(lines) + "\n")
    place.write(
        "master.cf",
        f"{place.address}:{port} inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n"
        "qmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\n"
        "defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nverify unix - - n - 1 verify\n"
        "error unix - - n - - error\nproxymap unix - - n - - proxymap\ntlsmgr unix - - n 1000? 1 tlsmgr\n"
        "anvil unix - - n - 1 anvil\npostlog unix-dgram n - n - 1 postlogd\n",
    )
    pwd.getpwnam("postfix")
    return Prepared((f"{_SBIN}/master", "-c", str(place.folder), "-d"), (port,))


def dovecot(plain: bool, place: Place) -> Prepared:
    """IMAP and POP3: passwords in clear text allowed and no TLS, or only after STARTTLS."""
    imap, pop3 = place.port(143), place.port(110)
    if plain:
        security = "ssl = no\ndisable_plaintext_auth = no\n"
    else:
        made = certificate(place.folder, names=(place.address,), bits=0, self_signed=False)
        security = (
            f"ssl = required\nssl_cert = <{made.certificate}\nssl_key = <{made.key}\n"
            "ssl_min_protocol = TLSv1.2\ndisable_plaintext_auth = yes\n"
        )
    secret = place.write("users", "")
    config = place.write(
        "dovecot.conf",
        f"protocols = imap pop3\nbase_dir = {place.folder}/run\nstate_dir = {place.folder}/state\n"
        f"listen = {place.address}\ninstance_name = {place.folder.name}\nlog_path = /dev/stderr\n{security}"
        f"auth_mechanisms = plain login\npassdb {{\n driver = passwd-file\n args = {secret}\n}}\n"
        f"userdb {{\n driver = static\n args = uid=nobody gid=nogroup home={place.folder}\n}}\n"
        f"service imap-login {{\n chroot =\n inet_listener imap {{\n  port = {imap}\n }}\n"
        " inet_listener imaps {\n  port = 0\n }\n}\n"
        f"service pop3-login {{\n chroot =\n inet_listener pop3 {{\n  port = {pop3}\n }}\n"
        " inet_listener pop3s {\n  port = 0\n }\n}\n",
    )
    return Prepared(("dovecot", "-F", "-c", str(config)), (imap, pop3))


DAEMONS: Mapping[str, Preparer] = {
    "postfix-relay": functools.partial(postfix, True, False),
    "postfix-good": functools.partial(postfix, False, True),
    "dovecot-plain": functools.partial(dovecot, True),
    "dovecot-good": functools.partial(dovecot, False),
}
