"""Which of two package versions is the newer one, as dpkg, rpm and apk each decide it.

A version becomes a key once, and keys compare as plain tuples: hosts share most of their versions, so
a whole fleet costs one key for each version and then comparisons at the speed of tuples.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

Key: TypeAlias = tuple[object, ...]
"""What compares as the version does; keys of different managers may not be compared."""

LONGEST = 256
"""Characters of a version; what is longer comes from no package."""


class VersionError(ValueError):
    """This is no version in the manager's form."""


# dpkg: runs of other characters and runs of digits take turns. `~` sorts before the end of the text,
# letters before everything else (deb-version(7)).
_DPKG_RUNS = re.compile(r"([^0-9]*)([0-9]*)")
_DPKG_END = ((0,), 0, (0,))
# rpm: runs of digits and of letters, and the marks `~` and `^`; everything else only separates.
_RPM_PARTS = re.compile(r"[0-9]+|[A-Za-z]+|~|\^")
_RPM_BEFORE, _RPM_END, _RPM_AFTER, _RPM_LETTERS, _RPM_DIGITS = range(5)
# apk: numbers, one letter, suffixes, a hash of a commit, a revision. The order of the kinds says which
# version is newer where one of two equal beginnings goes on.
_APK = re.compile(
    r"(?P<numbers>[0-9]+(?:\.[0-9]+)*)(?P<letter>[a-z]?)(?P<suffixes>(?:_[a-z]+[0-9]*)*)"
    r"(?:~(?P<hash>[0-9a-f]+))?(?:-r(?P<revision>[0-9]+))?"
)
_APK_SUFFIX = re.compile(r"_([a-z]+)([0-9]*)")
_APK_EARLY = ("alpha", "beta", "pre", "rc")
_APK_LATE = ("cvs", "svn", "git", "hg", "p")
(
    _APK_EARLY_SUFFIX,
    _APK_END,
    _APK_REVISION,
    _APK_HASH,
    _APK_SUFFIX_NUMBER,
    _APK_LATE_SUFFIX,
    _APK_LETTER,
    _APK_NUMBER,
) = range(8)


@lru_cache(maxsize=65_536)
def dpkg_key(version: str) -> Key:
    """The key of a Debian version `[epoch:]upstream[-revision]`.

    Raises:
        VersionError: nothing, white space, or an epoch that is no number.

    """
    epoch, rest = _epoch(version)
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return (epoch, _dpkg_part(upstream), _dpkg_part(revision))


@lru_cache(maxsize=65_536)
def rpm_key(version: str) -> Key:
    """The key of an rpm's `[epoch:]version[-release]`; a missing release sorts before every other.

    Raises:
        VersionError: nothing, white space, or an epoch that is no number.

    """
    epoch, rest = _epoch(version)
    upstream, _, release = rest.partition("-")
    return (epoch, _rpm_part(upstream), _rpm_part(release))


@lru_cache(maxsize=65_536)
def apk_key(version: str) -> Key:
    """The key of an Alpine version `1.2.3b_rc1-r4`.

    Raises:
        VersionError: not of that form, or with a suffix that apk does not know.

    """
    found = _APK.fullmatch(_sound(version))
    if found is None:
        raise VersionError(f"{version[:60]!r} is no version of an Alpine package")
    first, *others = found["numbers"].split(".")
    key: list[tuple[object, ...]] = [(_APK_NUMBER, 1, int(first))]
    # After the first, a number with a leading zero reads as a decimal fraction, and so as text.
    key += [
        (_APK_NUMBER, 0, text) if text.startswith("0") else (_APK_NUMBER, 1, int(text)) for text in others
    ]
    if found["letter"]:
        key.append((_APK_LETTER, found["letter"]))
    for word, number in _APK_SUFFIX.findall(found["suffixes"]):
        if word in _APK_EARLY:
            key.append((_APK_EARLY_SUFFIX, _APK_EARLY.index(word)))
        elif word in _APK_LATE:
            key.append((_APK_LATE_SUFFIX, _APK_LATE.index(word)))
        else:
            raise VersionError(f"{version[:60]!r} has the unknown suffix _{word}")
        if number:
            key.append((_APK_SUFFIX_NUMBER, int(number)))
    if found["hash"]:
        key.append((_APK_HASH, found["hash"]))
    if found["revision"]:
        key.append((_APK_REVISION, int(found["revision"])))
    return (*key, (_APK_END,))


KEYS: dict[str, Callable[[str], Key]] = {"dpkg": dpkg_key, "rpm": rpm_key, "apk": apk_key}
"""The key function of each package manager."""


def compare(manager: str, one: str, other: str) -> int:
    """-1, 0 or 1: the one version is older than the other, equal to it, or newer.

    Raises:
        VersionError: one of them is no version of that manager.

    """
    key = KEYS[manager]
    first, second = key(one), key(other)
    return (first > second) - (first < second)


def _sound(version: str) -> str:
    if not version or len(version) > LONGEST or not version.isprintable() or " " in version:
        raise VersionError(f"{version[:60]!r} is no version")
    return version


def _epoch(version: str) -> tuple[int, str]:
    epoch, colon, rest = _sound(version).partition(":")
    if not colon:
        return 0, version
    if not (epoch.isascii() and epoch.isdigit()) or not rest:
        raise VersionError(f"{version[:60]!r} has an epoch that is no number")
    return int(epoch), rest


def _dpkg_part(text: str) -> Key:
    if not text:
        return _DPKG_END
    key: list[object] = []
    for other, digits in _DPKG_RUNS.findall(text):
        if other or digits:
            key += [(*map(_dpkg_weight, other), 0), int(digits or "0")]
    return (*key, (0,))


def _dpkg_weight(character: str) -> int:
    if character == "~":
        return -1
    if character.isascii() and character.isalpha():
        return ord(character)
    return ord(character) + 0x20_0000


def _rpm_part(text: str) -> Key:
    key: list[tuple[object, ...]] = []
    for part in _RPM_PARTS.findall(text):
        if part == "~":
            key.append((_RPM_BEFORE,))
        elif part == "^":
            key.append((_RPM_AFTER,))
        elif part.isdigit():
            key.append((_RPM_DIGITS, int(part)))
        else:
            key.append((_RPM_LETTERS, part))
    return (*key, (_RPM_END,))
