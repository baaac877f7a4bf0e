"""`make faults`: rows of the fault table with measured figures beside the asked ones.

    python tests/faults [ROW ...] [--out FILE] [--list]
    python tests/faults --coverage [--check]

Every module `rows_*.py` beside this one enters rows. Exit status 1 where one is not met. FILE is
written anew after every row; with the ending `.json` it holds the results, else a page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

import where  # noqa: E402
from table import ROWS, Result, Row, markdown, measured, page  # noqa: E402


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", help="names, such as S2 H1; all if omitted")
    parser.add_argument("--out", type=Path, help="write the results there too")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    parser.add_argument("--coverage", action="store_true", help="write which row is tested where")
    parser.add_argument("--check", action="store_true", help="compare the page, and write nothing")
    asked = parser.parse_args()
    for module in sorted(HERE.glob("rows_*.py")):
        import_module(module.stem)
    if asked.coverage:
        sys.exit(_coverage(asked.check))
    rows = [one for one in ROWS if not asked.rows or one.name.split()[0] in asked.rows]
    if not rows:
        sys.exit(f"no such row: choose from {', '.join(one.name for one in ROWS)}")
    if asked.list:
        print("\n".join(f"{one.name}: {one.asked}, {one.minutes:g} min" for one in rows))
        return
    results: list[Result] = []
    for one in _results(rows):
        results.append(one)
        if asked.out:
            asked.out.write_text(_written(results, asked.out.suffix))
    print("\n".join(markdown(results)))
    sys.exit(0 if all(one.passed for one in results) else 1)


def _coverage(check: bool) -> int:
    names = [one.name for one in ROWS]
    wanted = list(where.table(names))
    print("\n".join(wanted))
    if not check:
        where.write(names)
        return 0
    if where.shown() == wanted:
        return 0
    print("the page differs: python tests/faults --coverage writes it anew", file=sys.stderr)
    return 1


def _written(results: list[Result], form: str) -> str:
    if form == ".json":
        return json.dumps([asdict(one) for one in results], indent=2) + "\n"
    return "\n".join([*page(results), ""])


def _results(rows: list[Row]) -> Iterator[Result]:
    for one in rows:
        print(f"{one.name} (about {one.minutes:g} min) ...", file=sys.stderr, flush=True)
        with TemporaryDirectory(prefix="edge-fer-faults-") as scratch:
            result = measured(one, Path(scratch))
        print(f"  {result.measured}", file=sys.stderr, flush=True)
        yield result


if __name__ == "__main__":
    main()
