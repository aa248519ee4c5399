"""What a stored fact does not tell, because it was taken before its form had that field.

Such a field must not read as its default: "no rule" and "rules were not read then" are two answers. It
holds an `Untold` instead, which refuses every use, so that only the checks that ask for it do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn, get_args

import msgspec
from msgspec.structs import FieldInfo, fields, force_setattr


class UntoldError(Exception):
    """A field was asked for that the snapshot is too old to have."""


class Untold:
    """Stands in a field that was not collected; whatever is done with it raises `UntoldError`."""

    __slots__ = ("_field",)

    def __init__(self, field: str) -> None:
        self._field = field

    def _refuse(self, *_: object) -> NoReturn:
        raise UntoldError(f"{self._field} was not read yet when this was collected; scan the host again")

    __getattr__ = __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __call__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refuse
    __str__ = __repr__ = __format__ = __int__ = __float__ = __index__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __or__ = __ror__ = __and__ = __rand__ = _refuse


def mark(fact: msgspec.Struct, raw: bytes) -> None:
    """Puts an `Untold` into every field of a fact, however deep, that its stored form does not have."""
    if all(f'"{name}":'.encode() in raw for name in _optional(type(fact))):
        return
    _mark(fact, msgspec.json.decode(raw))


def _mark(value: object, raw: object) -> None:
    if isinstance(value, msgspec.Struct) and isinstance(raw, dict):
        for field in fields(value):
            if field.encode_name in raw:
                _mark(getattr(value, field.name), raw[field.encode_name])
            else:
                force_setattr(value, field.name, Untold(f"{type(value).__name__}.{field.name}"))
    elif isinstance(value, Mapping) and isinstance(raw, dict):
        for one, stored in zip(value.values(), raw.values(), strict=True):
            _mark(one, stored)
    elif isinstance(value, tuple | list) and isinstance(raw, list):
        for one, stored in zip(value, raw, strict=True):
            _mark(one, stored)


@cache
def _optional(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The stored names of all fields with a default in a fact and in the records that it holds."""
    found: set[str] = set()
    todo: list[Any] = [kind]
    seen: set[type] = set()
    while todo:
        one = todo.pop()
        todo += get_args(one)
        if isinstance(one, type) and issubclass(one, msgspec.Struct) and one not in seen:
            seen.add(one)
            own: tuple[FieldInfo, ...] = fields(one)
            found.update(field.encode_name for field in own if not field.required)
            todo += [field.type for field in own]
    return frozenset(found)
