"""From checkpoint to bundles: fold, calibrate, quantize, and the gate that proves the result."""
