"""Layouts of codes: t-SNE and UMAP place them so that neighbours stay neighbours.

A layout is a view of the codes and nothing else: between its points nothing can be decoded, and
its axes, scale and the distances between its clusters mean nothing. Loads no torch, and the
libraries only when a layout is computed.

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

from trainers.embeddings.trustworthiness import faithfulness
from trainers.errors import AEViewerError
from trainers.exploration.planes import principal_plane
from trainers.optional_packages import remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Tell = Callable[[float, NDArray[np.float32] | None], None]
    """Takes the share that is done, 0..1, and the (n, 2) places so far where they are known."""

Method = Literal["t-sne", "umap"]

FEWEST = 5
JUDGED = 2_000
"""Codes on which a layout's trustworthiness is measured."""
_EVERY = 10
_THREADS = 1
"""Where training has the other ones, two take as long as one, and small layouts ten times that."""
_SMALL = 1e-4


@dataclass(frozen=True, slots=True)
class TSNE:
    """t-SNE (van der Maaten & Hinton 2008), from the principal plane (Kobak & Berens 2019).

    Attributes
    ----------
    perplexity
        How many neighbours each code has, in effect; fewer codes have at most a third of them.
    early_steps, steps
        Steps of early exaggeration by 12, and without it.
    """

    perplexity: float = 30.0
    early_steps: int = 250
    steps: int = 500
    seed: int = 0


@dataclass(frozen=True, slots=True)
class UMAP:
    """UMAP (McInnes, Healy & Melville 2018).

    Attributes
    ----------
    neighbours
        Whose distances are kept.
    least_distance
        Of two places.
    epochs
        Rounds of optimisation.
    """

    neighbours: int = 15
    least_distance: float = 0.1
    epochs: int = 500
    seed: int = 0


Recipe = TSNE | UMAP
RECIPES: Mapping[Method, Recipe] = {"t-sne": TSNE(), "umap": UMAP()}
NAMES: Mapping[Method, str] = {"t-sne": "t-SNE", "umap": "UMAP"}
_LIBRARIES: Mapping[type[Recipe], tuple[str, str]] = {
    TSNE: ("openTSNE", "openTSNE"),
    UMAP: ("umap", "umap-learn"),
}
"""The module to import and the package that holds it."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Where codes are placed.

    Attributes
    ----------
    places
        (n, 2) float32.
    trustworthiness
        Of 2,000 of them or all (Venna & Kaski 2001), 0..1; 1 where each code's neighbours here
        are its neighbours in the latent space.
    """

    places: NDArray[np.float32]
    trustworthiness: float


def missing_package(recipe: Recipe) -> str:
    """What is to be done before a layout can be computed; empty where nothing is."""
    module, package = _LIBRARIES[type(recipe)]
    if find_spec(module) is not None:
        return ""
    name, how = type(recipe).__name__, remedy("umap" if isinstance(recipe, UMAP) else "")
    return f"{name} needs the package {package}, which is not installed. {how}"


def library(recipe: Recipe) -> str:
    """The package that computes it, with its version."""
    package = _LIBRARIES[type(recipe)][1]
    return f"{package} {version(package)}"


def compute_embedding(codes: NDArray[np.floating], recipe: Recipe, tell: Tell) -> Embedding:
    """Computes a layout; the same codes and recipe give the same places.

    Parameters
    ----------
    codes
        (n, d).
    recipe
        How.
    tell
        Hears how far it is.

    Raises
    ------
    ValueError
        When there are fewer than 5 codes, or some are no finite numbers.
    AEViewerError
        When the package is missing.
    """
    table = np.ascontiguousarray(codes, np.float64)
    if table.ndim != 2 or len(table) < FEWEST or not np.isfinite(table).all():
        raise ValueError(
            f"Codes of shape {codes.shape} cannot be laid out: at least {FEWEST} are needed, all "
            "finite numbers."
        )
    if problem := missing_package(recipe):
        raise AEViewerError(problem)
    # A common factor changes no layout, and squares of very large codes would overflow.
    table = table / max(float(np.abs(table).max()), np.finfo(float).tiny)
    placed = _tsne if isinstance(recipe, TSNE) else _umap
    places = placed(table, recipe, tell).astype(np.float32)  # type: ignore[arg-type]
    judged = np.random.default_rng(0).permutation(len(table))[:JUDGED]
    return Embedding(places, faithfulness(table[judged], places[judged])[0])


