"""The Haar detector's own errors."""

import cv2
import pytest

from edge_fer.detectors import haar
from edge_fer.errors import ConfigError


def test_an_opencv_without_cascades_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(ConfigError, match="opencv-python-headless<5"):
        haar.Haar()


def test_a_missing_cascade_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(haar, "FOLDERS", ())
    with pytest.raises(ConfigError, match=haar.CASCADE):
        haar.Haar()
