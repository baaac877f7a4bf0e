"""One module a peer, run by the peer's own Python: none of them may import edge-fer.

Each has `SIDE`, the side in pixels at which it is handed a face, and `load(files, threads)`, which
gives a function from a (SIDE, SIDE, 3) uint8 BGR face to its own labels and their scores. One whose
package finds faces too has `watch(files, threads)`: its function takes a (H, W, 3) uint8 BGR frame
and gives (left, top, width, height) and scores of every face, by the package's own defaults.
"""
