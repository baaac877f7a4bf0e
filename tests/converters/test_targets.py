"""What is made for which machine."""

import pytest

from converters.order import Order
from converters.targets import parts
from edge_fer.errors import ConfigError

FP = ("fp16", "fp32")


@pytest.mark.parametrize(
    ("target", "precisions", "made"),
    [
        ("pi", (), [("tflite", "int8")]),
        ("x86", (), [("openvino", "int8")]),
        ("jetson", (), [("onnx", "fp16"), ("onnx", "int8")]),
        ("jetson", ("int8",), [("onnx", "int8")]),
        ("ncs", (), [("ncs", "fp16")]),
        ("all", ("int8",), [("tflite", "int8"), ("openvino", "int8"), ("onnx", "int8")]),
        (None, ("int8",), [("tflite", "int8"), ("openvino", "int8")]),
    ],
)
def test_a_target_is_made_of(
    target: str | None, precisions: tuple[str, ...], made: list[tuple[str, str]]
) -> None:
    assert parts(target, (), precisions) == made


def test_all_makes_every_targets_own_and_nothing_twice() -> None:
    made = parts("all", (), ())
    assert len(set(made)) == len(made) == 5
    assert ("ncs", "fp16") in made


@pytest.mark.parametrize("format_", ["tflite", "openvino", "onnx"])
def test_every_format_can_be_had_in_float(format_: str) -> None:
    assert parts(None, (format_,), FP) == [(format_, precision) for precision in FP]


def test_int8_for_the_stick_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigError, match="MYRIAD cannot run FakeQuantize"):
        parts("ncs", (), ("int8",))
    with pytest.raises(ConfigError, match="--format ncs --int8: MYRIAD cannot run FakeQuantize"):
        parts(None, ("tflite", "ncs"), ("int8",))


def test_a_target_that_is_not_known_names_those_that_are() -> None:
    with pytest.raises(ConfigError, match="choose from pi, x86, jetson, ncs, all"):
        Order(target="toaster")


def test_only_int8_needs_calibration() -> None:
    assert Order(target="jetson", precisions=()).quantizes
    assert not Order(target="ncs", precisions=()).quantizes
