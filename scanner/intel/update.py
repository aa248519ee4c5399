"""Brings feeds up to date: fetches what has changed and imports it, one feed after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from scanner.intel import upstream
from scanner.intel.fetch import fetch
from scanner.intel.importing import Offered, import_all
from scanner.intel.store import Feeds, Part
from scanner.intel.unpack import FeedError, Source


@dataclass(frozen=True, slots=True)
class Updated:
    """How it went with one feed: `state` is new, unchanged or failed."""

    name: str
    state: str
    said: str


def chosen(feeds: Feeds, only: Iterable[str], urls: Mapping[str, str]) -> dict[str, str]:
    """The address of each feed that is to be fetched.

    Without a choice: what every estate can use, what has an address given, and what is here already.

    Raises:
        FeedError: a feed without an address.

    """
    wanted = list(only)
    if not wanted:
        here = [part.name for part in feeds.parts()]
        wanted = [*upstream.ALWAYS, *urls, *(name for name in here if name in urls or upstream.url_of(name))]
    found = {name: urls.get(name) or upstream.url_of(name) for name in dict.fromkeys(wanted)}
    for name, url in found.items():
        if not url:
            known = ", ".join(upstream.names())
            raise FeedError(
                f"no address is known for the feed {name}; give --url {name}=URL, or one of: {known}"
            )
    return found


def update(
    feeds: Feeds, addresses: Mapping[str, str], *, at: str, began: Callable[[str], None] = lambda _name: None
) -> Iterator[Updated]:
    """Fetches and imports each of these feeds; one that fails keeps its old data and stops no other."""
    for name, url in addresses.items():
        began(name)
        try:
            yield _update(feeds, name, url, at)
        except FeedError as error:
            yield Updated(name, "failed", str(error))


def _update(feeds: Feeds, name: str, url: str, at: str) -> Updated:
    known = [part for part in feeds.parts() if part.name == name]
    # Marks of another address, or of a file that was only one of several, say nothing about this one.
    last = known[0] if len(known) == 1 and known[0].origin == url else None
    with TemporaryDirectory(prefix=".feeds-", dir=feeds.path.parent) as folder:
        path = Path(folder) / "feed"
        got = fetch(url, path, etag=last.etag if last else "", modified=last.modified if last else "")
        if not got.changed:
            return _unchanged(feeds, last, name, at)
        label = urlsplit(url).path.rpartition("/")[2] or name
        fallback = min(got.date or at[:10], at[:10])
        offered = Offered(
            Source(path, label), url, fallback=fallback, etag=got.etag, modified=got.modified, name=name
        )
        [part] = import_all(feeds, [offered], at=at)
        return Updated(name, "new", f"of {part.date}, {part.count:,} rows")


def _unchanged(feeds: Feeds, last: Part | None, name: str, at: str) -> Updated:
    if last is None:
        raise FeedError("the server says that nothing has changed, and was not asked so")
    with feeds.transaction():
        feeds.keep(replace(last, imported=at))
    return Updated(name, "unchanged", f"of {last.date}")
