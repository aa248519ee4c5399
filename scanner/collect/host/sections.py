"""Takes the output of the script apart again, and believes no frame but its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from scanner.collect.host.script import FORMAT, mark

_FIRST = re.compile(rb"^#([0-9a-f]{32}) bartizan (\d{1,3}) (\d{1,10}) (root|sudo|none)$", re.MULTILINE)
_ROOT = {"root": "root", "sudo": "sudo", "none": "no root"}


class NotOursError(ValueError):
    """The output holds no answer of the script at all."""


@dataclass(frozen=True, slots=True)
class Section:
    """The answer to one probe: its text, its size in bytes, and the exit status of its fragment."""

    topic: str
    text: str
    size: int
    status: int


@dataclass(frozen=True, slots=True)
class Answers:
    """All complete sections by topic.

    `begun` are the topics that began and did not end; `whole` says whether the script came to its end;
    `ran_as` is `uid 1000, sudo`.
    """

    ran_as: str
    sections: Mapping[str, Section] = field(default_factory=dict)
    begun: frozenset[str] = frozenset()
    whole: bool = False


def split(output: bytes, nonce: str = "") -> Answers:
    """The sections of this output; an empty `nonce` takes that of the first frame in it.

    What stands before the first frame (greetings of a login shell) is passed over. A section counts
    only with its own end; one that is there twice counts as not ended.

    Raises:
        NotOursError: no frame with the nonce, or one of another version of the script.

    """
    start = next((m for m in _FIRST.finditer(output) if nonce in ("", m[1].decode())), None)
    if start is None:
        raise NotOursError("the output holds no answer of the script")
    if int(start[2]) != FORMAT:
        raise NotOursError(f"the script has format {int(start[2])}, this version reads {FORMAT}")
    prefix = re.escape(mark(start[1].decode()).encode())
    frame = re.compile(rb"^" + prefix + rb" (begin|end|done)(?: ([a-z-]+))?(?: (\d{1,3}))?$", re.MULTILINE)
    sections: dict[str, Section] = {}
    broken: set[str] = set()
    topic, body, whole = "", 0, False
    for found in frame.finditer(output, start.end()):
        word, name = found[1].decode(), (found[2] or b"").decode()
        if word == "end" and name and name == topic and found[3] is not None and found.start() > body:
            # The script puts one newline of its own before the end.
            text = output[body : found.start() - 1]
            sections[name] = Section(name, text.decode("utf-8", "replace"), len(text), int(found[3]))
            topic = ""
            continue
        if topic:
            broken.add(topic)
            topic = ""
        if word == "begin" and name:
            if name in sections:
                broken.add(name)
            topic, body = name, found.end() + 1
        whole = word == "done"
    if topic:
        broken.add(topic)
    return Answers(
        ran_as=f"uid {int(start[3])}, {_ROOT[start[4].decode()]}",
        sections={name: section for name, section in sections.items() if name not in broken},
        begun=frozenset(broken),
        whole=whole,
    )
