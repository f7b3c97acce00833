"""Embeddings of codes: t-SNE and UMAP map neighbouring codes to neighbouring places in 2-D.

An embedding is only a view of the codes. A place between its points cannot be decoded, and its
axes, its scale and the distances between its clusters have no meaning. Loads no torch; the
libraries are imported only when an embedding is computed.

Shape legend: n codes of d numbers, k neighbours.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from trainers.embeddings.trustworthiness import trustworthiness_and_continuity
from trainers.errors import AEViewerError
from trainers.exploration.planes import principal_plane
from trainers.optional_packages import install_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    ProgressCallback = Callable[[float, NDArray[np.float32] | None], None]
    """Takes the share that is done, 0..1, and the (n, 2) current places, or None."""

Method = Literal["t-sne", "umap"]

FEWEST_CODES = 5
TRUSTWORTHINESS_CODES = 2_000
"""At most so many codes are sampled to measure the trustworthiness of an embedding."""
_CALLBACK_STEPS = 10
_THREADS = 1
"""While a training uses the other cores, two threads are no faster than one, and ten times slower
for small embeddings."""
_INITIAL_SPREAD = 1e-4
"""Standard deviation of the places from which t-SNE starts."""


@dataclass(frozen=True, slots=True)
class TSNE:
    """The settings of t-SNE (van der Maaten & Hinton 2008).

    It starts from the principal plane (Kobak & Berens 2019).

    Attributes
    ----------
    perplexity
        The effective number of neighbours of each code; n codes have at most (n − 1) / 3.
    early_steps, steps
        The number of steps with early exaggeration by 12, and of those without it.
    seed
        Decides the initial places of codes that are all equal, and breaks ties.
    """

    perplexity: float = 30.0
    early_steps: int = 250
    steps: int = 500
    seed: int = 0


@dataclass(frozen=True, slots=True)
class UMAP:
    """The settings of UMAP (McInnes, Healy & Melville 2018).

    Attributes
    ----------
    neighbours
        The number of neighbours whose distances UMAP preserves.
    least_distance
        The least distance between two places.
    epochs
        The number of epochs of the optimisation.
    seed
        Seeds the random numbers of the optimisation.
    """

    neighbours: int = 15
    least_distance: float = 0.1
    epochs: int = 500
    seed: int = 0


Recipe = TSNE | UMAP
RECIPES: Mapping[Method, Recipe] = {"t-sne": TSNE(), "umap": UMAP()}
METHOD_NAMES: Mapping[Method, str] = {"t-sne": "t-SNE", "umap": "UMAP"}
_LIBRARIES: Mapping[type[Recipe], tuple[str, str]] = {
    TSNE: ("openTSNE", "openTSNE"),
    UMAP: ("umap", "umap-learn"),
}
"""The module to import and the package that holds it."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """The places of codes in an embedding.

    Attributes
    ----------
    places
        (n, 2) float32.
    trustworthiness
        0..1 (Venna & Kaski 2001), measured on a sample of at most 2,000 codes. It is 1 when the
        neighbours of each place are also neighbours in the latent space.
    """

    places: NDArray[np.float32]
    trustworthiness: float


def missing_package(recipe: Recipe) -> str:
    """Returns what to install before an embedding can be computed; empty if nothing is missing."""
    module, package = _LIBRARIES[type(recipe)]
    if find_spec(module) is not None:
        return ""
    name, how = type(recipe).__name__, install_hint("umap" if isinstance(recipe, UMAP) else "")
    return f"{name} needs the package {package}, which is not installed. {how}"


def library_version(recipe: Recipe) -> str:
    """Returns the name and the version of the package that computes the embedding."""
    package = _LIBRARIES[type(recipe)][1]
    return f"{package} {version(package)}"


def compute_embedding(
    codes: NDArray[np.floating], recipe: Recipe, report: ProgressCallback
) -> Embedding:
    """Computes an embedding; the same codes and recipe give the same places.

    Parameters
    ----------
    codes
        (n, d).
    recipe
        The method and its settings.
    report
        Is called with the progress.

    Raises
    ------
    ValueError
        When there are fewer than 5 codes, or some are not finite.
    AEViewerError
        When the package is not installed.
    """
    table = np.ascontiguousarray(codes, np.float64)
    if table.ndim != 2 or len(table) < FEWEST_CODES or not np.isfinite(table).all():
        raise ValueError(
            f"Codes of shape {codes.shape} cannot be embedded: at least {FEWEST_CODES} codes are "
            "needed, and all must be finite numbers"
        )
    if problem := missing_package(recipe):
        raise AEViewerError(problem)
    # A common factor does not change the embedding, and squares of very large codes would overflow.
    table = table / max(float(np.abs(table).max()), np.finfo(float).tiny)
    compute = _compute_tsne if isinstance(recipe, TSNE) else _compute_umap
    places = compute(table, recipe, report).astype(np.float32)  # type: ignore[arg-type]
    sample = np.random.default_rng(0).permutation(len(table))[:TRUSTWORTHINESS_CODES]
    return Embedding(places, trustworthiness_and_continuity(table[sample], places[sample])[0])


def _nearest_neighbours(
    codes: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Returns the (n, k) indices of each code's nearest other codes and their distances."""
    from sklearn.neighbors import NearestNeighbors

    distances, indices = NearestNeighbors(n_neighbors=count).fit(codes).kneighbors()
    return indices, distances


