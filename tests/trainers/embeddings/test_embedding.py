from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
import pytest
from sklearn.manifold import trustworthiness

from trainers import runs
from trainers.child_process import ChildFailure
from trainers.embeddings import embedding, embedding_cache, embedding_process
from trainers.embeddings.embedding import TSNE, UMAP, Embedding, compute_embedding
from trainers.errors import AEViewerError
from trainers.exploration.planes import principal_plane
from trainers.presets import preset

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from trainers.embeddings.embedding import Recipe

QUICK = TSNE(early_steps=100, steps=100)


def quiet(_share: float, _places: NDArray[np.float32] | None) -> None:
    """Hears of progress."""


def clusters() -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """(150, 6) codes in three clusters far apart, and which each is of."""
    dice = np.random.default_rng(0)
    labels = dice.permutation(np.arange(150) % 3)
    return (30 * np.eye(6)[labels] + dice.normal(size=(150, 6))).astype(np.float32), labels


def are_apart(places: NDArray[np.floating], labels: NDArray[np.intp]) -> bool:
    """Whether every point's nearest 10 are of its own cluster."""
    away = np.linalg.norm(places[:, None] - places, axis=-1)
    nearest = np.argsort(away, axis=1)[:, 1:11]
    return bool((labels[nearest] == labels[:, None]).all())


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(QUICK, id="t-sne"),
        pytest.param(UMAP(epochs=100), id="umap", marks=pytest.mark.slow),  # it compiles itself
    ],
)
def test_clusters_stay_apart_and_a_layout_is_always_the_same(recipe: Recipe) -> None:
    if embedding.missing_package(recipe):
        pytest.skip(embedding.missing_package(recipe))
    codes, labels = clusters()
    shares: list[float] = []
    layout = compute_embedding(codes, recipe, lambda share, _places: shares.append(share))
    assert layout.places.shape == (150, 2)
    assert layout.places.dtype == np.float32
    assert are_apart(layout.places, labels)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    expected = trustworthiness(codes, layout.places, n_neighbors=10)
    assert layout.trustworthiness == pytest.approx(expected, abs=1e-6)
    np.testing.assert_array_equal(compute_embedding(codes, recipe, quiet).places, layout.places)


def test_tsne_tells_the_places_so_far() -> None:
    codes, _ = clusters()
    told: list[NDArray[np.float32] | None] = []
    layout = compute_embedding(codes, QUICK, lambda _share, places: told.append(places))
    assert len(told) == 1 + 20
    assert told[0] is not None
    assert told[-1] is not None
    # It begins with the principal plane.
    plane = principal_plane(codes).project(codes)
    assert np.corrcoef(told[0][:, 0], plane[:, 0])[0, 1] > 0.999
    # Told before the last step is made.
    np.testing.assert_allclose(told[-1], layout.places, atol=0.5)
    assert np.ptp(layout.places) > 10


@pytest.mark.parametrize("codes", [np.ones((40, 3)), clusters()[0] * 1e14, clusters()[0][:5]])
def test_codes_at_one_place_very_large_or_few_are_laid_out(codes: NDArray[np.floating]) -> None:
    assert np.isfinite(compute_embedding(codes, QUICK, quiet).places).all()


@pytest.mark.parametrize(
    ("codes", "words"),
    [(np.zeros((4, 2)), r"shape \(4, 2\)"), (np.full((9, 2), np.nan), "finite numbers")],
)
def test_what_is_no_table_of_codes_is_refused(codes: NDArray[np.floating], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compute_embedding(codes, QUICK, quiet)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "find_spec", lambda _name: None)
    with pytest.raises(AEViewerError, match=r"umap-learn.*uv sync --extra umap"):
        compute_embedding(clusters()[0], UMAP(), quiet)


def test_what_the_process_imports_is_no_torch() -> None:
    script = "import sys, trainers.embeddings.embedding_process; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


# -- kept ------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's cache of the test's own."""
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_: tmp_path / "cache")
    return tmp_path / "cache" / "layouts"


@pytest.fixture
def checkpoint(tmp_path: Path) -> runs.Checkpoint:
    run = runs.create_run(preset("elu").replace(latent_dim=6), tmp_path / "runs")
    return run.write_checkpoint(7, b"weights")


CODES = clusters()[0]
MADE = Embedding(np.arange(300, dtype=np.float32).reshape(150, 2), 0.75)


def keep(checkpoint: runs.Checkpoint) -> tuple[tuple[Path, ...], str, Path]:
    """Where it may be, its key, and where it is."""
    key = embedding_cache.compute_key(CODES, QUICK)
    places = embedding_cache.cache_files(checkpoint, QUICK, key)
    kept = embedding_cache.write(places, key, MADE)
    assert kept is not None
    return places, key, kept


