"""The other half of the `ncs` engine: a program for Python 3.8 or 3.9 with openvino 2021.4 alone.

    python -I myriad_worker.py JSON      started by `edge_fer.engines.myriad_process`, by path

It imports nothing of edge-fer: its environment holds numpy and that one runtime. It is given three
file descriptors: `channel` (a socket: one packet a question, one an answer), `model` (the graph and
then its weights) and `memory` (the faces, behind them the scores). It lives as long as its stdin
has a writer: the kernel kills it when the last one is gone, whatever a driver is doing then.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import re
import select
import signal
import socket
import struct
import sys
import tempfile
from typing import Any
from xml.etree import ElementTree

REQUESTS = 2
"""In flight at once: one face travels to the stick while another is computed."""
CPU = {"CPU_BIND_THREAD": "NO", "ENFORCE_BF16": "NO"}
"""Without the last the plugin takes bfloat16 where the processor has it: not what was proven."""


class Failure(Exception):
    """What to tell the other side: whose fault it is, and why."""

    def __init__(self, fault: str, reason: object) -> None:
        super().__init__(fault, " ".join(str(reason).split()))


def main() -> None:
    """Answer until the other side is gone."""
    asked = json.loads(sys.argv[1])
    die_with_parent()
    channel = socket.socket(fileno=asked["channel"])
    try:
        session = Session(asked)
    except Failure as failure:
        fault, reason = failure.args
        channel.send(json.dumps({"fault": fault, "reason": reason[-2000:]}).encode())
        return
    channel.send(json.dumps(session.facts).encode())
    while True:
        question = channel.recv(64)
        if not question:
            return
        try:
            session.infer(struct.unpack("<I", question)[0])
            answer: dict[str, str] = {}
        except RuntimeError as error:
            answer = {"fault": "device", "reason": " ".join(str(error).split())[-2000:]}
        channel.send(json.dumps(answer).encode())


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL at the end of stdin; other signals are the parent's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:  # gone before the kernel was asked
        os._exit(1)


class Session:
    """One model on one device."""

    def __init__(self, asked: dict[str, Any]) -> None:
        try:
            import numpy as np
            from openvino.inference_engine import IECore, get_version
        except Exception as error:
            raise Failure("runtime", error) from error
        self.core, self.device = IECore(), str(asked["device"])
        with open(asked["model"], "rb") as file:
            graph, weights = file.read(asked["graph_bytes"]), file.read()
        net = self._read(graph, weights)
        self.facts: dict[str, Any] = {
            "inputs": [list(info.input_data.shape) for info in net.input_info.values()],
            "outputs": [list(data.shape) for data in net.outputs.values()],
        }
        self.entry, self.exit = next(iter(net.input_info)), next(iter(net.outputs))
        net.input_info[self.entry].precision = "U8"
        if self.device == "MYRIAD":
            self._place(net, graph)
        if not asked["load"]:
            return
        self.model = self._load(net, int(asked["threads"]))
        self.facts["precision"] = self._precision()
        self.facts["runtime"] = "openvino " + re.split("-", get_version())[0]
        size, room = int(asked["size"]), int(asked["room"])
        shared = mmap.mmap(asked["memory"], 0)
        self.faces = np.frombuffer(shared, np.uint8, room * size * size * 3)
        self.faces = self.faces.reshape(room, 1, size, size, 3)
        self.scores = np.frombuffer(shared, np.float32, offset=self.faces.nbytes)
        self.scores = self.scores.reshape(room, -1)

    def infer(self, count: int) -> None:
        """The first `count` faces of the shared memory to its first `count` rows of scores."""
        requests = self.model.requests
        for number in range(count + REQUESTS):
            request = requests[number % REQUESTS]
            done = number - REQUESTS
            if done >= 0:
                if request.wait(-1) != 0:
                    raise RuntimeError(f"face {done}: the device gave no answer")
                self.scores[done] = request.output_blobs[self.exit].buffer.reshape(-1)
            if number < count:
                request.async_infer({self.entry: self.faces[number]})

    def _read(self, graph: bytes, weights: bytes) -> Any:
        try:
            net = self.core.read_network(graph, weights, init_from_buffer=True)
        except Exception as error:
            raise Failure("model", error) from error
        if len(net.input_info) != 1 or len(net.outputs) != 1:
            raise Failure("model", "it has not one input and one output")
        return net

    def _place(self, net: Any, graph: bytes) -> None:
        """Refuse a graph of which the stick can run only a part; needs no stick."""
        try:
            placed = self.core.query_network(net, self.device)
        except Exception as error:
            raise Failure("plugin", error) from error
        layers = [str(layer.get("name")) for layer in ElementTree.fromstring(graph).iter("layer")]
        homeless = [name for name in layers if name not in placed]
        self.facts["layers"] = len(layers)
        if homeless:
            raise Failure("model", f"MYRIAD cannot run {', '.join(homeless[:5])}")

    def _load(self, net: Any, threads: int) -> Any:
        settings = {**CPU, "CPU_THREADS_NUM": str(threads)} if self.device == "CPU" else {}
        try:
            return self.core.load_network(net, self.device, settings, num_requests=REQUESTS)
        except Exception as error:
            raise Failure("device", error) from error

    def _precision(self) -> str:
        """What the convolutions run in: the stick knows half precision alone."""
        if self.device == "MYRIAD":
            return "FP16"
        with tempfile.TemporaryDirectory() as folder:
            # Read from a file: this release crashes when it frees such a graph's own attributes.
            file = os.path.join(folder, "executed.xml")
            self.model.get_exec_graph_info().serialize(file)
            nodes = list(ElementTree.parse(file).iter("layer"))
        kinds = {
            str(data.get("runtimePrecision"))
            for node in nodes
            for data in node.iter("data")
            if "Convolution" in str(node.get("type"))
        }
        return "/".join(sorted(kinds))


if __name__ == "__main__":
    main()
