"""Events over HTTP: a live page, a small API, streams and metrics. Nothing can be configured here.

No route carries a picture: there is no preview in this version.
"""

from edge_fer.sinks.http.sink import Http

__all__ = ["Http"]
