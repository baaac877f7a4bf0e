"""A stand-in for picamera2 0.3 with the calls that we make, their names, arguments and answers.

The camera: EDGE_FER_FAKE_PICAMERA = `count`, `silent`, `busy`, `repeats`; the picture is blue.
"""

import os
import time
from concurrent.futures import TimeoutError as TimedOut

import numpy as np

HOW = os.environ.get("EDGE_FER_FAKE_PICAMERA", "")


class CompletedRequest:
    def __init__(self, camera, number):
        self.config, self._camera = camera.camera_config, camera
        asleep = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
        now = time.monotonic() + asleep
        self._stamp = 1_000_000_000 if HOW == "repeats" else int(1e9 * now)
        self.picture = np.zeros(self.config["main"]["framesize"], np.uint8)
        rows = self.picture.reshape(-1, self.config["main"]["stride"])
        rows[:, 0 : 3 * self.config["main"]["size"][0] : 3] = 200 + number % 50

    def get_metadata(self):
        return {"SensorTimestamp": self._stamp, "ExposureTime": 1000}

    def release(self):
        self._camera.lent -= 1
        assert self._camera.lent >= 0


class MappedArray:
    def __init__(self, request, stream, reshape=True, write=True):
        assert stream == "main"
        self._request, self._reshape = request, reshape

    def __enter__(self):
        assert not self._reshape
        self.array = self._request.picture
        return self

    def __exit__(self, *_):
        del self.array


class Picamera2:
    @staticmethod
    def global_camera_info():
        count = 0 if HOW == "count" else 1
        return [{"Model": "imx708", "Location": 2, "Rotation": 180, "Id": "/base/i2c", "Num": 0}][:count]

    def __init__(self, camera_num=0, verbose_console=None, tuning=None, allocator=None):
        if HOW == "busy":
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.camera_config, self.started, self.lent, self._number = None, False, 0, 0

    def create_video_configuration(
        self, main={}, lores=None, raw={}, transform=None, colour_space=None, buffer_count=6,
        controls={}, display="main", encode="main", queue=True, sensor={}, use_case="video",
    ):  # fmt: skip
        assert main["format"] == "RGB888"
        return {"main": dict(main), "controls": controls, "queue": queue}

    def configure(self, camera_config=None):
        width, height = camera_config["main"]["size"]
        stride = (3 * width + 63) // 64 * 64
        camera_config["main"] |= {"stride": stride, "framesize": stride * height}
        self.camera_config = camera_config

    def stream_configuration(self, name="main"):
        return self.camera_config[name]

    def start(self, config=None, show_preview=False):
        assert self.camera_config is not None
        self.started = True

    def capture_request(self, wait=None, signal_function=None, flush=None):
        assert isinstance(wait, (int, float))
        assert not isinstance(wait, bool)
        assert self.lent == 0, "the last request was not released"
        if HOW == "silent" and self._number:
            time.sleep(0.05)
            raise TimedOut
        time.sleep(1 / self.camera_config["controls"]["FrameRate"])
        self.lent += 1
        self._number += 1
        return CompletedRequest(self, self._number)

    def close(self):
        self.started = False