def _compute_tsne(
    codes: NDArray[np.float64], recipe: TSNE, report: ProgressCallback
) -> NDArray[np.floating]:
    initial = _initial_places(codes, recipe.seed)
    # Importing the library and finding the neighbours take a while.
    report(0.0, initial.astype(np.float32))
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(recipe.perplexity, (len(codes) - 1) / 3)
    neighbours = PrecomputedNeighbors(*_nearest_neighbours(codes, int(3 * perplexity)))
    affinities = PerplexityBasedNN(knn_index=neighbours, perplexity=perplexity, n_jobs=_THREADS)
    embedding = TSNEEmbedding(
        initial,
        affinities,
        n_jobs=_THREADS,
        random_state=recipe.seed,
        callbacks_every_iters=_CALLBACK_STEPS,
    )
    total, done = recipe.early_steps + recipe.steps, 0

    def report_step(step: int, _divergence: float, places: NDArray[np.floating]) -> None:
        report((done + step) / total, np.array(places, np.float32))

    for steps, exaggeration, momentum in ((recipe.early_steps, 12, 0.5), (recipe.steps, 1, 0.8)):
        embedding = embedding.optimize(
            steps, exaggeration=exaggeration, momentum=momentum, callbacks=[report_step]
        )
        done += steps
    return np.asarray(embedding)


def _initial_places(codes: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Returns (n, 2), the scaled principal plane with noise that separates equal codes."""
    places = principal_plane(codes).project(codes)
    spread = float(places[:, 0].std())
    noise = np.random.default_rng(seed).normal(size=places.shape)
    return _INITIAL_SPREAD * (places / spread + _INITIAL_SPREAD * noise if spread > 0 else noise)


def _compute_umap(
    codes: NDArray[np.float64], recipe: UMAP, report: ProgressCallback
) -> NDArray[np.floating]:
    count = min(recipe.neighbours, len(codes) - 1)
    indices, distances = _nearest_neighbours(codes, count - 1)
    # UMAP counts each code as its own first neighbour.
    indices = np.column_stack([np.arange(len(codes)), indices])
    distances = np.column_stack([np.zeros(len(codes)), distances])
    with warnings.catch_warnings():
        # These two concern features that are not used: parametric UMAP, and embedding more codes.
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
        warnings.filterwarnings("ignore", r"precomputed_knn\[2\]", UserWarning)
        # The neighbour graph of separate clusters is not connected; the user sees the clusters.
        warnings.filterwarnings("ignore", "Spectral initialisation failed", UserWarning)
        import umap

        reducer = umap.UMAP(
            n_neighbors=count,
            min_dist=recipe.least_distance,
            n_epochs=recipe.epochs,
            random_state=recipe.seed,
            n_jobs=1,
            precomputed_knn=(indices, distances.astype(np.float32)),
            tqdm_kwds={
                "disable": False,
                "bar_format": "{n}/{total}",
                "file": _ProgressStream(report),
            },
        )
        return np.asarray(reducer.fit_transform(codes.astype(np.float32)))


class _ProgressStream:
    """A file that receives UMAP's progress bar, because UMAP has no progress callback.

    Parameters
    ----------
    report
        Is called with the progress.
    """

    def __init__(self, report: ProgressCallback) -> None:
        self._report = report

    def write(self, text: str) -> None:
        """Parses "12/500", with or without a carriage return, and reports the share."""
        done, _, total = text.strip().partition("/")
        if done.isdecimal() and total.isdecimal() and int(total):
            self._report(int(done) / int(total), None)

    def flush(self) -> None:
        """Does nothing; tqdm calls it."""
