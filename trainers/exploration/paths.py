"""Paths through a latent space from one code to another. This module loads no torch.

The length of a way is that of the curve of decoded images: the length under the metric that the
decoder pulls back from pixels to codes (Arvanitidis et al. 2018, "Latent space oddity"; Chen et al.
2018, "Metrics for deep generative models"). A geodesic is a shortest one.

Shape legend: m points of a way, D numbers in a code.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Decode = Callable[[NDArray[np.floating]], NDArray[np.float32]]
"""Decodes (n, D) codes to (n, side, side) or (n, side, side, 3) images."""

PullBack = Callable[[NDArray[np.floating], NDArray[np.floating]], NDArray[np.floating]]
"""Maps (n, D) codes and n images v to (n, D): Jᵀv with the decoder's Jacobian J at each code."""

Kind = Literal["straight", "spherical", "geodesic"]

_CHUNK = 256
_PARALLEL = 1e-6
_AROUND, _SPREAD, _NEIGHBOURS = 24, 400, 10
_COARSEST, _ROUNDS, _EVALUATIONS = 8, 12, 5


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A path as consecutive points.

    Attributes
    ----------
    codes
        (m, D) float64.
    images
        (m, ...) float32 images, what they decode to.
    """

    kind: Kind
    codes: NDArray[np.float64]
    images: NDArray[np.float32]

    @property
    def latent_length(self) -> float:
        """The sum of the Euclidean lengths of its steps in the code."""
        return float(_steps(self.codes).sum())

    @property
    def decoded_length(self) -> float:
        """The sum of the Euclidean lengths of its steps in pixels, full ink being 1."""
        return float(_steps(self.images).sum())


def straight(
    decode: Decode, start: NDArray[np.floating], end: NDArray[np.floating], points: int = 64
) -> Path:
    """Returns the straight line between two (D,) codes, in equal steps of the code."""
    share = np.linspace(0, 1, points)[:, None]
    codes = (1 - share) * start.astype(np.float64) + share * end.astype(np.float64)
    return Path("straight", codes, decode(codes))


def spherical(
    decode: Decode, start: NDArray[np.floating], end: NDArray[np.floating], points: int = 64
) -> Path:
    """Returns the path along a sphere around 0 between two (D,) codes (Shoemake 1985; White 2016).

    Directions turn evenly, the norm changes evenly. Where an end is 0 or the two directions are
    parallel or opposite there is no one such way: it is straight then.
    """
    first, last = start.astype(np.float64), end.astype(np.float64)
    norms = float(np.linalg.norm(first)), float(np.linalg.norm(last))
    line = straight(decode, first, last, points)
    if min(norms) <= 0:
        return Path("spherical", line.codes, line.images)
    angle = np.arccos(np.clip(first @ last / (norms[0] * norms[1]), -1, 1))
    if np.sin(angle) < _PARALLEL:
        return Path("spherical", line.codes, line.images)
    share = np.linspace(0, 1, points)[:, None]
    directions = (
        np.sin((1 - share) * angle) * first / norms[0] + np.sin(share * angle) * last / norms[1]
    ) / np.sin(angle)
    codes = directions * ((1 - share) * norms[0] + share * norms[1])
    return Path("spherical", codes, decode(codes))


def resample(path: Path, decode: Decode, count: int, by: Literal["image", "code"]) -> Path:
    """Returns `count` points of a path with its ends, at equal steps as images or as codes."""
    lengths = _steps(path.images if by == "image" else path.codes)
    codes = _at_equal_steps(path.codes, lengths, count)
    return Path(path.kind, codes, decode(codes))


def geodesic(
    decode: Decode,
    codes: NDArray[np.floating],
    start: NDArray[np.floating],
    end: NDArray[np.floating],
    *,
    points: int = 64,
    pull_back: PullBack | None = None,
) -> Generator[float, None, Path]:
    """Finds the shortest path between two codes in terms of the decoded images, approximately.

    First the shortest way along a graph of codes, each joined to its nearest, whose edges are as
    long as what is decoded along them. That way and the straight one are then relaxed: the energy
    Σ‖g(z₍ᵢ₊₁₎) − g(zᵢ)‖², which is least for a geodesic at constant speed (Chen et al. 2018), is
    lowered from few points to many. The shortest of all is the answer, so it is never longer
    than the straight line.

    Parameters
    ----------
    decode
        The decoder.
    codes
        (n, D), codes of images, to go along.
    start, end
        (D,).
    points
        Of the way.
    pull_back
        Gives the energy's gradient; without it nothing is relaxed.

    Yields
    ------
    The share that is done, 0..1, between pieces of work of some milliseconds.
    """
    line = straight(decode, start, end, points)
    along = yield from _along_graph(decode, codes, line.codes)
    candidates = [line]
    beginnings = [line.codes, along]
    for number, beginning in enumerate(beginnings):
        way = _path(decode, beginning, points)
        candidates.append(way)
        if pull_back is not None:
            share = 0.4 + 0.3 * number
            way = yield from _relax(decode, pull_back, way.codes, points, share)
            candidates.append(way)
    yield 1.0
    # A decoder in training has changed since the first path was measured.
    ways = [Path("geodesic", way.codes, decode(way.codes)) for way in candidates]
    return min(ways, key=lambda way: way.decoded_length)


def _along_graph(
    decode: Decode, codes: NDArray[np.floating], line: NDArray[np.float64]
) -> Generator[float, None, NDArray[np.float64]]:
    """(m, D), the shortest way along a graph of codes from the first of `line` to its last."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra
    from scipy.spatial import cKDTree

    nodes = _nodes(codes, line)
    count = min(_NEIGHBOURS + 1, len(nodes))
    _, near = cKDTree(nodes).query(nodes, count)
    ends = np.stack([np.repeat(np.arange(len(nodes)), count), near.ravel()], axis=1)
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    middles = nodes[ends].mean(axis=1)
    images = []
    wanted = np.concatenate([nodes, middles])
    for begin in range(0, len(wanted), _CHUNK):
        shown = decode(wanted[begin : begin + _CHUNK])
        images.append(shown.reshape(len(shown), -1))
        yield 0.4 * begin / len(wanted)
    decoded = np.concatenate(images)
    corners, centres = decoded[: len(nodes)], decoded[len(nodes) :]
    lengths = sum(np.linalg.norm(corners[ends[:, side]] - centres, axis=1) for side in (0, 1))
    shape = len(nodes), len(nodes)
    graph = coo_array((lengths, ends.T), shape=shape).tocsr()
    # The ends are the first two nodes.
    _, before = dijkstra(graph, directed=False, indices=0, return_predecessors=True)
    way = [1]
    while way[-1] != 0 and before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    found: NDArray[np.float64] = nodes[way[::-1]]
    return found if way[-1] == 0 else line


