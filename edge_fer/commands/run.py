"""`edge-fer run`: imports nothing of weight, for it must start fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
from typer.core import TyperCommand

PREVIEW, PLAIN = "--preview", "faces"
"""Its value may be left out."""


class Command(TyperCommand):
    """`edge-fer run`, with an option whose value may be left out."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """As the command line says, and in full."""
        return super().parse_args(ctx, completed(args))


def completed(args: list[str]) -> list[str]:
    """The arguments with the value that a bare `--preview` stands for."""
    full: list[str] = []
    for arg, following in zip(args, [*args[1:], "--"], strict=True):
        full += [arg, PLAIN] if arg == PREVIEW and following.startswith("-") else [arg]
    return full


def run(
    camera: Annotated[
        str, typer.Option(help="0, /dev/video0, video:FILE, images:PATH or synthetic:")
    ] = "0",
    bundle: Annotated[
        Optional[Path], typer.Option(help="Bundle folder; the newest in bundles/ if omitted")
    ] = None,
    sink: Annotated[
        Optional[list[str]],
        typer.Option(help="jsonl:-, jsonl:FILE, mqtt:host=NAME or http: (live page); may repeat"),
    ] = None,
    detector: Annotated[
        Optional[str], typer.Option(help="blazeface, haar or whole (the image is the face)")
    ] = None,
    purpose: Annotated[
        Optional[str], typer.Option(help="Why faces are analysed; needed beyond stdout")
    ] = None,
    notice: Annotated[
        Optional[str], typer.Option(help="What the live page tells the people in view")
    ] = None,
    http_allow_remote: Annotated[
        bool, typer.Option("--http-allow-remote", help="Let other machines reach an http sink")
    ] = False,
    preview: Annotated[
        Optional[str],
        typer.Option(metavar="[faces|boxes]", help="Let the page show the blurred room"),
    ] = None,
    threads: Annotated[Optional[int], typer.Option(help="Threads of the engine")] = None,
    device: Annotated[
        Optional[str], typer.Option(help="CPU; onnx bundles also CUDA and TENSORRT")
    ] = None,
    selftest: Annotated[
        bool, typer.Option("--selftest", help="First let the bundle prove itself on this machine")
    ] = False,
    events: Annotated[Optional[int], typer.Option(help="End after so many frames")] = None,
    smoothing: Annotated[
        Optional[float], typer.Option(help="Time constant of a face's scores, in seconds; 0: off")
    ] = None,
) -> None:
    """Watch a camera and say which expressions are seen, one JSON object a frame."""
    from edge_fer.config import NOTICE, SMOOTHING_S, STDOUT, RunConfig
    from edge_fer.daemon import run as watch

    config = RunConfig(
        camera=camera,
        bundle=bundle,
        sinks=tuple(sink or (STDOUT,)),
        detector=detector,
        purpose=purpose,
        notice=NOTICE if notice is None else notice,
        http_allow_remote=http_allow_remote,
        preview=preview,
        threads=threads,
        engine_device=device,
        selftest=selftest,
        events=events,
        smoothing_s=SMOOTHING_S if smoothing is None else smoothing,
    )
    raise typer.Exit(watch(config))
