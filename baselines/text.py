"""YAML as people write it, read strictly, with the place of every value for messages.

Used for baselines, tailorings and scope files. The dialect is YAML 1.2's core (`no` is a word, `22:22`
is refused), without anchors, aliases, tags or duplicate keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.events import AliasEvent, NodeEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 12

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?$")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+$")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+$")


class TextError(ValueError):
    """One line for a person: file, line, key and the mend."""


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a YAML text and the line (from 1) of each."""

    name: str
    values: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of the value, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: Path, message: str) -> TextError:
        """A located message about one value."""
        where = ".".join(str(part) for part in path)
        return TextError(f"{self.name}:{self.line(path)}: {where + ': ' if where else ''}{message}")


def read(data: bytes, name: str) -> Document:
    """The document in these bytes; `name` is how messages call the file.

    Raises:
        TextError: anything but one plain YAML mapping in UTF-8.

    """
    if len(data) > MAX_BYTES:
        raise TextError(f"{name}:1: the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TextError(f"{name}:{line}: not UTF-8 text; save the file as UTF-8") from None
    if not text.strip():
        raise TextError(f"{name}:1: the file is empty")
    try:
        _refuse_references(text, name)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise TextError(f"{name}:{line}: not YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise TextError(f"{name}:{line}: a control character does not belong here") from None
    if not isinstance(node, MappingNode):
        raise TextError(f"{name}:1: a mapping of keys to values is expected at the top")
    lines: dict[Path, int] = {}
    values = _value(node, (), lines, name)
    return Document(name, values, lines)


def parse(document: Document, model: type[M]) -> M:
    """The document as that model.

    Raises:
        TextError: the first mistake, with its line, its key and what is allowed there.

    """
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        [first, *_] = sorted(error.errors(include_url=False), key=lambda e: document.line(_path(e)))
        more = error.error_count() - 1
        tail = f" (and {more} more)" if more else ""
        raise document.error(_path(first), _message(first, model) + tail) from None


def _refuse_references(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = (event.start_mark.line if event.start_mark else 0) + 1
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
            raise TextError(f"{name}:{line}: anchors and aliases (& and *) are not allowed; write it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise TextError(f"{name}:{line}: nested deeper than {MAX_DEPTH} levels")


def _value(node: Node, path: Path, lines: dict[Path, int], name: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if node.tag and not node.tag.startswith("tag:yaml.org,2002:"):
        raise TextError(f"{name}:{node.start_mark.line + 1}: the tag {node.tag} is not allowed")
    if isinstance(node, MappingNode):
        found: dict[str, Any] = {}
        for key, child in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise TextError(f"{name}:{line}: a key is a word")
            if key.value in found:
                raise TextError(f"{name}:{line}: {'.'.join(map(str, (*path, key.value)))}: given twice")
            lines[(*path, key.value)] = line
            found[key.value] = _value(child, (*path, key.value), lines, name)
        return found
    if isinstance(node, SequenceNode):
        return [_value(child, (*path, i), lines, name) for i, child in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    return _scalar(node, path, name)


def _scalar(node: ScalarNode, path: Path, name: str) -> Any:
    text: str = node.value
    if node.style is not None:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    if _SEXAGESIMAL.match(text) or _LEADING_ZERO.match(text):
        key = ".".join(map(str, path))
        line = node.start_mark.line + 1
        raise TextError(f"{name}:{line}: {key}: {text} can be read in two ways; put it in quotes")
    return text


def _path(error: ErrorDetails) -> Path:
    # pydantic puts the names of union members and validators into the location; only the parts
    # that the document has lead to a line, and `Document.line` walks up past the others.
    return tuple(
        part for part in error["loc"] if not (isinstance(part, str) and part.startswith("function-"))
    )


def _message(error: ErrorDetails, model: type[BaseModel]) -> str:
    kind = error["type"]
    given = error.get("input")
    if kind == "extra_forbidden":
        key = str(error["loc"][-1])
        names = _keys_at(model, error["loc"][:-1])
        close = get_close_matches(key, names, n=1)
        hint = f"did you mean {close[0]}?" if close else f"allowed here: {', '.join(names)}"
        return f"unknown key; {hint}"
    if kind == "missing":
        return "missing"
    if kind == "value_error":
        return str(error["ctx"]["error"]) if "ctx" in error else error["msg"]
    if given is not None and not isinstance(given, Mapping | Sequence):
        return f"{error['msg'].lower()}, not {given!r}"
    if isinstance(given, str):
        return f"{error['msg'].lower()}, not {given[:80]!r}"
    return error["msg"].lower()


def _keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys that a model allows at a path, found through its JSON Schema."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    here: Any = schema
    for part in path:
        here = _resolve(here, definitions)
        if isinstance(part, int):
            here = here.get("items", {})
        elif part in here.get("properties", {}):
            here = here["properties"][part]
        elif isinstance(here.get("additionalProperties"), dict):
            here = here["additionalProperties"]
        else:
            continue
    return sorted(_resolve(here, definitions).get("properties", {}))


def _resolve(schema: Any, definitions: Mapping[str, Any]) -> Any:
    for _ in range(8):
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            objects = [s for s in schema["anyOf"] if s.get("type") != "null"]
            schema = objects[0] if objects else schema
            if "$ref" not in schema and "anyOf" not in schema:
                return schema
        else:
            return schema
    return schema