def test_a_layout_is_kept_with_its_checkpoint(checkpoint: runs.Checkpoint) -> None:
    places, key, kept = keep(checkpoint)
    assert kept == checkpoint.path / "layout-tsne.safetensors"
    found = embedding_cache.read(places, key, 150)
    assert found is not None
    np.testing.assert_array_equal(found.places, MADE.places)
    assert found.trustworthiness == 0.75
    assert [c.step for c in checkpoint.run.checkpoints()] == [7]


def test_one_of_other_codes_recipe_or_version_is_none(
    checkpoint: runs.Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, key, _ = keep(checkpoint)
    others = {
        embedding_cache.compute_key(CODES + np.float32(1e-3), QUICK),
        embedding_cache.compute_key(CODES, TSNE()),
    }
    monkeypatch.setattr(embedding_cache, "library_version", lambda _recipe: "openTSNE 99")
    others.add(embedding_cache.compute_key(CODES, QUICK))
    assert len({key, *others}) == 4
    assert [embedding_cache.read(places, other, 150) for other in others] == [None] * 3
    assert embedding_cache.read(places, key, 149) is None


@pytest.mark.parametrize("damage", ["cut", "grown", "other", "nan"])
def test_a_damaged_one_is_none(checkpoint: runs.Checkpoint, damage: str) -> None:
    places, key, kept = keep(checkpoint)
    content = kept.read_bytes()
    nan = MADE.places.copy()
    nan[3, 1] = np.nan
    if damage == "nan":
        embedding_cache.write([kept, kept], key, Embedding(nan, 0.5))
    else:
        damaged = {"cut": content[:-9], "grown": content + bytes(10_000), "other": b"no tensor"}
        kept.write_bytes(damaged[damage])
    assert embedding_cache.read(places, key, 150) is None


def test_of_a_run_that_is_read_only_it_is_kept_in_the_cache(
    checkpoint: runs.Checkpoint, cache: Path
) -> None:
    run = runs.Run(checkpoint.run.path, read_only=True)
    places, key, kept = keep(run.checkpoint(7))
    assert kept.parent == cache
    assert embedding_cache.read(places, key, 150) is not None
    assert [path.name for path in checkpoint.path.iterdir()] == ["model.safetensors"]


def test_a_run_that_is_gone_stays_gone(checkpoint: runs.Checkpoint, cache: Path) -> None:
    checkpoint.run.discard()
    _, _, kept = keep(checkpoint)
    assert kept.parent == cache
    assert not checkpoint.path.exists()


# -- in a process of its own -----------------------------------------------------------------------


def test_a_process_tells_how_far_it_is_and_keeps_the_layout(checkpoint: runs.Checkpoint) -> None:
    key = embedding_cache.compute_key(CODES, QUICK)
    places = embedding_cache.cache_files(checkpoint, QUICK, key)
    child = embedding_process.start_embedding(QUICK, key, places)
    assert child.receive() == embedding_process.Ready()
    child.send(CODES)
    message = child.receive()
    assert isinstance(message, embedding_process.EmbeddingProgress)
    assert message.share == 0
    while isinstance(message, embedding_process.EmbeddingProgress):
        message = child.receive()
    child.process.join()
    child.end()
    kept = embedding_cache.read(places, key, 150)
    assert kept is not None
    np.testing.assert_array_equal(kept.places, message.places)
    np.testing.assert_array_equal(kept.places, compute_embedding(CODES, QUICK, quiet).places)


def test_a_process_tells_what_is_wrong_with_the_codes() -> None:
    child = embedding_process.start_embedding(QUICK, "key", ())
    assert child.receive() == embedding_process.Ready()
    child.send(CODES[:3])
    failed = child.receive()
    child.process.join()
    child.end()
    assert isinstance(failed, ChildFailure)
    assert "at least 5 codes are needed" in failed.problem


def test_a_process_to_which_nobody_listens_ends() -> None:
    child = embedding_process.start_embedding(TSNE(steps=10**9), "key", ())
    assert child.receive() == embedding_process.Ready()
    child.send(CODES)
    assert isinstance(child.receive(), embedding_process.EmbeddingProgress)
    child.connection.close()
    child.process.join()
    assert child.process.exitcode == 0


def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os\n"
        "from trainers.embeddings import embedding, embedding_process\n"
        "if __name__ == '__main__':\n"
        "    child = embedding_process.start_embedding(embedding.TSNE(), 'key', ())\n"
        "    child.receive()\n"
        "    os._exit(0)  # as a crash: nobody tidies up\n"
    )
    # Its standard output is closed when the last process that holds it has ended.
    done = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, check=False)
    assert done.returncode == 0
