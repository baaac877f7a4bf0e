"""What each kind of machine can truly run: a table of formats and precisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_fer.bundle import FORMATS
from edge_fer.errors import ConfigError

Part = tuple[str, str]
"""A format and a precision."""


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of machine."""

    format: str
    precisions: tuple[str, ...]
    """Made where none is named; the fastest last."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Precision to the reason why it cannot run there."""


TARGETS: Mapping[str, Target] = {
    "pi": Target("tflite", ("int8",)),
    "x86": Target("openvino", ("int8",)),
    "jetson": Target("onnx", ("fp16", "int8")),
    "ncs": Target(
        "ncs",
        ("fp16",),
        {
            "int8": "MYRIAD cannot run FakeQuantize; make FP16 (--fp16, or no precision at all)",
            "fp32": "MYRIAD computes in FP16 alone; make FP16 (--fp16, or no precision at all)",
        },
    ),
}
ALL = "all"
PLAIN = ("tflite", "openvino")
"""Formats that are made where neither a format nor a target is named."""


def parts(target: str | None, formats: tuple[str, ...], precisions: tuple[str, ...]) -> list[Part]:
    """What to make; raises ConfigError for what cannot be.

    A target chooses format and precision, and a named precision takes the place of its own.
    """
    if target is None:
        return _plain(formats or PLAIN, precisions)
    if formats:
        raise ConfigError(f"--target {target} chooses the format: leave out --format")
    if target == ALL:
        return _all(precisions)
    if target not in TARGETS:
        raise ConfigError(f"unknown target {target!r}: choose from {', '.join((*TARGETS, ALL))}")
    return _of(target, precisions)


def _plain(formats: tuple[str, ...], precisions: tuple[str, ...]) -> list[Part]:
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise ConfigError(f"unknown format {unknown[0]!r}: choose from {', '.join(FORMATS)}")
    if not precisions:
        raise ConfigError("choose a precision (--int8, --fp16 or --fp32), or a --target")
    for target in TARGETS.values():
        for precision in precisions:
            if target.format in formats and precision in target.refused:
                said = target.refused[precision]
                raise ConfigError(f"--format {target.format} --{precision}: {said}")
    return [(name, precision) for name in dict.fromkeys(formats) for precision in precisions]


def _of(name: str, precisions: tuple[str, ...]) -> list[Part]:
    target = TARGETS[name]
    for precision in precisions:
        if precision in target.refused:
            raise ConfigError(f"--target {name} --{precision}: {target.refused[precision]}")
    return [(target.format, precision) for precision in precisions or target.precisions]


def _all(precisions: tuple[str, ...]) -> list[Part]:
    """Every target's own choice, each bundle once; a named precision where it can run."""
    found = [
        (target.format, precision)
        for target in TARGETS.values()
        for precision in precisions or target.precisions
        if precision not in target.refused
    ]
    return list(dict.fromkeys(found))
