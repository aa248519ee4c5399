"""Whether a parameter is a secret, as far as its name tells: values are never asked for."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRETS = frozenset(
    {
        "apikey",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "passwords",
        "pwd",
        "secret",
        "secretkey",
        "secrets",
        "token",
    }
)
_KEYS = frozenset({"access", "api", "encryption", "private", "secret", "signing"})
_SUFFIXES = frozenset(
    {
        "current",
        "dev",
        "development",
        "live",
        "new",
        "old",
        "prod",
        "production",
        "stage",
        "staging",
        "test",
        "v",
    }
)
"""What names end in that says where or which, and nothing of what it is."""


def of_a_secret(name: str) -> bool:
    """Whether the name is that of a secret: `/db/password` and `mysqlPassword`, not `/password/policy`.

    It is the last word that says what a thing is; a `token-lifetime` or a `secret-arn` is no secret.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    while words and (words[-1].isdigit() or words[-1] in _SUFFIXES):
        words.pop()
    if not words:
        return False
    return words[-1] in _SECRETS or (words[-1] == "key" and len(words) > 1 and words[-2] in _KEYS)
