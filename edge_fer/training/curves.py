"""The curves of a run: a CSV that grows, and a plot of it."""

from __future__ import annotations

import csv
import io
import statistics
from pathlib import Path
from typing import Any

from edge_fer.storage import write_file

NAME = "curves.csv"
COLUMNS = ("step", "phase", "loss", "accuracy", "validation_accuracy", "faces_per_s")


class Curves:
    """`curves.csv` and `curves.png` in the run's folder."""

    def __init__(self, out: Path) -> None:
        self._csv, self._png = out / NAME, out / "curves.png"

    def add(self, row: dict[str, Any]) -> None:
        """Append a row, dropping rows that a resumed run repeats, and draw; raises StorageError."""
        rows = [old for old in self._rows() if int(old["step"]) < row["step"]] + [
            {k: f"{v:.5g}" if isinstance(v, float) else str(v) for k, v in row.items()}
        ]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        write_file(self._csv, text.getvalue().encode())
        if "validation_accuracy" in row:
            self._draw(rows)

    def faces_per_s(self) -> float | None:
        """Median over the rows of the last phase; None where there are none."""
        rows = self._rows()
        rates = [float(r["faces_per_s"]) for r in rows if r["phase"] == rows[-1]["phase"]]
        return statistics.median(rates) if rates else None

    def _rows(self) -> list[dict[str, str]]:
        if not self._csv.is_file():
            return []
        with self._csv.open(newline="") as file:
            return list(csv.DictReader(file))

    def _draw(self, rows: list[dict[str, str]]) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 3.2), layout="constrained")
        losses, accuracies = figure.subplots(1, 2)
        steps = [int(r["step"]) for r in rows]
        losses.plot(steps, [float(r["loss"]) for r in rows])
        losses.set(xlabel="step", ylabel="training loss")
        accuracies.plot(steps, [float(r["accuracy"]) for r in rows], label="training (augmented)")
        checked = [r for r in rows if r.get("validation_accuracy")]
        accuracies.plot(
            [int(r["step"]) for r in checked],
            [float(r["validation_accuracy"]) for r in checked],
            "o-",
            label="validation",
        )
        accuracies.set(xlabel="step", ylabel="accuracy")
        accuracies.legend()
        picture = io.BytesIO()
        figure.savefig(picture, dpi=100, format="png")
        write_file(self._png, picture.getvalue())