def _neighbours(
    codes: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(n, k) numbers of each code's nearest others, nearest first, and how far they are."""
    from sklearn.neighbors import NearestNeighbors

    far, near = NearestNeighbors(n_neighbors=count).fit(codes).kneighbors()
    return near, far


def _tsne(codes: NDArray[np.float64], recipe: TSNE, tell: Tell) -> NDArray[np.floating]:
    begun = _initial_places(codes, recipe.seed)
    tell(0.0, begun.astype(np.float32))  # the rest needs a while to begin
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(recipe.perplexity, (len(codes) - 1) / 3)
    near = PrecomputedNeighbors(*_neighbours(codes, int(3 * perplexity)))
    affinities = PerplexityBasedNN(knn_index=near, perplexity=perplexity, n_jobs=_THREADS)
    embedding = TSNEEmbedding(
        begun,
        affinities,
        n_jobs=_THREADS,
        random_state=recipe.seed,
        callbacks_every_iters=_EVERY,
    )
    whole, done = recipe.early_steps + recipe.steps, 0

    def follow(step: int, _divergence: float, places: NDArray[np.floating]) -> None:
        tell((done + step) / whole, np.array(places, np.float32))

    for steps, exaggeration, momentum in ((recipe.early_steps, 12, 0.5), (recipe.steps, 1, 0.8)):
        embedding = embedding.optimize(
            steps, exaggeration=exaggeration, momentum=momentum, callbacks=[follow]
        )
        done += steps
    return np.asarray(embedding)


def _initial_places(codes: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """(n, 2), the principal plane made small; codes at one place are separated at random."""
    places = principal_plane(codes).project(codes)
    spread = float(places[:, 0].std())
    chance = np.random.default_rng(seed).normal(size=places.shape)
    return _SMALL * (places / spread + _SMALL * chance if spread > 0 else chance)


def _umap(codes: NDArray[np.float64], recipe: UMAP, tell: Tell) -> NDArray[np.floating]:
    count = min(recipe.neighbours, len(codes) - 1)
    near, far = _neighbours(codes, count - 1)
    # It counts a code as the first neighbour of itself.
    near = np.column_stack([np.arange(len(codes)), near])
    far = np.column_stack([np.zeros(len(codes)), far])
    with warnings.catch_warnings():
        # Of what nobody asks for here: a parametric one, placing further codes later.
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
        warnings.filterwarnings("ignore", r"precomputed_knn\[2\]", UserWarning)
        # Of codes in several clusters that are no neighbours at all: that is for the eye to see.
        warnings.filterwarnings("ignore", "Spectral initialisation failed", UserWarning)
        import umap

        reducer = umap.UMAP(
            n_neighbors=count,
            min_dist=recipe.least_distance,
            n_epochs=recipe.epochs,
            random_state=recipe.seed,
            n_jobs=1,
            precomputed_knn=(near, far.astype(np.float32)),
            tqdm_kwds={"disable": False, "bar_format": "{n}/{total}", "file": _Epochs(tell)},
        )
        return np.asarray(reducer.fit_transform(codes.astype(np.float32)))


class _Epochs:
    """Where UMAP's progress bar is written to, which is all that it tells of its progress.

    Parameters
    ----------
    tell
        Hears of it.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def write(self, text: str) -> None:
        """Takes "12/500", with or without a carriage return."""
        done, _, total = text.strip().partition("/")
        if done.isdecimal() and total.isdecimal() and int(total):
            self._tell(int(done) / int(total), None)

    def flush(self) -> None:
        """Has nothing to do."""
