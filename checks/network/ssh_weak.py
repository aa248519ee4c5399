"""The algorithms of SSH that are weak, by name."""

from __future__ import annotations

WEAK_KEX = frozenset(
    {
        "diffie-hellman-group1-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group-exchange-sha1",
        "gss-group1-sha1-",
        "gss-group14-sha1-",
        "gss-gex-sha1-",
        "rsa1024-sha1",
    }
)
"""Key exchanges over SHA-1 or over groups that are too small (RFC 9142)."""

WEAK_CIPHERS = frozenset(
    {
        "3des-ctr",
        "blowfish-ctr",
        "camellia128-cbc",
        "camellia192-cbc",
        "camellia256-cbc",
        "cast128-ctr",
        "des-cbc-ssh1",
        "des-cbc@ssh.com",
        "des-ctr",
        "idea-cbc",
        "idea-ctr",
        "rijndael128-cbc",
        "rijndael192-cbc",
        "rijndael256-cbc",
        "seed-cbc@ssh.com",
        "serpent128-cbc",
        "serpent192-cbc",
        "serpent256-cbc",
        "twofish-cbc",
        "twofish128-cbc",
        "twofish192-cbc",
        "twofish256-cbc",
        "3des-cbc",
        "aes128-cbc",
        "aes192-cbc",
        "aes256-cbc",
        "arcfour",
        "arcfour128",
        "arcfour256",
        "blowfish-cbc",
        "cast128-cbc",
        "des-cbc",
        "none",
        "rijndael-cbc@lysator.liu.se",
    }
)
WEAK_MACS = frozenset(
    {
        "hmac-md5",
        "hmac-md5-96",
        "hmac-md5-96-etm@openssh.com",
        "hmac-md5-etm@openssh.com",
        "hmac-ripemd160",
        "hmac-ripemd160@openssh.com",
        "hmac-ripemd160-etm@openssh.com",
        "hmac-sha1-96",
        "hmac-sha1-96-etm@openssh.com",
        "none",
    }
)
WEAK_HOST_KEYS = frozenset(
    {
        "pgp-sign-dss",
        "spki-sign-dss",
        "ssh-dss",
        "ssh-dss-cert-v00@openssh.com",
        "ssh-dss-cert-v01@openssh.com",
        "ssh-rsa",
        "ssh-rsa-cert-v00@openssh.com",
        "ssh-rsa-cert-v01@openssh.com",
        "x509v3-sign-dss",
        "x509v3-sign-rsa",
        "x509v3-ssh-dss",
        "x509v3-ssh-rsa",
    }
)

AGED_KEX = frozenset({"diffie-hellman-group14-sha1", "gss-group14-sha1-"})
"""Over SHA-1, but in a group that is large enough: nobody can break them today."""
AGED_CIPHERS = frozenset({"aes128-cbc", "aes192-cbc", "aes256-cbc", "rijndael-cbc@lysator.liu.se"})
"""AES in CBC mode, whose leak current servers make very hard to use."""
AGED_HOST_KEYS = frozenset(
    {
        "ssh-rsa",
        "ssh-rsa-cert-v00@openssh.com",
        "ssh-rsa-cert-v01@openssh.com",
        "x509v3-sign-rsa",
        "x509v3-ssh-rsa",
    }
)
"""RSA over SHA-1, which nobody can forge within the seconds of a login today."""


def is_one_of(name: str, listed: frozenset[str]) -> bool:
    """Whether it is in the list, in which what ends in a hyphen stands for all that begins so."""
    return any(name == one or (one[-1] == "-" and name.startswith(one)) for one in listed)
