"""The density of codes: how typical a code is, the density in a plane, and sampling.

Loads no torch; scikit-learn and SciPy are loaded when they are asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Generator

    from trainers.exploration.planes import Plane

_NEIGHBOURS = 10
_TREE_DIMENSIONS = 10
_KEPT, _TRIED = 2_000, 1_000
_FAR = 3.0
_BINS, _REACH = 256, 0.15
_COMPONENTS = (1, 2, 5, 10, 20)
_FITTED = 5_000


class Support:
    """The typicality of a code, by the distance to its tenth nearest neighbour.

    A code is as far from its tenth neighbour as codes are from theirs: support 1. Twice as far as
    nearly all of them (99 %), and more: the decoder invents there. In between it falls evenly.

    Parameters
    ----------
    codes
        (n, d). Of more than ten dimensions, where trees find nothing faster, 2,000 are looked at.
    """

    def __init__(self, codes: NDArray[np.floating]) -> None:
        finite = codes[np.isfinite(codes).all(axis=1)].astype(np.float64)
        many = finite.shape[1] > _TREE_DIMENSIONS
        self._codes = finite[:: max(1, -(-len(finite) // _KEPT))] if many else finite
        self._squares = np.square(self._codes).sum(axis=1) if many else None
        self._count = min(_NEIGHBOURS, max(1, len(self._codes) - 1))
        self._tree = None if many else _tree(self._codes)
        tried = self._codes[:: max(1, len(self._codes) // _TRIED)]
        own = self._distances(tried, self._count + 1)
        self._near = float(np.median(own)) if len(own) else 0.0
        self._far = _FAR * float(np.percentile(own, 99)) if len(own) else 1.0

    def of(self, queries: NDArray[np.floating]) -> NDArray[np.float32]:
        """Returns (m,), the support of (m, d) codes, 0..1."""
        if not len(self._codes):
            return np.zeros(len(queries), np.float32)
        away = self._distances(queries.astype(np.float64), self._count)
        share = (self._far - away) / max(self._far - self._near, 1e-12)
        found: NDArray[np.float32] = share.clip(0, 1).astype(np.float32)
        return found

    def _distances(self, queries: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        """Returns (m,), the distances of the `count`-th nearest codes."""
        if self._tree is not None:
            found: NDArray[np.float64] = self._tree.query(queries, [count])[0][:, 0]
            return found
        squares = self._squares - 2 * queries @ self._codes.T
        kth = np.partition(squares, count - 1, axis=1)[:, count - 1]
        distances: NDArray[np.float64] = np.sqrt((kth + np.square(queries).sum(axis=1)).clip(0))
        return distances


def _tree(codes: NDArray[np.float64]):  # type: ignore[no-untyped-def]  # SciPy is untyped
    from scipy.spatial import cKDTree

    return cKDTree(codes, balanced_tree=False, compact_nodes=False)


def log_density(places: NDArray[np.floating], queries: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns the logarithm of the density of points in a plane.

    A histogram smoothed by a Gaussian whose width follows Scott's rule (Scott 1992), σ·n^(−1/6)
    along each axis, and read off between its bins: a kernel density estimate to within a bin.

    Parameters
    ----------
    places
        (n, 2), n > 1.
    queries
        (..., 2).

    Returns
    -------
    (...), per unit of area; −∞ where nothing is near.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    finite = places[np.isfinite(places).all(axis=1)].astype(np.float64)
    widths = finite.std(axis=0) * len(finite) ** (-1 / 6)
    widths = np.maximum(widths, 1e-9 * max(1.0, float(np.abs(finite).max())))
    low, high = finite.min(axis=0) - 6 * widths, finite.max(axis=0) + 6 * widths
    counts, *_ = np.histogramdd(finite, bins=_BINS, range=list(zip(low, high, strict=True)))
    bins = (high - low) / _BINS
    smooth = gaussian_filter(counts, widths / bins, mode="constant", truncate=6)
    at = np.moveaxis((queries - low) / bins - 0.5, -1, 0)
    density = map_coordinates(smooth, at, order=1, mode="constant")
    with np.errstate(divide="ignore"):
        found: NDArray[np.float64] = np.log(density / (len(finite) * bins.prod()))
    return found


def log_prior(plane: Plane, queries: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns (...), the log density at (..., 2) of the prior N(0, I), projected onto a plane."""
    centre = plane.project(np.zeros(len(plane.origin)))
    found: NDArray[np.float64] = -0.5 * np.square(queries - centre).sum(axis=-1) - np.log(2 * np.pi)
    return found


