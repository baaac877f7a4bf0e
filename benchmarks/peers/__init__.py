"""Other packages on the same faces, each in an environment of its own; never a dependency."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """A package that names expressions too."""

    name: str
    requires: tuple[str, ...]
    """What pip is asked for, in a fresh environment."""
    files: tuple[str, ...] = ()
    """Model files that it does not bring: a user puts them into the folder of `--files`."""
    told: str = ""
    """What a reader must know of it."""
    watches: bool = True
    """It brings a face detector of its own."""


PEERS = (
    Peer(
        "fer",
        # It imports pkg_resources, which later setuptools lack.
        ("fer==25.10.3", "setuptools<81"),
        told="mini-Xception in quantized TFLite, as the package runs it by default",
    ),
    Peer("fer-keras", ("fer==25.10.3", "setuptools<81"), told="the package's use_tflite=False"),
    Peer(
        "facex",
        # Its detector is a Haar cascade, which OpenCV 5 has no more.
        ("facex==1.1.0", "opencv-contrib-python<5"),
        told="the package's own grey 200x200 way",
    ),
    Peer(
        "deepface",
        # It imports werkzeug, which it asks for only with its web server.
        (
            "deepface==0.0.103",
            "tensorflow",
            "tf-keras",
            "opencv-contrib-python-headless<5",
            "werkzeug",
        ),
        ("facial_expression_model_weights.h5",),
        "with detector_backend='skip': the face is given",
    ),
    Peer(
        "hsemotion-onnx",
        ("hsemotion-onnx==0.3.1", "opencv-python<5"),
        ("enet_b0_8_best_vgaf.onnx",),
        "EmotiEffLib's ONNX form; contempt is left out of its eight answers",
        watches=False,
    ),
    Peer(
        "emotions-recognition-retail-0003",
        ("openvino>=2024", "opencv-python-headless<5"),
        ("emotions-recognition-retail-0003.xml", "emotions-recognition-retail-0003.bin"),
        "OpenVINO's Open Model Zoo; it knows neither fear nor disgust",
        watches=False,
    ),
)
