"""`edge-fer bench pipeline`: found and added by the group of `edge-fer bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def pipeline(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder")],
    data: Annotated[
        Optional[str],
        typer.Option(help="Faces for the clip, such as fer2013:PATH; else drawn ones"),
    ] = None,
    camera: Annotated[Optional[str], typer.Option(help="A clip of your own, video:FILE")] = None,
    fps: Annotated[float, typer.Option(min=1, max=240, help="Frames a second of the clip")] = 15,
    out: Annotated[Path, typer.Option(help="Folder of the report")] = Path("reports/pipeline"),
    quick: Annotated[bool, typer.Option("--quick", help="A look, no proof")] = False,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Exit with 0 whatever comes out")
    ] = False,
) -> None:
    """The daemon from camera to sink: what each stage costs, beside what is asked of the whole."""
    from dataclasses import replace

    from benchmarks.pipeline import QUICK, Plan, pipeline
    from benchmarks.pipeline_report import save

    report = pipeline(bundle, data, camera, replace(QUICK if quick else Plan(), fps=fps))
    typer.echo(save(report, out), nl=False)
    raise typer.Exit(0 if report["passed"] or report_only else 1)
