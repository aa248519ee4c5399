"""Where a daemon lives, and what a prepared one is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.lab.network import Namespace
from tests.lab.parts import LOOPBACK, free_port

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """The folder, the address and the namespace of one daemon; without a namespace, loopback's free ports."""

    folder: Path
    address: str = LOOPBACK
    namespace: Namespace | None = None

    def port(self, usual: int) -> int:
        """The usual port in a namespace of its own, a free one on loopback."""
        return usual if self.namespace else free_port()

    def inside(self, function: Callable[[], T]) -> T:
        """The result of the function, run in the namespace."""
        return self.namespace.inside(function) if self.namespace else function()

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        """A file in the folder."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def directory(self, name: str, mode: int = 0o755) -> Path:
        """A directory in the folder."""
        made = self.folder / name
        made.mkdir(parents=True, exist_ok=True)
        made.chmod(mode)
        return made


@dataclass(frozen=True)
class Prepared:
    """The command of a daemon in the foreground, and the ports that it will open."""

    command: tuple[str, ...]
    tcp: tuple[int, ...] = ()
    udp: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


Preparer = Callable[[Place], Prepared]
