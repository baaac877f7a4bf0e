"""Releases and bundles of a few bytes: what a deploy moves, without what makes it slow.

The program in a tiny wheel says what the daemon would say. The real one is in `make test-systemd`.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import sys
import zipfile
from pathlib import Path

import pytest

from edge_fer.bundle import Manifest, create_bundle

PROGRAM = '''
"""Says what a daemon would say; BEHAVIOUR is what is odd in it. `forget` is the real one."""
import http.server, json, os, re, sys, threading, time

BEHAVIOUR = "{behaviour}"


def say(text):
    with open(os.environ["STANDIN_STATUS"] + ".part", "w") as file:
        file.write(text)
    os.replace(file.name, os.environ["STANDIN_STATUS"])


def really():
    """What was asked is done by the program itself."""
    os.execv("{python}", ["{python}", "-m", "edge_fer.cli", *sys.argv[1:]])


def serve(port, state):
    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({{"camera_state": state, "degraded": []}}).encode())

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer.allow_reuse_address = True
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    if sys.argv[1] == "forget":
        if BEHAVIOUR == "old":
            print("Usage: edge-fer ...\\n| No such command 'forget'. |\\n+----+", file=sys.stderr)
            return 2
        really()
    if "--selftest" in sys.argv:
        if BEHAVIOUR == "proven":
            really()
        if BEHAVIOUR == "unproven":
            sys.exit("edge-fer: selftest of tiny on CPU: 3 of 32 faces answer as where it was made")
        print("edge-fer: selftest of tiny on CPU: 32 of 32 faces", file=sys.stderr)
        return 0
    if BEHAVIOUR == "refuses":
        return 78
    if BEHAVIOUR == "dies":
        return 70
    if BEHAVIOUR == "silent":
        time.sleep(600)
    state = "lost" if BEHAVIOUR == "blind" else "ok"
    config = open(sys.argv[sys.argv.index("--config") + 1]).read()
    if found := re.search(r"\\[http]\\nport = (\\d+)", config):
        serve(int(found[1]), "dark" if BEHAVIOUR == "liar" else state)
    say("camera lost" if state == "lost" else "camera ok, frames analysed")
    time.sleep(600)
    return 0
'''


def tiny_wheel(
    folder: Path,
    version: str,
    behaviour: str = "",
    name: str = "edge_fer",
    more: bytes = b"",
    needs: str = "",
) -> Path:
    """edge-fer's wheel, as far as a deploy can tell; `more` makes it heavy."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}_standin.py": PROGRAM.format(behaviour=behaviour, python=sys.executable).encode(),
        f"{name}_more.bin": more,
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}".encode()
        ),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
    }
    if name == "edge_fer":
        files[f"{info}/entry_points.txt"] = b"[console_scripts]\nedge-fer = edge_fer_standin:main\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    record = "".join(f"{one},sha256={_digest(data)},{len(data)}\n" for one, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(path, "w") as archive:
        for one, data in files.items():
            archive.writestr(zipfile.ZipInfo(one), data)
    return path


PIP = """
import os, sys, sysconfig, zipfile

for path in sys.argv[1:]:
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as wheel:
            wheel.extractall(sysconfig.get_path("purelib"))
script = os.path.join(sysconfig.get_path("scripts"), "edge-fer")
with open(script, "w") as file:
    file.write(f"#!{sys.executable}\\nimport sys, edge_fer_standin\\n")
    file.write("sys.exit(edge_fer_standin.main())\\n")
os.chmod(script, 0o755)
"""


def tiny_pip(folder: Path) -> Path:
    """Stands for pip, whose start out of its wheel takes seconds: it installs tiny wheels alone."""
    path = folder / "pip-99.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("pip/__main__.py"), PIP)
        metadata = "Metadata-Version: 2.1\nName: pip\nVersion: 99.0\n"
        archive.writestr(zipfile.ZipInfo("pip-99.0.dist-info/METADATA"), metadata)
        wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(zipfile.ZipInfo("pip-99.0.dist-info/WHEEL"), wheel)
    return path


def pip_wheel() -> Path:
    """The pip that comes with this Python; skips aloud where a distribution took it out."""
    spec = importlib.util.find_spec("ensurepip")
    places = [Path("/usr/share/python-wheels")]
    if spec is not None and spec.origin is not None:
        places.insert(0, Path(spec.origin).parent / "_bundled")
    for place in places:
        for found in sorted(place.glob("pip-*.whl")):
            return found
    pytest.skip("no pip wheel comes with this Python: deploys are not tested")


def tiny_bundle(folder: Path, name: str = "tiny", format: str = "tflite") -> Path:
    """A bundle that carries faces to test itself, of a few bytes."""
    manifest = Manifest(
        name=name, format=format, precision="int8", input_size=72, parent="0" * 64, files={}
    )
    files = {"model.tflite": name.encode(), "selftest.png": b"png", "selftest.json": b"{}"}
    create_bundle(folder, manifest, files)
    return folder


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
