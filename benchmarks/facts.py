"""The tables of facts: which faces, how they were used, and on which machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.cells import MISSING, Cell, Table
from benchmarks.report import Report
from benchmarks.words import megabytes


def faces(report: Report) -> Table:
    """Which faces, and how they were used."""
    facts = report.faces
    classes = ", ".join(f"{n} {label}" for label, n in facts.per_class.items())
    pairs = {
        "Data": facts.data or "faces handed in, without labels",
        "Split": facts.split,
        "Faces": f"{facts.count:,}",
        "By expression": classes or None,
        "SHA-256 of the list": facts.sha256,
        "Warm-up dropped": f"{report.settings.warmup} at first, {report.settings.settle} a turn",
        "Seed": str(report.settings.seed),
        "Sittings": str(report.sittings),
    }
    return fact_table("Faces and method", pairs)


def machine(report: Report) -> Table:
    """Where it ran, and its condition before and after."""
    facts = report.machine
    memory = facts.get("memory_bytes")
    cores = f"{facts.get('cores')}, of which {facts.get('cores_allowed')} allowed"
    pairs = {
        "Board": facts.get("board"),
        "Processor": facts.get("cpu"),
        "Cores": cores + (", virtual machine" if facts.get("virtual") else ""),
        "Memory": megabytes(memory) if memory else None,
        "GPU": facts.get("gpu") or "none seen",
        "System": f"{facts.get('system')}, kernel {facts.get('kernel')}",
        "Governor": facts.get("governor"),
        "Load, before and after": _change(facts, "load", "{:.2f}"),
        "Temperature": _change(facts, "temperature_c", "{:.0f} °C"),
        "Clock": _change(facts, "clock_mhz", "{:.0f} MHz"),
        "Throttling": _throttling(facts),
        "Python": f"{facts.get('python')} with NumPy {facts.get('numpy')}",
        "OpenCV": facts.get("opencv"),
        "edge-fer": report.edge_fer,
    }
    return fact_table("Machine", pairs)


def _change(facts: dict[str, Any], key: str, form: str) -> str | None:
    values = [facts.get(moment, {}).get(key) for moment in ("before", "after")]
    known = [form.format(value) for value in values if value is not None]
    return " → ".join(known) or None


def _throttling(facts: dict[str, Any]) -> str | None:
    """What slowed the processor before and after; None where the machine does not tell."""
    told = [facts.get(moment, {}).get("throttling") for moment in ("before", "after")]
    if None in told:
        return None
    said = [", ".join(one["active"]) or "none" for one in told]
    counted = [one["events"] for one in told]
    events = "" if None in counted else f" ({counted[1] - counted[0]} events in between)"
    return " → ".join(said) + events


def recipe_facts(
    init: str, recipe: Mapping[str, Any], made: Mapping[str, Any]
) -> dict[str, str | None]:
    """What a training began with, by which recipe, and with which packages."""
    return {
        "Initial weights": init,
        "Network": str(recipe["architecture"]),
        "Recipe": ", ".join(f"{k} {v}" for k, v in recipe.items() if k != "architecture"),
        "Made with": ", ".join(f"{key} {value}" for key, value in made.items()),
    }


def fact_table(title: str, pairs: Mapping[str, str | None]) -> Table:
    """Names and values, without a caption."""
    rows = tuple((Cell(key), Cell(value) if value else MISSING) for key, value in pairs.items())
    return Table(title, "", ("Fact", "Value"), rows)
