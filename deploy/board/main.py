"""One command on the board: read what is asked, do it, say what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from deploy.board import recovery, service
from deploy.board.detached import detached
from deploy.board.farewell import Farewell
from deploy.board.journal import Journal, take_lock
from deploy.board.places import CONFIG, Places, discard, record_of, write_config
from deploy.board.refusal import Refusal, of
from deploy.board.steps import Faults
from deploy.board.store import Store, free_bytes, recorded
from deploy.board.switch import Switch
from deploy.board.talk import Talk
from deploy.board.trial import health


class Command:
    """What every verb needs: the places, and the lock while it changes them."""

    def __init__(self, asked: dict[str, Any], talk: Talk) -> None:
        self.asked, self.talk = asked, talk
        self.places = Places()
        self.faults = Faults(asked.get("faults", ""))
        self.switch = Switch(self.places, talk, self.faults)
        self.journal = Journal(self.places)

    def locked(self) -> int:
        """Take the lock, and finish what an earlier command left."""
        self.faults.reach("lock")
        lock = take_lock(self.places, str(self.asked.get("who", "another command")))
        self.switch.finish()
        if (self.journal.read() or {}).get("state") == "removal":
            self.remove_all()
            os.close(lock)  # its file is gone
            return self.locked()
        return lock

    def deploy(self) -> dict[str, Any]:
        """Take what is missing, lay it beside what runs, prove it, switch."""
        plan = self.asked
        self.switch.refuse_foreign()
        lock = self.locked()
        if self._runs_already(plan):
            return {**self.status(), "unchanged": True}
        self.switch.sweep(plan)
        store = Store(self.places, self.talk, lock)
        wanted = store.lacks(plan)
        self.talk.tell(want=[file["name"] for file in wanted])
        self.faults.reach("receive")
        store.receive(wanted)
        # From here on it is done without the workstation, should that go away.
        return detached(lambda: self._apply(store, plan))

    def _apply(self, store: Store, plan: dict[str, Any]) -> dict[str, Any]:
        try:
            new = self._lay(store, plan)
        except Exception:
            self.switch.sweep()  # what was refused is not kept; only what was cut off is
            raise
        self.switch.to(new, float(plan["patience_s"]))
        self.switch.sweep()
        return self.status()

    def _lay(self, store: Store, plan: dict[str, Any]) -> Path:
        """All that is needed, beside what runs, and proven."""
        self.faults.reach("install")
        self.talk.say("installing")
        store.install(plan)
        self.faults.reach("bundle")
        store.lay_bundle(plan)
        self.faults.reach("generation")
        recovery.lay(self.places)
        new = store.lay_generation(plan, self._next_number())
        self.faults.reach("prove")
        self.talk.say(store.prove(new))
        return new

    def compare(self) -> dict[str, Any]:
        """What a deploy would send; changes nothing."""
        self.switch.refuse_foreign()
        wanted = [] if self._runs_already(self.asked) else self._lacks()
        return {**self.status(), "want": [file["name"] for file in wanted]}

    def _lacks(self) -> list[dict[str, Any]]:
        return Store(self.places, self.talk, -1).lacks(self.asked)

    def rollback(self) -> dict[str, Any]:
        """Run the generation of before, which becomes the current one."""
        self.locked()
        old = self.places.generation_of(self.places.previous)
        if old is None:
            raise Refusal("missing", "there is no earlier release to go back to")
        patience_s = float(self.asked["patience_s"])
        self.switch.to(old, patience_s)
        return self.status()

    def recover(self) -> dict[str, Any]:
        """At a boot: finish or undo."""
        self.locked()
        if not self.places.releases.exists():
            self.remove_all()  # it was a removal that was cut off
        return self.status()

    def remove(self) -> dict[str, Any]:
        """Stop it and take all away but the configuration and what the daemon wrote."""
        if not self.places.workshop.is_dir() and not self.places.unit.is_symlink():
            raise Refusal("missing", "edge-fer was not deployed here")
        self.locked()
        self.journal.write(state="removal")
        self.remove_all()
        return self.status()

    def remove_all(self) -> None:
        """May be done again after it was cut off; the journal goes last."""
        places = self.places
        self.faults.reach("remove-stop")
        farewell = Farewell(places.generation_of(places.current))
        service.stop()
        self.faults.reach("remove-farewell")
        for line in farewell.say():
            self.talk.say(line)
        self.faults.reach("remove-links")
        if places.config.is_symlink() and places.config.is_file():
            write_config(places.config, places.config.read_bytes())
        self.switch.unlink_all()
        service.read_units()
        self.faults.reach("remove-files")
        for folder in (places.generations, places.releases, places.bundles, places.wheels):
            discard(folder)
        recovery.take_away(places)  # until here a boot would have gone on with it
        service.read_units()
        discard(places.workshop)
        with suppress(OSError):
            places.home.rmdir()

    def status(self) -> dict[str, Any]:
        """What is deployed, what runs, and whether that works; changes nothing."""
        current = self.places.generation_of(self.places.current)
        previous = self.places.generation_of(self.places.previous)
        now = service.look()
        record = _record(current)
        works = current is not None and now.active == "active" and now.of(current)
        return {
            "generation": current.name if current else None,
            "previous": {"generation": previous.name, **_record(previous)} if previous else None,
            **record,
            "active": now.active,
            "daemon": now.status,
            "restarts": now.restarts,
            "works": works,
            "trouble": health(record["health"], now.camera) if works else "",
            "config_linked": current is None or self.places.config.is_symlink(),
            "unfinished": self.journal.read(),
            "failure": self.journal.failure(),
            "free": free_bytes(self.places.home),
        }

    def _runs_already(self, plan: dict[str, Any]) -> bool:
        """True where all that the plan names is what runs, to the byte of its configuration."""
        current = self.places.generation_of(self.places.current)
        if current is None or _record(current) != recorded(plan):
            return False
        same = (current / CONFIG).read_bytes() == plan["generation"]["config"].encode()
        now = service.look()
        return same and now.active == "active" and now.of(current)

    def _next_number(self) -> int:
        failed = str((self.journal.failure() or {}).get("generation", 0))
        names = [failed, *(one.name for one in _children(self.places.generations))]
        return 1 + max((int(name) for name in names if name.isdigit()), default=0)


VERBS: dict[str, Callable[[Command], dict[str, Any]]] = {
    "deploy": Command.deploy,
    "rollback": lambda command: detached(lambda: Command.rollback(command)),
    "remove": lambda command: detached(lambda: Command.remove(command)),
    "compare": Command.compare,
    "status": Command.status,
    "recover": Command.recover,
}


def main() -> int:
    """`recover` as an argument, else what the workstation asks."""
    os.umask(0o022)
    talk = Talk()
    try:
        asked = {"verb": sys.argv[1]} if len(sys.argv) > 1 else talk.request()
        done = VERBS[asked["verb"]](Command(asked, talk))
    except Exception as error:
        refusal = of(error)
        talk.tell(refused={"kind": refusal.kind, "line": str(refusal)})
        return 1
    talk.tell(done=done)
    return 0


def _record(generation: Path | None) -> dict[str, Any]:
    return record_of(generation) if generation else {}


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
