"""Stands for systemctl and systemd's care of one service, where no systemd runs.

It starts what the unit's ExecStart says, as it was at the last daemon-reload; starts it again when
it ends, but for status 78; and shows what the daemon last said. The real one is in
`make test-systemd`.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(os.environ["EDGE_FER_DEPLOY_ROOT"])
UNIT = ROOT / "etc/systemd/system/edge-fer.service"
WANTED = UNIT.parent / "multi-user.target.wants" / UNIT.name
HERE = ROOT / "run" / "standin"
LOADED, SERVICE, STATUS = HERE / "loaded", HERE / "service.json", HERE / "status"
SECRET, CREDENTIALS = ROOT / "etc/edge-fer/mqtt-password", HERE / "credentials"
"""As by the drop-in mqtt-password.conf: there while the daemon runs."""


def read() -> dict:
    try:
        return json.loads(SERVICE.read_text())
    except (OSError, ValueError):
        return {"active": "inactive", "pid": 0, "keeper": 0, "restarts": 0, "exit": 0}


def keep(**what: object) -> None:
    scratch = SERVICE.with_suffix(".part")
    scratch.write_text(json.dumps(what))
    scratch.replace(SERVICE)


def stop() -> None:
    now = read()
    for pid in (now["keeper"], now["pid"]):
        with suppress(ProcessLookupError):
            if pid:
                os.kill(pid, signal.SIGKILL)
    for pid in (now["keeper"], now["pid"]):
        while pid and running(pid):
            time.sleep(0.005)
    STATUS.unlink(missing_ok=True)
    shutil.rmtree(CREDENTIALS, ignore_errors=True)
    keep(**{**now, "active": "inactive", "pid": 0, "keeper": 0, "restarts": 0})


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def start() -> None:
    if LOADED.is_file():
        subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, "keep"], start_new_session=True, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while not read()["keeper"]:
            time.sleep(0.005)


def care() -> None:
    """The daemon's keeper: until it is killed, or the daemon refuses its configuration."""
    text = LOADED.read_text().splitlines()
    command = shlex.split(next(line for line in text if line.startswith("ExecStart="))[10:])
    restarts = status = 0
    around = {"STANDIN_STATUS": str(STATUS), "CREDENTIALS_DIRECTORY": str(CREDENTIALS)}
    if SECRET.is_file():
        CREDENTIALS.mkdir(exist_ok=True)
        (CREDENTIALS / SECRET.name).write_bytes(SECRET.read_bytes())
        (CREDENTIALS / SECRET.name).chmod(0o440)
    while True:
        STATUS.unlink(missing_ok=True)
        child = subprocess.Popen(command, env={**os.environ, **around})
        told = {"pid": child.pid, "keeper": os.getpid(), "restarts": restarts}
        keep(active="active", exit=status, **told)
        status = child.wait()
        keep(active="failed" if status == 78 else "activating", exit=status, **{**told, "pid": 0})
        if status == 78:
            return
        restarts += 1
        time.sleep(0.05)


def show() -> None:
    now = read()
    said = STATUS.read_text() if STATUS.is_file() else ""
    active = "activating" if now["active"] == "active" and not said else now["active"]
    print(f"ActiveState={active}\nSubState=running\nStatusText={said}")
    print(f"NRestarts={now['restarts']}\nMainPID={now['pid']}\nExecMainStatus={now['exit']}")


def main(verb: str) -> None:
    HERE.mkdir(parents=True, exist_ok=True)
    if verb == "--version":
        print("systemd 252 (a stand-in)")
    elif verb == "daemon-reload":
        if UNIT.is_file():
            LOADED.write_text(UNIT.read_text())
        else:
            LOADED.unlink(missing_ok=True)
    elif verb in ("stop", "restart"):
        stop()
        if verb == "restart":
            start()
    elif verb == "boot":
        stop()
        main("daemon-reload")
        if WANTED.is_file():
            start()
    elif verb == "keep":
        care()
    elif verb == "show":
        show()


if __name__ == "__main__":
    main(sys.argv[1])
