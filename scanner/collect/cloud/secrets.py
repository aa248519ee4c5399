"""Finds secrets in text by their form, and says of what kind and on which line, never which."""

from __future__ import annotations

import re
import zlib

from checks.facts.cloud.ec2 import PlainSecret

MAX_BYTES = 1024 * 1024
MAX_LINE = 4096
MAX_FOUND = 100

_GZIP = b"\x1f\x8b"
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("private key", re.compile(r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----")),
    (
        "AWS secret access key",
        re.compile(
            r"(?i)aws_?secret_?(?:access_?)?key\"?\s{0,4}[=:]\s{0,4}[\"']?[A-Za-z0-9/+]{40}(?![\w/+])"
        ),
    ),
    ("GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,80}|github_pat_[A-Za-z0-9_]{40,100})")),
    ("GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,60}")),
    ("Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{20,200}")),
    ("Stripe key", re.compile(r"\b[rs]k_live_[A-Za-z0-9]{16,120}")),
    ("Google API key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
)
_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s/:@\"']{1,64}:(?P<value>[^\s/@\"']{3,128})@")
_ASSIGNED = re.compile(
    r"(?i)(?<![a-z])(?P<name>[a-z0-9_.]{0,40}(?:passw(?:or)?d|passphrase|secret|api_?key|auth_?token|access_?token))"
    r"[\"']?(?:\s{0,4}[=:]\s{0,4}|\s{1,4}(?=[\"']))(?P<value>\"[^\"\n]{4,200}\"|'[^'\n]{4,200}'|[^\s\"';,&|]{4,200})"
)
_OPTION = re.compile(r"(?i)--(?:password|secret|token|api-key)[ =](?P<value>[^\s\"';,&|]{4,200})")
_NO_LITERAL = re.compile(
    r"^[\"']?(?:[$<{%!]|arn:|/|\*+$|x+$|true\b|false\b|none\b|null\b|yes\b|no\b|\()", re.I
)
_STANDS_FOR = re.compile(r"(?i)(?:changeme|example|placeholder|your[_-]|redacted|\$\{|\$\(|\{\{|`)")


def find(data: bytes) -> tuple[PlainSecret, ...]:
    """The secrets that stand in the clear, sorted by line. gzip is opened, at most 1 MiB is read.

    Raises:
        ValueError: compressed data that cannot be opened.

    """
    text = _opened(data).decode("utf-8", "replace")
    found: set[tuple[int, str]] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        found.update((number, kind) for kind in _kinds(line[:MAX_LINE]))
        if len(found) >= MAX_FOUND:
            break
    return tuple(PlainSecret(kind, number) for number, kind in sorted(found))


def _kinds(line: str) -> set[str]:
    kinds = {kind for kind, form in _KINDS if form.search(line)}
    if any(_literal(match["value"]) for match in _URL.finditer(line)):
        kinds.add("password in a URL")
    named = [*_ASSIGNED.finditer(line), *_OPTION.finditer(line)]
    if not kinds and any(_literal(match["value"]) for match in named):
        kinds.add("password or token")
    return kinds


def _literal(value: str) -> bool:
    return not _NO_LITERAL.match(value) and not _STANDS_FOR.search(value)


def _opened(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data[:MAX_BYTES]
    try:
        return zlib.decompressobj(wbits=31).decompress(data, MAX_BYTES)
    except zlib.error:
        raise ValueError("compressed data that cannot be opened") from None
