"""Fetches feeds over HTTPS: only what has changed, within limits, and never by a detour over plain HTTP."""

from __future__ import annotations

import http.client
import ipaddress
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from scanner import __version__
from scanner.intel.unpack import MOST_PACKED, FeedError

SECONDS_SILENT = 30
SECONDS_IN_ALL = 1_800
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server gave: nothing new, or a file with its marks for the next time."""

    changed: bool
    etag: str = ""
    modified: str = ""
    date: str = ""
    """The day of `Last-Modified`, empty where the server does not say."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to an address that could have been asked for."""

    max_redirections = 5

    def redirect_request(  # noqa: PLR0917 - the signature of the class above
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        check_url(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(
    url: str,
    into: Path,
    *,
    etag: str = "",
    modified: str = "",
    most: int = MOST_PACKED,
    seconds: float = SECONDS_IN_ALL,
) -> Fetched:
    """Writes what is at that address into a file, unless it is what it was (`etag`, `modified`).

    Proxies come from the environment.

    Raises:
        FeedError: no HTTPS, not there, too large, too slow.

    """
    check_url(url)
    headers = {"User-Agent": f"bartizan/{__version__}", "Accept-Encoding": "identity"}
    headers |= {"If-None-Match": etag} if etag else {}
    headers |= {"If-Modified-Since": modified} if modified else {}
    opener = urllib.request.build_opener(_Redirects)
    until = time.monotonic() + seconds
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme is checked above
        with opener.open(request, timeout=min(SECONDS_SILENT, seconds)) as answer:
            _save(answer, into, answer.headers, most, until)
            return Fetched(
                True,
                answer.headers.get("ETag", "")[:200],
                answer.headers.get("Last-Modified", "")[:100],
                _day(answer.headers.get("Last-Modified", "")),
            )
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.client.NOT_MODIFIED:
                return Fetched(False, etag, modified)
            raise FeedError(f"{url}: the server answers {error.code}") from None
    except urllib.error.URLError as error:
        raise FeedError(f"{url}: {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise FeedError(f"{url}: {str(error) or type(error).__name__}") from None


def check_url(url: str) -> None:
    """Accepts HTTPS, and HTTP of this very machine.

    Raises:
        FeedError: anything else.

    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise FeedError(f"{url[:200]!r} is no address") from None
    if parts.username or parts.password:
        raise FeedError("an address with a login in it is not used; its parts end up in logs")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and _here(host))):
        raise FeedError(f"{url[:200]}: feeds are fetched over https only")


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _save(answer: IO[bytes], into: Path, headers: Mapping[str, str], most: int, until: float) -> None:
    announced = headers.get("Content-Length", "")
    seen = 0
    with into.open("wb") as file:
        while data := answer.read(_CHUNK):
            seen += len(data)
            if seen > most:
                raise FeedError(f"it is larger than {most >> 20:,} MiB")
            if time.monotonic() > until:
                raise FeedError("it came too slowly")
            file.write(data)
    if announced.isdigit() and seen != int(announced):
        raise FeedError(f"the answer was cut off after {seen:,} of {int(announced):,} bytes")


def _day(modified: str) -> str:
    try:
        return parsedate_to_datetime(modified).date().isoformat() if modified else ""
    except ValueError:
        return ""
