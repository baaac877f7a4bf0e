"""Opens a Keras file in a process of its own, with nothing to gain: no network, an empty home.

    python -m converters.keras_child FILE.keras OUT.npz

Writes the weights, in Keras' order, as plain arrays; the parent builds the network anew from the
configuration it has read itself. Prints what could not be shut off.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import tempfile
import zipfile
from pathlib import Path

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
"""Flags of unshare(2)."""
LIMITS = {
    resource.RLIMIT_CPU: 600,  # seconds
    resource.RLIMIT_AS: 24 * 2**30,  # TensorFlow reserves far more addresses than it uses
    resource.RLIMIT_FSIZE: 2**30,
    resource.RLIMIT_CORE: 0,
}


def main() -> None:
    """The command line above."""
    source, target = Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()
    shut_in()
    check_weights(source)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import numpy as np

    model = keras.saving.load_model(source, compile=False, safe_mode=True)
    arrays = {f"{i:05d}": np.asarray(value) for i, value in enumerate(model.get_weights())}
    np.savez(target, **arrays)  # type: ignore[arg-type]


def shut_in() -> None:
    """Limits first, then no network; says so where the kernel does not allow it."""
    for kind, most in LIMITS.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_NETWORK) and libc.unshare(NEW_USER | NEW_NETWORK):
        print(f"network: still there ({os.strerror(ctypes.get_errno())})")


def check_weights(source: Path) -> None:
    """Refuse an HDF5 file that leads to other files (external links and external storage)."""
    import h5py

    def visit(group: h5py.Group) -> None:
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise SystemExit(f"model.weights.h5: {name} is a link to elsewhere")
            member = group[name]
            if isinstance(member, h5py.Dataset) and (member.external or member.is_virtual):
                raise SystemExit(f"model.weights.h5: {name} lies in another file")
            if isinstance(member, h5py.Group):
                visit(member)

    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(source) as archive:
        unpacked = archive.extract("model.weights.h5", scratch)
        with h5py.File(unpacked, "r") as file:
            visit(file)


if __name__ == "__main__":
    main()
