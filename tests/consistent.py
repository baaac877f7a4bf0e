"""Whether a board is one release in all its parts. The standard library alone: it runs there, too.

`python3 consistent.py PID` prints the generation that is linked, the one that runs, its version,
and what is left unfinished, as JSON.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path


def linked(root: Path) -> str | None:
    """The generation that `current` names, every part of it there; None for no deploy at all.

    Fails where it is a mix: a link that leads nowhere, a release that is not complete, a bundle
    that its manifest does not fit, a unit that names another generation's parts.
    """
    home = root / "opt" / "edge-fer"
    current = home / "current"
    if not current.is_symlink():
        return None
    generation = current.resolve()
    record = json.loads((generation / "generation.json").read_text())
    assert (home / "releases" / record["release"] / ".ready").is_file()
    assert (generation / "bin" / "edge-fer").is_file()
    bundle = home / "bundles" / record["bundle"]
    manifest = json.loads((bundle / "manifest.json").read_text())
    for name, expected in manifest["files"].items():
        assert hashlib.sha256((bundle / name).read_bytes()).hexdigest() == expected
    start = (generation / "edge-fer.service").read_text().partition("ExecStart=")[2].split("\n")[0]
    parts = (f"releases/{record['release']}/", f"generations/{generation.name}/")
    assert all(part in start for part in (*parts, f"bundles/{record['bundle']}"))
    for place in ("etc/systemd/system/edge-fer.service", "etc/edge-fer/edge-fer.toml"):
        assert (root / place).resolve().parent == generation
    return generation.name


def running(pid: int) -> str | None:
    """The generation whose parts, all of them, the process was started with; None without one."""
    if not pid:
        return None
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    (config,) = (word for word in words if word.endswith("edge-fer.toml"))
    generation = Path(config).parent
    record = json.loads((generation / "generation.json").read_text())
    assert any(f"/releases/{record['release']}/" in word for word in words)
    assert any(word.endswith(f"/bundles/{record['bundle']}") for word in words)
    return generation.name


def main(pid: str) -> None:
    home = Path("/opt/edge-fer")
    now = running(int(pid))
    record = home / "generations" / str(now) / "generation.json"
    told = {
        "linked": linked(Path("/")),
        "running": now,
        "version": json.loads(record.read_text())["version"] if now else None,
        "unfinished": (home / "deploy" / "journal.json").exists(),
        "parts": [str(one) for one in home.rglob("*.part")],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
