"""JSON values as the dataclasses that they were written from."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


def read(kind: Any, value: Any) -> Any:
    """A JSON value as the declared type: dataclasses, tuples, dictionaries, optional ones of them.

    Unknown fields are passed over. Raises TypeError or KeyError where a value does not fit.
    """
    if get_origin(kind) is UnionType:
        kinds = [k for k in get_args(kind) if k is not NoneType]
        return None if value is None else read(kinds[0], value)
    if is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise TypeError(f"{kind.__name__} is an object, not {type(value).__name__}")
        hints = get_type_hints(kind)
        known = {f.name for f in fields(kind)}
        return kind(**{k: read(hints[k], v) for k, v in value.items() if k in known})
    if get_origin(kind) is tuple:
        return tuple(read(get_args(kind)[0], item) for item in value)
    if get_origin(kind) is dict:
        return {key: read(get_args(kind)[1], item) for key, item in value.items()}
    return value
