"""`make faults`: rows of the fault table with measured figures beside the asked ones.

    python tests/faults [ROW ...] [--out FILE] [--list]

Every module `rows_*.py` beside this one enters rows. Exit status 1 where one is not met.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

from table import ROWS, Result, Row, markdown, measured  # noqa: E402


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", help="names, such as S2 H1; all if omitted")
    parser.add_argument("--out", type=Path, help="write the results as JSON too")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    asked = parser.parse_args()
    for module in sorted(HERE.glob("rows_*.py")):
        import_module(module.stem)
    rows = [one for one in ROWS if not asked.rows or one.name.split()[0] in asked.rows]
    if not rows:
        sys.exit(f"no such row: choose from {', '.join(one.name for one in ROWS)}")
    if asked.list:
        print("\n".join(f"{one.name}: {one.asked}, {one.minutes:g} min" for one in rows))
        return
    results = _results(rows)
    print("\n".join(markdown(results)))
    if asked.out:
        asked.out.write_text(json.dumps([asdict(one) for one in results], indent=2) + "\n")
    sys.exit(0 if all(one.passed for one in results) else 1)


def _results(rows: list[Row]) -> list[Result]:
    results = []
    for one in rows:
        print(f"{one.name} (about {one.minutes:g} min) ...", file=sys.stderr, flush=True)
        with TemporaryDirectory(prefix="edge-fer-faults-") as scratch:
            results.append(measured(one, Path(scratch)))
        print(f"  {results[-1].measured}", file=sys.stderr, flush=True)
    return results


if __name__ == "__main__":
    main()
