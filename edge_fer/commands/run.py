"""`edge-fer run`: imports nothing of weight, for it must start fast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from edge_fer.daemon.signals import Asked


NO_THREAD = "can't start new thread"
"""What Python says at the limit, of a thread; of a process it is a BlockingIOError (EAGAIN)."""
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
    context: typer.Context,
    config: Annotated[
        Optional[Path],
        typer.Option(help="edge-fer.toml: every option below is a key there; flags win"),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Say what a start would say, and end")
    ] = False,
    camera: Annotated[
        Optional[str],
        typer.Option(help="0 (default), /dev/video0, stream:URL, picamera:, video:FILE ..."),
    ] = None,
    bundle: Annotated[
        Optional[Path], typer.Option(help="Bundle folder; the newest in bundles/ if omitted")
    ] = None,
    fallback: Annotated[
        Optional[Path], typer.Option(help="Bundle that serves where the other is refused or fails")
    ] = None,
    sink: Annotated[
        Optional[list[str]],
        typer.Option(help="jsonl:-, jsonl:FILE, mqtt:host=NAME or http: (live page); may repeat"),
    ] = None,
    detector: Annotated[
        Optional[str], typer.Option(help="blazeface, haar or whole (the image is the face)")
    ] = None,
    device_id: Annotated[
        Optional[str],
        typer.Option(help="This device's id, a-z 0-9 _ -; the host's name if omitted"),
    ] = None,
    camera_id: Annotated[Optional[str], typer.Option(help="The camera's id, likewise")] = None,
    purpose: Annotated[
        Optional[str], typer.Option(help="Why faces are analysed; needed beyond stdout")
    ] = None,
    notice: Annotated[
        Optional[str], typer.Option(help="What the live page tells the people in view")
    ] = None,
    http_allow_remote: Annotated[
        Optional[bool],
        typer.Option("--http-allow-remote", help="Let other machines reach an http sink"),
    ] = None,
    preview: Annotated[
        Optional[str],
        typer.Option(metavar="[faces|boxes]", help="Let the page show the blurred room"),
    ] = None,
    threads: Annotated[Optional[int], typer.Option(help="Threads of the engine")] = None,
    device: Annotated[
        Optional[str], typer.Option(help="CPU; onnx bundles also CUDA and TENSORRT")
    ] = None,
    selftest: Annotated[
        Optional[bool],
        typer.Option("--selftest", help="First let the bundle prove itself on this machine"),
    ] = None,
    trusted_key: Annotated[
        Optional[Path], typer.Option(help="Public key: bundles it has not signed are refused")
    ] = None,
    events: Annotated[Optional[int], typer.Option(help="End after so many frames")] = None,
    smoothing: Annotated[
        Optional[float], typer.Option(help="Time constant of a face's scores, in seconds; 0: off")
    ] = None,
    abstain_below: Annotated[
        Optional[float], typer.Option(help="Best probability below which a face is uncertain")
    ] = None,
    most_faces: Annotated[Optional[int], typer.Option(help="Faces a frame, largest first")] = None,
    smallest_face: Annotated[Optional[int], typer.Option(help="Pixels; smaller are left")] = None,
    roi: Annotated[
        Optional[str], typer.Option(help="Look there alone: x,y,w,h in shares of the frame")
    ] = None,
    detect_every: Annotated[
        Optional[int], typer.Option(help="Frames from one detection to the next; else as measured")
    ] = None,
    aggregate: Annotated[
        Optional[float], typer.Option(help="Tell counts and means of so many seconds, no faces")
    ] = None,
    aggregate_public: Annotated[
        Optional[bool],
        typer.Option("--aggregate-public", help="60 s or more, silent under 5 faces"),
    ] = None,
    patience: Annotated[
        Optional[float], typer.Option(help="End with 75 after so many seconds without a frame")
    ] = None,
    state_dir: Annotated[Optional[Path], typer.Option(help="Folder of the lock")] = None,
    log: Annotated[Optional[str], typer.Option(help="Lines on stderr: text or json")] = None,
) -> None:
    """Watch a camera and say which expressions are seen, one JSON object a frame."""
    from edge_fer.daemon.signals import listening

    try:
        with listening(reloads=config is not None) as asked:
            raise typer.Exit(_start(context.params, asked))
    except (RuntimeError, BlockingIOError) as error:
        if str(error) != NO_THREAD and not isinstance(error, BlockingIOError):
            raise
        from edge_fer.errors import EdgeFerError

        raise EdgeFerError(
            "no more threads may be started here: raise TasksMax= of the unit (64 is enough), "
            "or the user's limit (ulimit -u)"
        ) from error


def _start(given: dict[str, Any], asked: Asked) -> int:
    from edge_fer.config import read_roi
    from edge_fer.daemon.lock import only_daemon
    from edge_fer.errors import SettingError
    from edge_fer.quiet import quiet_opencv, single_blas
    from edge_fer.settings import Plan
    from edge_fer.settings.keys import KEYS

    quiet_opencv()
    single_blas()
    flags = {one.field: given[key.replace("-", "_")] for key, one in KEYS.items()}
    flags["sinks"] = tuple(flags["sinks"] or ()) or None
    if given["roi"] is not None:
        flags["roi"] = read_roi(given["roi"])
    plan = Plan(flags, given["config"])
    try:
        config = plan.read()
        if given["check"]:
            from edge_fer.daemon.rehearsal import rehearse

            return rehearse(config)
        # Before anything heavy is imported: a second daemon is told so at once.
        with only_daemon(config):
            from edge_fer.daemon.main import run as watch

            return watch(config, plan.read if plan.path else None, asked)
    except SettingError as error:
        raise plan.located(error) from error
