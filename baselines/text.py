"""YAML as people write it, read strictly, with the place of every value for messages.

Used for baselines, tailorings and scope files. The dialect is YAML 1.2's core (`no` is a word, `22:22`
is refused), without anchors, aliases, tags or duplicate keys.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent, ScalarEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from checks.fix import printable

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 12

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?$")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+$")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+$")
# Besides what YAML forbids: characters that end a line for some readers or turn its direction round.
_CONTROL = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_SECRET = re.compile(
    r"pass(word|wd|phrase|code)?|pwd|secret|token|credentials?|(api|access|private|secret)[-_]?key([-_]?id)?"
    r"|.*[-_](password|passphrase|secret|token|credentials?)"
    r"|(password|secret|token)[-_].*",
    re.IGNORECASE,
)
_UNQUOTED = frozenset({"key", "store"})
MAX_DIGITS = 18
# libyaml reads a megabyte in a second where the Python reader takes ten; both read the same dialect.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
        return _located(self.name, self.line(path), f"{where + ': ' if where else ''}{message}")


def names_a_secret(key: str) -> bool:
    """Whether a key of that name would hold a secret (`password`, `api_token`, `secret-key` …)."""
    return _SECRET.fullmatch(key) is not None


def read(data: bytes, name: str) -> Document:
    """The document in these bytes; `name` is how messages call the file.

    Raises:
        TextError: anything but one plain YAML mapping in UTF-8.

    """
    if len(data) > MAX_BYTES:
        raise _located(name, 1, f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _located(name, line, "not UTF-8 text; save the file as UTF-8") from None
    if not text.strip():
        raise _located(name, 1, "the file is empty")
    if control := _CONTROL.search(text):
        line = text[: control.start()].count("\n") + 1
        code = ord(control[0])
        raise _located(name, line, f"the control character U+{code:04X} does not belong here; delete it")
    try:
        _refuse_references(text, name)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _located(name, mark.line + 1 if mark else 1, f"not YAML: {_problem(error)}") from None
    if not isinstance(node, MappingNode):
        raise _located(name, 1, "a mapping of keys to values is expected at the top")
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
        found = [(_path(e, document.values), e) for e in error.errors(include_url=False)]
        # A mistyped key is also a missing one; the typing error is the one to tell.
        found.sort(key=lambda pair: (pair[1]["type"] != "extra_forbidden", document.line(pair[0])))
        path, first = found[0]
        # One value that fits no member of a union is one mistake, whatever pydantic counts.
        more = len({other for other, _ in found}) - 1
        tail = f" (and {more} more mistake{'s' if more > 1 else ''})" if more else ""
        raise document.error(path, _message(first, path, model) + tail) from None


def _located(name: str, line: int, message: str) -> TextError:
    return TextError(printable(f"{name}:{line}: {message}"))


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "it cannot be read"
    if "another document" in problem:
        return "a second document begins here; one is read"
    if "start any token" in problem:
        return "a tab or another character that cannot begin a value; indent with spaces, quote texts"
    return problem


def _refuse_references(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = (event.start_mark.line if event.start_mark else 0) + 1
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
            raise _located(name, line, "anchors and aliases (& and *) are not allowed; write it out")
        if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
            raise _located(name, line, f"the tag {event.tag} is not allowed; write the plain value")
        if isinstance(event, CollectionStartEvent):
            depth += 1
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _located(name, line, f"nested deeper than {MAX_DEPTH} levels")


def _value(node: Node, path: Path, lines: dict[Path, int], name: str) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if isinstance(node, MappingNode):
        found: dict[str, Any] = {}
        for key, child in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise _located(name, line, "a key is a word")
            here = (*path, key.value)
            if _CONTROL.search(key.value):
                raise _located(name, line, f"{_dotted(here)}: a key is a word without control characters")
            if key.value in found:
                raise _located(name, line, f"{_dotted(here)}: given twice, first in line {lines[here]}")
            lines[here] = line
            found[key.value] = _value(child, here, lines, name)
        return found
    if isinstance(node, SequenceNode):
        return [_value(child, (*path, i), lines, name) for i, child in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    try:
        # libyaml calls the style of an unquoted scalar '', the Python reader None.
        return _clean(node.value) if node.style else _plain(node.value)
    except ValueError as error:
        raise _located(name, line, f"{_dotted(path)}: {error}") from None


def _clean(text: str) -> str:
    """A quoted text; its escapes may not bring in what the file itself may not hold."""
    if control := _CONTROL.search(text):
        raise ValueError(f"the control character U+{ord(control[0]):04X} does not belong here")
    return text


def _plain(text: str) -> Any:
    """An unquoted scalar: nothing, true or false, a number, or text."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"a number of more than {MAX_DIGITS} digits; put it in quotes if it is a text")
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text) if len(text) <= 40 else math.inf
        if math.isinf(number):
            raise ValueError("a number of that size is not read; put it in quotes if it is a text")
        return number
    if _SEXAGESIMAL.fullmatch(text) or _LEADING_ZERO.fullmatch(text):
        raise ValueError(f"{text[:60]} can be read in two ways; put it in quotes")
    return text


