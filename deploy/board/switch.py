"""From one generation to another, and back where it does not work: only `current` decides."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from deploy.board import service
from deploy.board.farewell import Farewell
from deploy.board.journal import Journal
from deploy.board.places import CONFIG, UNIT, Places, discard, link, record_of, sync, unlink
from deploy.board.refusal import Refusal, of
from deploy.board.shelf import Shelf
from deploy.board.steps import Faults
from deploy.board.talk import Talk
from deploy.board.trial import judge


class Switch:
    """Every step may be cut off, and is done again by whoever comes next."""

    def __init__(self, places: Places, talk: Talk, faults: Faults) -> None:
        self._places, self._talk, self._faults = places, talk, faults
        self._journal = Journal(places)

    def to(self, new: Path, patience_s: float) -> None:
        """Run another generation; raises Refusal when the old one runs again."""
        old = self._places.generation_of(self._places.current)
        before = self._places.generation_of(self._places.previous)
        aside = self._aside()
        entry = {
            "to": new.name,
            "from": old.name if old else None,
            "previous": before.name if before else None,
            "camera": service.look().camera if old else "",
            "patience_s": patience_s,
            "aside": aside,
        }
        try:
            self._faults.reach("journal")
            self._journal.write(state="trial", **entry)
            self._faults.reach("links")
            self._link_all(aside)
            self._faults.reach("switch")
            link(self._places.current, f"generations/{new.name}")
            self._try(entry)
        except Exception as error:
            why = of(error)
            self._back(entry, str(why))
            raise Refusal(why.kind, f"{why}; {self._outcome(old)}") from error

    def finish(self) -> None:
        """What a killed command left: give it its outcome, or clean up behind it."""
        entry = self._journal.read()
        if entry is None:
            return
        self._talk.say("an earlier command was cut off: finishing it first")
        if entry["state"] == "removal":
            return
        arrived = self._places.generation_of(self._places.current)
        if entry["state"] == "trial" and arrived and arrived.name == entry["to"]:
            try:
                self._try(entry)
            except Exception as error:
                self._back(entry, str(of(error)))
                self._talk.say(f"it was undone: {error}")
            return
        self._back(entry, str(entry.get("why", "it was cut off")))

    def _try(self, entry: dict[str, Any]) -> None:
        new = self._places.generations / str(entry["to"])
        self._faults.reach("restart")
        link(self._places.wanted, f"../{UNIT}")
        service.read_units()
        if not service.look().of(new):
            service.restart()
            self._talk.say(f"generation {new.name} starts")
        self._faults.reach("trial")
        record = record_of(new)
        why = judge(new, record, str(entry["camera"]), float(entry["patience_s"]))
        if why:
            raise Refusal("refused", f"the new release does not work: {why}")
        self._faults.reach("commit")
        if entry["from"] is not None and entry["from"] != entry["to"]:
            link(self._places.previous, f"generations/{entry['from']}")
        self._faults.reach("settle")
        self._journal.forgive()
        self._journal.close()

    def _back(self, entry: dict[str, Any], why: str) -> None:
        """The generation of before; where there was none, nothing."""
        old = entry["from"]
        self._faults.reach("back-journal")
        self._journal.write(**{**entry, "state": "back", "why": why})
        self._faults.reach("back-switch")
        if old is not None:
            link(self._places.current, f"generations/{old}")
            if entry["previous"] is None:
                unlink(self._places.previous)
            else:
                link(self._places.previous, f"generations/{entry['previous']}")
        else:
            farewell = Farewell(self._places.generations / str(entry["to"]))
            service.stop()
            for line in farewell.say():
                self._talk.say(line)
            self.unlink_all()
            self._give_back_config(entry.get("aside"))
        self._faults.reach("back-restart")
        service.read_units()
        if old is not None and not service.look().of(self._places.generations / str(old)):
            service.restart()
        self._faults.reach("back-settle")
        self._journal.failed(generation=entry["to"], why=why)
        self._journal.close()
        self.sweep()

    def _outcome(self, old: Path | None) -> str:
        if old is None:
            return "nothing runs, as before"
        record = record_of(old)
        why = judge(old, record, "", 30.0)
        again = f"the old release ({old.name}) runs again"
        return f"{again}, but {why}" if why else again

    def refuse_foreign(self) -> None:
        """Raise Refusal where somebody else has put what is ours to put."""
        for one in (self._places.unit, self._places.current):
            if one.exists() and not one.is_symlink():
                raise Refusal(
                    "refused",
                    f"{one} was not made by edge-fer deploy: `systemctl disable --now edge-fer`, "
                    "remove it, and deploy again",
                )

    def _aside(self) -> str | None:
        """The name under which a configuration that is no link of ours is kept; None without one.

        None that was kept before makes way for it, and nothing sweeps them.
        """
        config, name = self._places.config, self._places.config_before.name
        if config.is_symlink() or not config.is_file():
            return None
        number = 1
        while (one := config.with_name(name)).exists() and one.read_bytes() != config.read_bytes():
            number += 1
            name = f"{self._places.config_before.name}.{number}"
        return name

    def _link_all(self, aside: str | None) -> None:
        """The places that systemd and people look into lead through `current`.

        A configuration that was there before is kept aside.
        """
        places = self._places
        if aside is not None:
            kept = places.config.with_name(aside)
            if not kept.exists():
                os.link(places.config, kept)  # there under one name or both, whenever it is cut off
                sync(kept.parent)
            self._talk.say(f"{places.config} was no link of a deploy: it is kept as {kept.name}")
        link(places.unit, str(places.current / UNIT))
        link(places.config, str(places.current / CONFIG))

    def unlink_all(self) -> None:
        """Nothing leads to a deploy any more."""
        places = self._places
        for one in (places.wanted, places.unit, places.current, places.previous, places.trial):
            unlink(one)
        if places.config.is_symlink():
            unlink(places.config)

    def _give_back_config(self, aside: str | None) -> None:
        """What lay there before the first deploy lies there again."""
        places = self._places
        kept = places.config.with_name(aside or places.config_before.name)
        if not kept.is_file():
            return
        if not places.config.exists():
            os.replace(kept, places.config)
            sync(kept.parent)
        elif kept.samefile(places.config):
            unlink(kept)

    def sweep(self, coming: dict[str, Any] | None = None) -> None:
        """Remove what neither the current nor the previous generation names.

        What a coming plan names stays: a deploy of it was cut off.
        """
        places = self._places
        discard(places.incoming)
        kept = [places.generation_of(one) for one in (places.current, places.previous)]
        generations = [one for one in kept if one is not None]
        records = [record_of(one) for one in generations]
        releases = {record["release"] for record in records}
        bundles = {record["bundle"] for record in records}
        if coming:
            releases.add(coming["release"]["name"])
            bundles.add(coming["bundle"]["name"])
        Shelf(places).sweep(releases, coming["release"]["files"] if coming else ())
        named = {
            places.generations: {one.name for one in generations},
            places.releases: releases,
            places.bundles: bundles,
        }
        for folder, names in named.items():
            for one in folder.iterdir() if folder.is_dir() else ():
                if one.name not in names:
                    discard(one)
