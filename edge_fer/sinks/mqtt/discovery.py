"""What Home Assistant is told of a device: one message that names every entity.

The keys are those of its MQTT integration's device discovery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edge_fer.emotions import LABELS, UNCERTAIN
from edge_fer.sinks.mqtt.board import board
from edge_fer.sinks.mqtt.settings import Settings
from edge_fer.sinks.mqtt.topics import Topics

NOBODY = "none"
"""Said in place of an expression when there is no face."""
EXPIRE_S = 120
"""Four times the pause between two states: after it Home Assistant shows no value."""
DIAGNOSTIC = {"entity_category": "diagnostic"}

Component = dict[str, Any]


def announcement(settings: Settings, topics: Topics, version: str) -> dict[str, Any]:
    """The payload of the discovery topic."""
    device = {
        "ids": [topics.client],
        "name": settings.name or topics.device,
        "mf": "edge-fer",
        "mdl": board(),
        "sw": version,
    }
    if settings.page:
        device["cu"] = settings.page
    return {
        "dev": device,
        "o": {"name": "edge-fer", "sw": version},
        "qos": 1,
        "state_topic": topics.state,
        "cmps": {
            key: {"p": component.pop("p"), "unique_id": f"{topics.client}_{key}", **component}
            for key, component in _components(topics)
        },
    }


def _components(topics: Topics) -> Iterator[tuple[str, Component]]:
    for name, component in _of_camera(topics).items():
        yield f"{topics.camera}_{name}", component
    # What says that the camera is lost must not vanish with it: no camera availability here.
    device = {"state_topic": topics.diagnostics, **DIAGNOSTIC, **_reached(topics.availability)}
    for name, component in _of_device().items():
        yield name, {**component, **device}


def _of_camera(topics: Topics) -> Mapping[str, Component]:
    device = _reached(topics.availability)
    both = _reached(topics.availability, topics.camera_availability)
    seen = {"expire_after": EXPIRE_S, **both}
    count = {"state_class": "measurement"}
    options = [NOBODY, UNCERTAIN, *LABELS]
    return {
        "emotion": {
            **_sensor("Expression", "emotion"),
            "device_class": "enum",
            "options": options,
            **seen,
        },
        "score": {
            **_sensor("Expression confidence", "score"),
            "unit_of_measurement": "%",
            **count,
            "suggested_display_precision": 0,
            **seen,
        },
        "faces": {**_sensor("Faces", "faces"), **count, **seen},
        "occupied": {**_binary("Face present", "occupied"), "device_class": "occupancy", **both},
        "enabled": {
            **_entity("switch", "Analysis", "enabled"),
            "command_topic": topics.enabled,
            **device,
        },
        "problem": {
            **_binary("Camera problem", "problem"),
            "device_class": "problem",
            **DIAGNOSTIC,
            **device,
        },
    }


def _of_device() -> Mapping[str, Component]:
    measured = {"state_class": "measurement"}
    return {
        "fps": {**_sensor("Frame rate", "fps"), "unit_of_measurement": "fps", **measured},
        "temp": {
            **_sensor("SoC temperature", "temp_c"),
            "device_class": "temperature",
            "unit_of_measurement": "°C",
            **measured,
        },
        "undervoltage": {**_binary("Under-voltage", "under_voltage"), "device_class": "problem"},
        # EU AI Act, Art. 50(3): people are told.
        "purpose": _sensor("Purpose", "purpose"),
    }


def _sensor(name: str, field: str) -> Component:
    return _entity("sensor", name, field)


def _binary(name: str, field: str) -> Component:
    return _entity("binary_sensor", name, field)


def _entity(kind: str, name: str, field: str) -> Component:
    return {"p": kind, "name": name, "value_template": f"{{{{ value_json.{field} }}}}"}


def _reached(*topics: str) -> Component:
    """Available while all of the topics say `online`."""
    return {"availability": [{"topic": topic} for topic in topics], "availability_mode": "all"}