def _dotted(path: Path) -> str:
    return ".".join(str(part) for part in path)


def _path(error: ErrorDetails, values: Any) -> Path:
    """The place of a mistake in the text itself.

    pydantic adds the names of union members and validators; only what the document has is kept, and
    the key that it misses.
    """
    path: list[str | int] = []
    here = values
    for part in error["loc"]:
        inside = (
            part in here if isinstance(here, dict) else isinstance(here, list) and part in range(len(here))
        )
        if inside:
            here = here[part]
            path.append(part)
    last = error["loc"][-1:]
    return (*path, *last) if error["type"] == "missing" else tuple(path)


_EXPECTED = {
    "string_type": "text is expected",
    "int_type": "a whole number is expected",
    "int_from_float": "a whole number is expected",
    "float_type": "a number is expected",
    "bool_type": "true or false is expected",
    "list_type": "a list is expected",
    "dict_type": "keys with values are expected",
    "model_type": "keys with values are expected",
    "model_attributes_type": "keys with values are expected",
    "greater_than": "more than {gt} is expected",
    "greater_than_equal": "at least {ge} is expected",
    "less_than": "less than {lt} is expected",
    "less_than_equal": "at most {le} is expected",
    "string_too_short": "at least {min_length} character is expected",
    "string_too_long": "at most {max_length} characters are expected",
    "too_short": "at least {min_length} entry is expected",
    "too_long": "at most {max_length} entries are expected",
    "string_pattern_mismatch": "text of the form {pattern} is expected",
    "enum": "one of {expected} is expected",
    "literal_error": "one of {expected} is expected",
}


def _message(error: ErrorDetails, path: Path, model: type[BaseModel]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(str(path[-1]), _keys_at(model, error["loc"][:-1]))
    if kind == "missing":
        return "missing"
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    expected = _EXPECTED[kind].format(**context) if kind in _EXPECTED else error["msg"].lower()
    return expected + _given(error.get("input"), path, str(context.get("expected", "")))


def _given(value: object, path: Path, expected: str) -> str:
    """What stands there instead, unless it may be a secret."""
    if value is None:
        return ", not nothing"
    if isinstance(value, Mapping):
        return ", not keys with values"
    if isinstance(value, list):
        return ", not a list"
    if _UNQUOTED.intersection(map(str, path)) or any(names_a_secret(str(part)) for part in path):
        return ""
    written = str(value).lower() if isinstance(value, bool) else repr(value)
    close = get_close_matches(str(value), re.findall(r"'([^']*)'", expected), n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f", not {written if len(written) <= 80 else written[:80] + '…'}{hint}"


def _unknown_key(key: str, allowed: Sequence[str]) -> str:
    if names_a_secret(key):
        return "a secret is never written here; name where it is kept (file:…, agent:, a profile)"
    close = get_close_matches(key, allowed, n=1)
    return (
        f"unknown key; did you mean {close[0]}?"
        if close
        else f"unknown key; allowed here: {', '.join(allowed)}"
    )


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
