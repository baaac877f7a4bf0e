"""Network cameras, against real servers: GStreamer's RTSP server, and MJPEG over HTTP."""

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from taking import HANG_GUARD_S, Open, drain, one

from edge_fer.cameras import open_camera
from edge_fer.cameras.stream import PASSWORD, Stream
from edge_fer.errors import CameraError, ConfigError

SYSTEM_PYTHON = "/usr/bin/python3"
BOUNDARY = "frame"


class Rtsp:
    def __init__(self, *credentials: str) -> None:
        script = Path(__file__).with_name("rtsp_server.py")
        command = [SYSTEM_PYTHON, str(script), *credentials]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def __enter__(self) -> "Rtsp":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module", autouse=True)
def rtsp_server_is_installed() -> None:
    script = "import gi; gi.require_version('GstRtspServer', '1.0')"
    if subprocess.run([SYSTEM_PYTHON, "-c", script], capture_output=True, check=False).returncode:
        pytest.skip(
            "needs a real RTSP server: apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 "
            "gstreamer1.0-rtsp gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly"
        )


def test_rtsp_gives_bgr_frames_that_move(opened: Open) -> None:
    with Rtsp() as server:
        camera = opened(f"stream:timeout=30,rtsp://127.0.0.1:{server.port}/live")
        images = [one(camera).image for _ in range(4)]
        camera.close()
    assert all(image.shape == (240, 320, 3) for image in images)
    assert not np.array_equal(images[0], images[-1])


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGUSR1], ids=["died", "dropped us"])
def test_c15_an_rtsp_stream_that_ends_is_told_as_lost(opened: Open, end: signal.Signals) -> None:
    with Rtsp() as server:
        camera = opened(f"stream:timeout=30,rtsp://127.0.0.1:{server.port}/live")
        one(camera)
        server.process.send_signal(end)
        with pytest.raises(CameraError, match="has ended or fallen silent"):
            drain(camera)
        camera.close()


def test_credentials_open_the_door_and_are_shown_nowhere(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Rtsp("owner", "s3cr3t-canary") as server:
        address = f"owner:s3cr3t-canary@127.0.0.1:{server.port}/live"
        camera = opened(f"stream:timeout=30,rtsp://{address}")
        one(camera)
        command = Path(f"/proc/{camera.pid}/cmdline").read_bytes()
        camera.close()
        assert b"canary" not in command

        monkeypatch.setenv(PASSWORD, "s3cr3t-canary")
        camera = opened(f"stream:timeout=30,rtsp://owner@127.0.0.1:{server.port}/live")
        one(camera)
        camera.close()

        wrong = opened(f"stream:timeout=30,rtsp://owner:wrong-canary@127.0.0.1:{server.port}/live")
        with pytest.raises(CameraError, match="check path, user and password") as caught:
            one(wrong)
        wrong.close()
    assert "canary" not in str(caught.value)
    assert "owner" not in str(caught.value)


class Mjpeg(BaseHTTPRequestHandler):
    """Pictures one after another, as cheap network cameras send them."""

    frames = 10_000
    pause_s = 0.05
    silent_after = 10_000

    def do_GET(self) -> None:
        self.send_response(200)
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        self.send_header("Content-Type", kind)
        self.end_headers()
        for number in range(self.frames):
            picture = np.full((120, 160, 3), number % 200, np.uint8)
            data = cv2.imencode(".jpg", picture)[1].tobytes()
            head = (
                f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            )
            try:
                self.wfile.write(head.encode() + data + b"\r\n")
            except OSError:
                return
            time.sleep(self.pause_s if number < self.silent_after else HANG_GUARD_S)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mjpeg(request: pytest.FixtureRequest) -> Iterator[int]:
    handler = type("Handler", (Mjpeg,), getattr(request, "param", {}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_mjpeg_over_http_gives_frames(opened: Open, mjpeg: int) -> None:
    camera = opened(f"stream:http://127.0.0.1:{mjpeg}/video.mjpg")
    values = [int(one(camera).image.mean()) for _ in range(5)]
    camera.close()
    assert values == sorted(set(values))


@pytest.mark.parametrize("mjpeg", [{"frames": 60}], indirect=True)
def test_c15_mjpeg_that_ends_is_told_as_lost(opened: Open, mjpeg: int) -> None:
    camera = opened(f"stream:http://127.0.0.1:{mjpeg}/video.mjpg")
    with pytest.raises(CameraError, match="has ended or fallen silent"):
        drain(camera)
    camera.close()


@pytest.mark.parametrize("mjpeg", [{"silent_after": 60}], indirect=True)
def test_c4_a_server_that_falls_silent_is_told_as_lost(opened: Open, mjpeg: int) -> None:
    camera = opened(f"stream:timeout=1,http://127.0.0.1:{mjpeg}/video.mjpg")
    with pytest.raises(CameraError, match="has ended or fallen silent"):
        drain(camera)
    camera.close()


def test_a_host_that_refuses_is_told_with_the_reason(opened: Open) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        camera = opened(f"stream:rtsp://u:canary@127.0.0.1:{taken.getsockname()[1]}/x")
        with pytest.raises(CameraError, match=r"cannot be reached: .*refused") as caught:
            one(camera)
        camera.close()
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "argument",
    ["", "host/path", "ftp://host", "rtsp://", "rtsp://host:notaport/", "timeout=0,rtsp://h/",
     "transport=smoke,rtsp://h/", "speed=1,rtsp://h/"],
)  # fmt: skip
def test_a_wrong_address_is_refused_at_the_door(argument: str) -> None:
    with pytest.raises(ConfigError, match="stream:"):
        open_camera(f"stream:{argument}")


def test_a_refusal_at_the_door_shows_no_password() -> None:
    with pytest.raises(ConfigError) as caught:
        open_camera("stream:rtsp://u:canary@host:1x/path")
    assert "canary" not in str(caught.value)


def test_a_password_of_the_environment_needs_a_user_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PASSWORD, "p@ss/word")
    assert Stream("rtsp://me@h/a")._url == "rtsp://me:p%40ss%2Fword@h/a"
    assert Stream("rtsp://me:own@h/a")._url == "rtsp://me:own@h/a"
    assert Stream("rtsp://h/a")._url == "rtsp://h/a"
