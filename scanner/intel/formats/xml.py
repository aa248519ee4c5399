"""XML of feeds, read element by element: nothing of a document stays in memory that is not asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from scanner.intel.unpack import FeedError


def elements(stream: IO[bytes], names: frozenset[str]) -> Iterator[Element]:
    """Each element of these local names, whole, in the order of their ends; then it is forgotten.

    Raises:
        FeedError: no well-formed XML, or one with entities of its own.

    """
    # The types alone are from the standard library: what parses is defusedxml.
    path: list[Element] = []
    inside = 0
    try:
        for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                path.append(element)
                inside += local(element) in names
                continue
            path.pop()
            if local(element) in names:
                inside -= 1
                yield element
            if not inside:
                element.clear()
                if path:
                    path[-1].clear()
    except ParseError as error:
        raise FeedError(f"no well-formed XML: {error}") from None
    except DefusedXmlException as error:
        raise FeedError(f"XML that no feed needs: {error}") from None


def local(element: Element) -> str:
    """The name of an element without its name space."""
    return element.tag.rpartition("}")[2]


def children(element: Element, name: str) -> Iterator[Element]:
    """All elements of that local name below this one."""
    return (child for child in element.iter() if local(child) == name)


def text(element: Element, name: str) -> str:
    """The text of the first element of that local name below this one; nothing where there is none."""
    return next(((child.text or "").strip() for child in children(element, name)), "")
