"""What Keras computes on, in the words of its backend."""

from __future__ import annotations

from typing import Any

import keras

from edge_fer.training.machine import gpu_name


def describe() -> dict[str, Any]:
    """`kind` (`gpu` or `cpu`), `name`, `memory_bytes` and `peak_bytes`; None where it is not told.

    `peak_bytes` is the largest amount that this process has taken on the GPU so far.
    """
    if gpu_name() is None:
        return {"kind": "cpu", "name": "CPU", "memory_bytes": None, "peak_bytes": None}
    told = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]()
    return {"kind": "gpu", **told, "name": f"GPU {told['name']}"}


def mixed() -> str | None:
    """The precision that this device multiplies in faster than in float32; None where it has none.

    bfloat16 on GPUs from Ampere on (compute capability 8) and on CPUs that have instructions for
    it, else float16 on a GPU. On a CPU without them mixed precision is slower and says nothing.
    """
    from edge_fer.training.machine import chosen_precision

    if gpu_name() is None:
        return {"mixed_bfloat16": "bf16"}.get(chosen_precision("auto"))
    return "bf16" if _capability() >= 8 else "fp16"


def _capability() -> float:
    """Of an NVIDIA GPU; 8 for another one, as they all have bfloat16."""
    if keras.backend.backend() == "torch":
        import torch

        return float(torch.cuda.get_device_capability(0)[0])
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        gpu = tf.config.list_physical_devices("GPU")[0]
        told = tf.config.experimental.get_device_details(gpu).get("compute_capability")
        return float(told[0]) if told else 8.0
    import jax

    return float(getattr(jax.devices()[0], "compute_capability", 8.0))


def _tensorflow() -> dict[str, Any]:
    import tensorflow as tf

    gpu = tf.config.list_physical_devices("GPU")[0]
    details = tf.config.experimental.get_device_details(gpu)
    memory = tf.config.experimental.get_memory_info("GPU:0")
    name = details.get("device_name", gpu.name)
    return {"name": name, "memory_bytes": None, "peak_bytes": memory["peak"]}


def _jax() -> dict[str, Any]:
    import jax

    device = jax.devices()[0]
    memory = device.memory_stats() or {}
    return {
        "name": device.device_kind,
        "memory_bytes": memory.get("bytes_limit"),
        "peak_bytes": memory.get("peak_bytes_in_use"),
    }


def _torch() -> dict[str, Any]:
    import torch

    facts = torch.cuda.get_device_properties(0)
    return {
        "name": facts.name,
        "memory_bytes": facts.total_memory,
        "peak_bytes": torch.cuda.max_memory_allocated(0),
    }
