"""Events over HTTP: a live page, a small API, streams and metrics. Nothing can be configured here.

No route carries a picture unless a preview was asked for, and then none that shows a face.
"""

from edge_fer.sinks.http.sink import Http

__all__ = ["Http"]