def normal_quantiles(count: int) -> NDArray[np.float64]:
    """(count,), the standard normal distribution's quantiles at the middles of equal shares."""
    from scipy.stats import norm

    values: NDArray[np.float64] = norm.ppf(_middles(count))
    return values


def quantiles(values: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """Returns (count,), quantiles of (n,) values at centres of equal shares."""
    found: NDArray[np.float64]
    found = np.quantile(values[np.isfinite(values)].astype(np.float64), _middles(count))
    return found


def _middles(count: int) -> NDArray[np.float64]:
    """Returns (count,), the centres of equal shares of 0..1."""
    middles: NDArray[np.float64] = (np.arange(count) + 0.5) / count
    return middles


def _grid_places(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (len(y), len(x), 2), every x with every y; the greatest y is in the first row."""
    return np.stack(np.meshgrid(x, y[::-1]), axis=-1)


def prior_quantiles(side: int) -> NDArray[np.float64]:
    """Returns (side, side, 2), places that divide a two-dimensional prior into equal probabilities.

    The inverse of the normal distribution function at the middles of `side` equal shares along
    either axis (Kingma & Welling 2014, appendix A, figure 4); the first row is the uppermost.
    """
    values = normal_quantiles(side)
    return _grid_places(values, values)


def code_quantiles(places: NDArray[np.floating], side: int) -> NDArray[np.float64]:
    """Returns (side, side, 2), places at the quantiles of (n, 2) places along each axis.

    As `prior_quantiles`, with the distribution of the codes along x and along y for the prior's:
    each column, and each row, stands for as many codes as any other.
    """
    x, y = (quantiles(along, side) for along in places.T)
    return _grid_places(x, y)


def prior_sample(latent_dim: int, count: int, seed: int) -> NDArray[np.float32]:
    """Samples (count, latent_dim) codes from the prior N(0, I)."""
    return np.random.default_rng(seed).standard_normal((count, latent_dim)).astype(np.float32)


def mixture_sample(
    codes: NDArray[np.floating], count: int, seed: int
) -> Generator[float, None, NDArray[np.float32]]:
    """Samples (count, d) codes from a mixture of Gaussians fitted to codes.

    Of 1, 2, 5, 10 and 20 components with full covariances, as many as the Bayesian information
    criterion favours (Schwarz 1978), fitted to 5,000 of the (n, d) codes at most. What is drawn is
    the same for the same codes and seed.

    Yields
    ------
    The share that is done, 0..1, after each fit.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    fitted = codes[:: max(1, len(codes) // _FITTED)].astype(np.float64)
    best, least = None, np.inf
    for done, components in enumerate(_COMPONENTS, 1):
        if components * 2 * codes.shape[1] > len(fitted):
            break
        mixture = GaussianMixture(components, random_state=0, reg_covar=1e-6 * fitted.var() + 1e-12)
        with warnings.catch_warnings():
            # A fit that has not converged in a hundred rounds is good enough to sample from.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(fitted)
        criterion = mixture.bic(fitted)
        if criterion < least:
            best, least = mixture, criterion
        yield done / len(_COMPONENTS)
    if best is None:
        raise ValueError(f"{len(codes)} codes are too few to fit a density to.")
    best.random_state = seed
    drawn, _ = best.sample(count)
    order = np.random.default_rng(seed).permutation(count)
    found: NDArray[np.float32] = drawn[order].astype(np.float32)
    return found
