"""Events over MQTT 5 or 3.1.1, with the device discovery of Home Assistant."""
