"""Models that no daemon should meet: engines that die, and a small file that wants much memory."""

from __future__ import annotations

import ctypes
import os
import time
from typing import ClassVar

from fakes import FakeEngine

from edge_fer.bundle import Bundle
from edge_fer.errors import BundleError
from edge_fer.types import FaceBatch, ScoreBatch


class Aborting(FakeEngine):
    """Ends its process as a C++ `terminate` does."""

    def __init__(self, bundle: Bundle, threads: int, device: str = "CPU") -> None:
        os.abort()


class Crashing(FakeEngine):
    """Reads where nothing is."""

    def __init__(self, bundle: Bundle, threads: int, device: str = "CPU") -> None:
        ctypes.string_at(0)


class Hanging(FakeEngine):
    """Never comes back from loading."""

    def __init__(self, bundle: Bundle, threads: int, device: str = "CPU") -> None:
        time.sleep(3600)


class Raising(FakeEngine):
    """Says no, as an engine should."""

    def __init__(self, bundle: Bundle, threads: int, device: str = "CPU") -> None:
        raise BundleError(f"{bundle.path}: fake: refused")


class Lost(FakeEngine):
    """Works once and never again, unless its bundle is the spare one."""

    def __init__(self, bundle: Bundle, threads: int, device: str = "CPU") -> None:
        super().__init__(bundle, threads)
        self._spare = bundle.manifest.name == "spare"

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """Fail from the second time on."""
        if self.batches and not self._spare:
            raise RuntimeError("NC_ERROR")
        return super().infer(faces)


class Tired(FakeEngine):
    """The second one that is opened works."""

    opened: ClassVar[int] = 0

    def __init__(self, bundle: Bundle, threads: int, device: str = "CPU") -> None:
        super().__init__(bundle, threads)
        Tired.opened += 1

    def infer(self, faces: FaceBatch) -> ScoreBatch:
        """Fail from the second time on, as long as it is the first engine."""
        if self.batches and Tired.opened < 2:
            raise RuntimeError("X_LINK_ERROR")
        return super().infer(faces)


def bomb(input_size: int, rows: int) -> bytes:
    """A TFLite file of a few hundred bytes whose one operator wants `rows` x 16 bytes.

    RESHAPE of the input to seven numbers would be honest; here BROADCAST_TO makes it large first.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    def tensor(shape: list[int], kind: int, buffer: int) -> schema.TensorT:
        made = schema.TensorT()
        made.shape, made.type, made.buffer, made.name = shape, kind, buffer, b"t"
        return made

    def operator(code: int, inputs: list[int], outputs: list[int]) -> schema.OperatorT:
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = code, inputs, outputs
        return made

    def codes(builtin: int) -> schema.OperatorCodeT:
        made = schema.OperatorCodeT()
        made.builtinCode = made.deprecatedBuiltinCode = builtin
        return made

    model = schema.ModelT()
    model.version, model.description = 3, b"bomb"
    empty = schema.BufferT()
    number = schema.BufferT()
    number.data = list(rows.to_bytes(4, "little") + (4).to_bytes(4, "little"))
    model.buffers = [empty, number]
    kinds = schema.TensorType
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor([1, input_size, input_size, 3], kinds.FLOAT32, 0),
        tensor([2], kinds.INT32, 1),
        tensor([rows, 4], kinds.FLOAT32, 0),
        tensor([1, 1], kinds.FLOAT32, 0),
        tensor([1, 7], kinds.FLOAT32, 0),
    ]
    graph.inputs, graph.outputs = [0], [4]
    builtin = schema.BuiltinOperator
    model.operatorCodes = [codes(builtin.FILL), codes(builtin.RELU)]
    graph.operators = [operator(0, [1, 3], [2]), operator(1, [2], [4])]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
