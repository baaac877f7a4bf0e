"""What of a camera's spec may stand in a log, an event or an error."""

import pytest

from edge_fer.cameras import open_camera, shown, without_credentials
from edge_fer.errors import CameraError, ConfigError

PIPELINE = (
    "gstreamer:rtspsrc location=rtsp://me:s3cret@h/x user-id=me user-pw={} ! decodebin ! appsink"
)
SPECS = (
    ("stream:rtsp://admin:P@s3cret@10.0.0.5/live", "stream:rtsp://***@10.0.0.5/live"),
    ("stream:rtsp://admin:a/s3cret@10.0.0.5/live", "stream:rtsp://***@10.0.0.5/live"),
    ("stream:rtsp://admin:1?s3cret#4@10.0.0.5/live", "stream:rtsp://***@10.0.0.5/live"),
    ("stream:rtsp://admin:my s3cret@10.0.0.5/live", "stream:rtsp://***@10.0.0.5/live"),
    ("stream:http://cam/video.cgi?user=me&pwd=s3cret", "stream:http://cam/video.cgi?***"),
    ("stream:rtsp://h/user=me&password=s3cret&channel=1", "stream:rtsp://h/user=***"),
    ("stream:transport=udp,rtsp://u:s3cret@h/a", "stream:transport=udp,rtsp://***@h/a"),
    (PIPELINE.format("s3cret"), "gstreamer:rtspsrc ! decodebin ! appsink"),
    (PIPELINE.format('"a ! s3cret"'), "gstreamer:rtspsrc ! decodebin ! appsink"),
    (PIPELINE.format("a!s3cret"), "gstreamer:rtspsrc ! decodebin ! appsink"),
    ('gstreamer:rtspsrc user-pw="s3cret', "gstreamer:***"),
)


@pytest.mark.parametrize(("spec", "told"), SPECS)
def test_no_password_is_shown(spec: str, told: str) -> None:
    assert "s3cret" in spec
    assert shown(spec) == told


@pytest.mark.parametrize(
    "spec",
    [
        "0",
        "/dev/video0",
        "v4l2:0,size=640x480",
        "stream:rtsp://10.0.0.5:554/live",
        "gstreamer:csi,sensor=0,size=1280x720,fps=30",
        "gstreamer:v4l2src ! videoconvert ! appsink",
        "video:clips/a@b?.mp4",
    ],
)
def test_what_holds_none_is_shown_as_it_is(spec: str) -> None:
    assert shown(spec) == spec


def test_an_error_that_quotes_an_address_is_cut_too() -> None:
    said = "stream rtsp://admin:P@s3cret@h:554/a?pwd=s3cret cannot be reached: timed out"
    assert without_credentials(said) == "stream rtsp://***@h:554/a?*** cannot be reached: timed out"


@pytest.mark.parametrize("address", ["rtsp://me:s3cret/x@h/a", "rtsp://[me:s3cret@h/a"])
def test_an_address_that_cannot_be_read_is_not_quoted(address: str) -> None:
    with pytest.raises((ConfigError, CameraError)) as caught:
        open_camera(f"stream:{address}")
    assert "s3cret" not in str(caught.value)
    assert "%40" in str(caught.value)