def _nodes(codes: NDArray[np.floating], line: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, D): the ends, the line between them, codes around it, and codes from everywhere."""
    from scipy.spatial import cKDTree

    _, around = cKDTree(codes).query(line[::2], min(_AROUND, len(codes)))
    everywhere = np.linspace(0, len(codes) - 1, _SPREAD).astype(np.intp)
    chosen = np.unique(np.concatenate([np.ravel(around), everywhere]))
    return np.concatenate([line[[0, -1]], line[1:-1:2], codes[chosen].astype(np.float64)])


def _relax(
    decode: Decode,
    pull_back: PullBack,
    codes: NDArray[np.float64],
    points: int,
    share: float,
) -> Generator[float, None, Path]:
    """The way from the first code to the last whose energy is least near the given one."""
    from scipy.optimize import minimize

    sizes = [size for size in (_COARSEST, 16, 32) if size < points] + [points]
    best = _path(decode, codes, points)
    for level, size in enumerate(sizes):
        way = _path(decode, codes, size).codes
        shape = way[1:-1].shape

        def energy(
            inner: NDArray[np.float64],
            ends: NDArray[np.float64] = way,
            form: tuple[int, ...] = shape,
        ) -> tuple[float, NDArray[np.float64]]:
            whole = np.concatenate([ends[:1], inner.reshape(form), ends[-1:]])
            images = decode(whole).astype(np.float64)
            steps = np.diff(images, axis=0)
            slope = 2 * (steps[:-1] - steps[1:])
            gradient = pull_back(whole[1:-1], slope).astype(np.float64)
            return float(np.square(steps).sum()), gradient.ravel()

        for turn in range(_ROUNDS):
            options = {"maxfun": _EVALUATIONS, "maxiter": _EVALUATIONS}
            found = minimize(
                energy, way[1:-1].ravel(), jac=True, method="L-BFGS-B", options=options
            )
            moved = np.concatenate([way[:1], found.x.reshape(shape), way[-1:]])
            gain = np.abs(moved - way).max()
            way = moved
            yield share + 0.3 * (level + turn / _ROUNDS) / len(sizes)
            if gain < 1e-3 * np.abs(way).max():
                break
        codes = way
        candidate = _path(decode, way, points)
        best = min(best, candidate, key=lambda one: one.decoded_length)
    return best


def _path(decode: Decode, codes: NDArray[np.float64], points: int) -> Path:
    """Returns a path along a polyline of codes, at equal steps of the decoded images."""
    fine = _at_equal_steps(codes, _steps(codes), 2 * points)
    even = _at_equal_steps(fine, _steps(decode(fine)), points)
    return Path("geodesic", even, decode(even))


def _steps(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns (m - 1,), the distances between neighbours among (m, ...) points."""
    flat = points.reshape(len(points), -1).astype(np.float64)
    distances: NDArray[np.float64] = np.linalg.norm(np.diff(flat, axis=0), axis=1)
    return distances


def _at_equal_steps(
    codes: NDArray[np.floating], lengths: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Returns (count, D), points along a polyline at equal shares of its length."""
    whole = np.concatenate([[0.0], np.cumsum(lengths)])
    if whole[-1] <= 0:
        whole = np.arange(len(codes), dtype=np.float64)
    places = np.linspace(0, whole[-1], count)
    columns = [np.interp(places, whole, column) for column in codes.T.astype(np.float64)]
    return np.stack(columns, axis=1)
