"""What a board's status is, in lines for a person."""

from __future__ import annotations

from typing import Any

from deploy.plan import Plan


def line(told: dict[str, Any]) -> str:
    """What it runs, in one line."""
    if told["generation"] is None:
        return f"edge-fer is not deployed, {told['free'] >> 20} MB free"
    what = f"edge-fer {told['release']}, {told['model']}, generation {told['generation']}"
    how = told["daemon"] or "says nothing"
    if told.get("unchanged"):
        return f"runs all of this already: {what}: {how}"
    return f"{what}: {told['active']}, {how}"


def remarks(told: dict[str, Any]) -> list[str]:
    """What else there is to say; empty where all is well."""
    said = []
    if told["previous"]:
        before = told["previous"]
        said.append(f"rollback leads to edge-fer {before['release']}, {before['model']}")
    if told["restarts"]:
        said.append(f"systemd had to start it again {told['restarts']} times")
    if told["trouble"]:
        said.append(told["trouble"])
    if not told["config_linked"]:
        said.append(
            "/etc/edge-fer/edge-fer.toml is no longer the link that deploy made: the daemon does "
            "not read it until the next deploy"
        )
    if told["failure"]:
        said.append(f"the last deploy was undone: {told['failure']['why']}")
    if told["unfinished"]:
        said.append("a command was cut off here: the next deploy, rollback or boot finishes it")
    return said


def intended(plan: Plan, told: dict[str, Any]) -> str:
    """What a deploy would do."""
    manifest = plan.sealed.bundle.manifest
    what = f"edge-fer {plan.release} with {manifest.name} ({manifest.format} {manifest.precision})"
    if not told["want"] and told["generation"] is not None:
        return f"would install nothing new; {line(told)}"
    size = sum(plan.size(name) for name in told["want"])
    return (
        f"would send {size / 1e6:.1f} MB in {len(told['want'])} files and switch to {what}; "
        f"now: {line(told)}"
    )
