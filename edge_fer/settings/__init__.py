"""Where the settings of `edge-fer run` come from: `edge-fer.toml` first, then the command line."""

from edge_fer.settings.plan import Plan

__all__ = ["Plan"]
