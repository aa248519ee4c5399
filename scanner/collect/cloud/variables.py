"""Finds variables that hold a secret in the clear: by their name, and by the form of what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping

from scanner.collect.cloud.secrets import find

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAMES = re.compile(
    r"(?i)(?:(?:^|[_\-.])(?:pwd|pass|secret|secret_?key|private_?key|signing_?key|encryption_?key|api_?key|"
    r"access_?key|auth_?token|access_?token|token|credentials?)|password|passwd|passphrase)"
    r"(?:_?\d{1,2}|_(?:prod|production|live|dev|test|staging))?$"
)
_KEYS = re.compile(r"(?i)(?:^|[_\-.])key$")
_NO_SECRET_KEYS = re.compile(
    r"(?i)(?:public|partition|sort|range|hash|primary|foreign|kms|object|s3|cache)_?key$"
)
_RANDOM = re.compile(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+=_\-]{16,}")
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LITERAL = re.compile(
    r"^(?!arn:)(?!https?://)(?!(?:ssm|secretsmanager|vault|file|env|kms):)(?!\{\{)(?!\$[{(])(?!/)(?!<)(?!\*+$)"
    r"(?!(?i:true|false|none|null|changeme|example|placeholder|redacted|required|disabled|enabled)$)"
    r"(?!\d{1,6}$).{6,}$"
)
_ARN = re.compile(r"arn:[^\s=]{1,2048}")
_PATH = re.compile(r"[a-z][a-z_.\-]*\d{0,2}(?:/[a-z_.\-]+\d{0,2})+")
"""Where a secret is kept, as Secrets Manager and Parameter Store name it: `prod/orders/db-password`."""


def secret_names(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the variables that hold a secret, sorted; a reference to one is none."""
    return tuple(sorted(name for name, value in variables.items() if _is_secret(name, value)))


def _is_secret(name: str, value: str) -> bool:
    if _ARN.fullmatch(value):
        return False
    words = _HUMP.sub("_", name)
    if _NAMES.search(words) and _LITERAL.match(value) and not _PATH.fullmatch(value):
        return True
    if _KEYS.search(words) and not _NO_SECRET_KEYS.search(words):
        # What is called a key is often a name; one that opens something is long and without words.
        return bool(_RANDOM.fullmatch(value)) and not _UUID.fullmatch(value)
    return bool(find(value.encode()))
