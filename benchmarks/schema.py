"""JSON Schemas of the files that benchmarks write, made from the dataclasses themselves.

    python -m benchmarks.schema

writes `bench.schema.json` and `baseline.schema.json` beside this file. A field's description is the
sentence below it in the source.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from benchmarks.baseline_file import BaselineFile
from benchmarks.report import Report
from edge_fer.storage import write_file

FOLDER = Path(__file__).parent
FILES = {"bench.schema.json": Report, "baseline.schema.json": BaselineFile}
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_of(kind: Any) -> dict[str, Any]:
    """JSON Schema (2020-12) of a dataclass that has a field `schema` with a default."""
    named: dict[str, Any] = {}
    whole = _object(kind, named)
    version = next(f.default for f in fields(kind) if f.name == "schema")
    whole["properties"]["schema"] = {"const": version}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": version,
        **whole,
        "$defs": dict(sorted(named.items())),
    }


def text_of(kind: Any) -> str:
    """The file's text."""
    return json.dumps(schema_of(kind), indent=1) + "\n"


def _object(kind: Any, named: dict[str, Any]) -> dict[str, Any]:
    hints, told = get_type_hints(kind), _sentences(kind)
    properties = {}
    for one in fields(kind):
        form = _form(hints[one.name], named)
        properties[one.name] = {
            **form,
            **({"description": told[one.name]} if one.name in told else {}),
        }
    return {
        "description": inspect.cleandoc(kind.__doc__ or ""),
        "type": "object",
        "properties": properties,
        "required": [
            f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING
        ] + ["schema"] * ("schema" in properties),
    }  # fmt: skip


def _form(kind: Any, named: dict[str, Any]) -> dict[str, Any]:
    if kind is Any:
        return {}
    if get_origin(kind) is UnionType:
        kinds = [k for k in get_args(kind) if k is not NoneType]
        return {"anyOf": [*(_form(k, named) for k in kinds), {"type": "null"}]}
    if is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in named:
            named[kind.__name__] = {}
            named[kind.__name__] = _object(kind, named)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _form(get_args(kind)[0], named)}
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": _form(get_args(kind)[1], named)}
    return {"type": PLAIN[kind]}


def _sentences(kind: Any) -> dict[str, str]:
    """Field to the string below it in the class's source."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = getattr(getattr(below, "value", None), "value", None)
            if isinstance(below, ast.Expr) and isinstance(text, str):
                found[field.target.id] = " ".join(text.split())
    return found


def main() -> None:
    """Write both files."""
    for name, kind in FILES.items():
        write_file(FOLDER / name, text_of(kind).encode())


if __name__ == "__main__":
    main()
