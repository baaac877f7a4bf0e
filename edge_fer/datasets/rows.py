"""Rows of a CSV, with the place of each for whoever must mend it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from edge_fer.errors import BadData, NotFound

ATTRIBUTES = ("age", "gender", "race", "skin_tone")
"""Columns that results may be told apart by."""

Row = dict[str, str]


def read_rows(
    table: Path, columns: Sequence[str], header: Sequence[str] = ()
) -> Iterator[tuple[Row, str]]:
    """Each row and its `file:line`.

    Raises BadData where the first line lacks one of `columns`, or a row is cut short. With a
    `header`, a first line that names none of `columns` is taken for a row below it.
    """
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the first column's name.
        with table.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines)
            if header and not set(columns) & set(rows.fieldnames or ()):
                lines.seek(0)
                rows = csv.DictReader(lines, fieldnames=list(header))
            if not set(columns) <= set(rows.fieldnames or ()):
                wanted = " and ".join(columns)
                raise BadData(f"{table}: the first line must name the columns {wanted}")
            for row in rows:
                where = f"{table}:{rows.line_num}"
                yield _whole(row, columns, where), where
    except FileNotFoundError as error:
        raise NotFound(f"{table}: no such file") from error
    except OSError as error:
        raise BadData(f"{table}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadData(f"{table}: is not a CSV in UTF-8 ({error})") from error


def attributes_of(row: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The attributes that a row names, for `Sample.attributes`."""
    return tuple((name, row[name].strip()) for name in ATTRIBUTES if row.get(name, "").strip())


def _whole(row: Mapping[str, str | None], columns: Sequence[str], where: str) -> Row:
    """The row, once every field of the first line is there and nothing beyond."""
    whole = {name: value for name, value in row.items() if isinstance(value, str)}
    if None in row.values() or not all(whole[name] for name in columns):
        wanted = " and ".join(f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in columns)
        raise BadData(f"{where}: needs {wanted}; the row is cut short")
    if len(whole) < len(row):
        raise BadData(f"{where}: has more fields than the first line; quote names with a comma")
    return whole
