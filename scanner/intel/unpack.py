"""Files of feeds: packed or not, and never larger in memory or on the way than they may be."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

HEAD = 16_384
"""Bytes from which the form of a file is told."""
MOST_PACKED = 1 << 30
MOST_UNPACKED = 4 << 30
MOST_WHOLE = 768 << 20
"""Bytes of one document that has to be in memory at once."""
MOST_LINE = 16 << 20
MOST_MEMBERS = 1_000_000
MOST_RATIO = 200
_FREE_RATIO = 64 << 20
"""Bytes that may come out of a packed file before the ratio counts."""


class FeedError(ValueError):
    """One line for a person: what is wrong with a feed and what to do."""


class Limits:
    """Counts what comes out of one file, over all of its members."""

    def __init__(self, packed: int, *, most: int = MOST_UNPACKED) -> None:
        self._packed = max(packed, 1)
        self._most = most
        self._seen = 0

    def count(self, size: int) -> None:
        """Counts bytes that came out.

        Raises:
            FeedError: more than any feed has, or more than honest packing makes of so few bytes.

        """
        self._seen += size
        if self._seen > self._most:
            raise FeedError(f"it unpacks to more than {self._most >> 20:,} MiB; no feed is that large")
        if self._seen > _FREE_RATIO and self._seen > self._packed * MOST_RATIO:
            raise FeedError(f"it unpacks to more than {MOST_RATIO} times its size; no feed does")


class _Counted(io.RawIOBase):
    """A stream that counts what is read, and says in one line what is wrong with it."""

    def __init__(self, inner: IO[bytes], limits: Limits) -> None:
        self._inner = inner
        self._limits = limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        try:
            data = self._inner.read(len(view))
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
            raise FeedError(f"it is damaged: {str(error) or type(error).__name__}") from None
        self._limits.count(len(data))
        view[: len(data)] = data
        return len(data)


class Source:
    """One file of a feed. `label` is its name for people; `size` and `sha256` are of the file as it is."""

    def __init__(self, path: Path, label: str = "") -> None:
        self.path = path
        self.label = label or path.name
        try:
            self.size = path.stat().st_size
            if not path.is_file():
                raise FeedError(f"{self.label}: not a file; name the files in a folder one by one (DIR/*)")
            with path.open("rb") as file:
                self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                self._magic = self._start(file)
        except OSError as error:
            raise FeedError(f"{self.label}: {error.strerror}") from None
        if self.size > MOST_PACKED:
            raise FeedError(f"{self.label}: larger than {MOST_PACKED >> 20:,} MiB")

    @staticmethod
    def _start(file: IO[bytes]) -> bytes:
        file.seek(0)
        return file.read(8)

    def head(self) -> bytes:
        """The first bytes of the first document; empty for a file without one."""
        for _, stream in self.documents():
            return stream.read(HEAD)
        return b""

    def documents(self) -> Iterator[tuple[str, IO[bytes]]]:
        """(name, stream) of each document in the file; each is to be read before the next is asked for.

        Raises:
            FeedError: damaged, a form of packing that is not read, or larger than it may be.

        """
        limits = Limits(self.size)
        if self._magic.startswith(b"PK\x03\x04"):
            yield from self._members(limits)
            return
        with self._opened() as inner:
            yield self.label, io.BufferedReader(_Counted(inner, limits), 1 << 16)

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        # A hostile xz or zstd file could ask for gigabytes of memory before it gives a byte.
        for magic, packing in ((b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\x00", "xz")):
            if self._magic.startswith(magic):
                raise FeedError(f"packed with {packing}, which is not read here; unpack it first")
        with self.path.open("rb") as file:
            if self._magic.startswith(b"\x1f\x8b"):
                yield cast("IO[bytes]", gzip.GzipFile(fileobj=file))
            elif self._magic.startswith(b"BZh"):
                yield cast("IO[bytes]", bz2.BZ2File(file))
            else:
                yield file

    def _members(self, limits: Limits) -> Iterator[tuple[str, IO[bytes]]]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                members = [m for m in archive.infolist() if not m.is_dir()]
                if len(members) > MOST_MEMBERS:
                    raise FeedError(f"it holds more than {MOST_MEMBERS:,} files")
                for member in members:
                    with archive.open(member) as inner:
                        yield member.filename, io.BufferedReader(_Counted(inner, limits), 1 << 16)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
            raise FeedError(f"it is damaged: {error}") from None


def whole(stream: IO[bytes], most: int = MOST_WHOLE) -> bytes:
    """All bytes of a document that has to be in memory at once.

    Raises:
        FeedError: it is larger than that.

    """
    data = stream.read(most + 1)
    if len(data) > most:
        raise FeedError(f"one document in it is larger than {most >> 20:,} MiB")
    return data


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines that hold something, without their ends.

    Raises:
        FeedError: a line longer than any feed has.

    """
    while line := stream.readline(MOST_LINE + 1):
        if len(line) > MOST_LINE:
            raise FeedError(f"one line in it is longer than {MOST_LINE >> 20} MiB")
        if line := line.strip():
            yield line
