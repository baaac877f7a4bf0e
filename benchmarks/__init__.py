"""Bundles beside their full-precision parent: latency, accuracy, memory, and one honest report."""
