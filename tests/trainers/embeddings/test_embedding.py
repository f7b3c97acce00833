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


def ignore_progress(_share: float, _places: NDArray[np.float32] | None) -> None:
    """Does nothing with the progress."""


def make_clusters() -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Returns (150, 6) codes in three distant clusters, and the (150,) labels of the clusters."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(150) % 3)
    return (30 * np.eye(6)[labels] + rng.normal(size=(150, 6))).astype(np.float32), labels


def are_separate(places: NDArray[np.floating], labels: NDArray[np.intp]) -> bool:
    """Returns whether the 10 nearest neighbours of each point belong to its own cluster."""
    distances = np.linalg.norm(places[:, None] - places, axis=-1)
    nearest = np.argsort(distances, axis=1)[:, 1:11]
    return bool((labels[nearest] == labels[:, None]).all())


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(QUICK, id="t-sne"),
        pytest.param(UMAP(epochs=100), id="umap", marks=pytest.mark.slow),  # Numba compiles it.
    ],
)
def test_clusters_stay_separate_and_an_embedding_is_reproducible(recipe: Recipe) -> None:
    if embedding.missing_package(recipe):
        pytest.skip(embedding.missing_package(recipe))
    codes, labels = make_clusters()
    shares: list[float] = []
    result = compute_embedding(codes, recipe, lambda share, _places: shares.append(share))
    assert result.places.shape == (150, 2)
    assert result.places.dtype == np.float32
    assert are_separate(result.places, labels)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    expected = trustworthiness(codes, result.places, n_neighbors=10)
    assert result.trustworthiness == pytest.approx(expected, abs=1e-6)
    again = compute_embedding(codes, recipe, ignore_progress)
    np.testing.assert_array_equal(again.places, result.places)


def test_tsne_reports_its_current_places() -> None:
    codes, _ = make_clusters()
    reports: list[NDArray[np.float32] | None] = []
    result = compute_embedding(codes, QUICK, lambda _share, places: reports.append(places))
    assert len(reports) == 1 + 20
    assert reports[0] is not None
    assert reports[-1] is not None
    # t-SNE starts from the principal plane.
    plane = principal_plane(codes).project(codes)
    assert np.corrcoef(reports[0][:, 0], plane[:, 0])[0, 1] > 0.999
    # The last report comes before the last step.
    np.testing.assert_allclose(reports[-1], result.places, atol=0.5)
    assert np.ptp(result.places) > 10


@pytest.mark.parametrize(
    "codes", [np.ones((40, 3)), make_clusters()[0] * 1e14, make_clusters()[0][:5]]
)
def test_equal_large_or_few_codes_are_embedded(codes: NDArray[np.floating]) -> None:
    assert np.isfinite(compute_embedding(codes, QUICK, ignore_progress).places).all()


@pytest.mark.parametrize(
    ("codes", "words"),
    [(np.zeros((4, 2)), r"shape \(4, 2\)"), (np.full((9, 2), np.nan), "finite numbers")],
)
def test_too_few_and_infinite_codes_are_refused(codes: NDArray[np.floating], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compute_embedding(codes, QUICK, ignore_progress)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "find_spec", lambda _name: None)
    with pytest.raises(AEViewerError, match=r"umap-learn.*uv sync --extra umap"):
        compute_embedding(make_clusters()[0], UMAP(), ignore_progress)


def test_the_child_process_does_not_import_torch() -> None:
    script = "import sys, trainers.embeddings.embedding_process; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


# -- the cache -------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replaces the user's cache by a folder of the test."""
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_: tmp_path / "cache")
    return tmp_path / "cache" / "layouts"


@pytest.fixture
def checkpoint(tmp_path: Path) -> runs.Checkpoint:
    run = runs.create_run(preset("elu").replace(latent_dim=6), tmp_path / "runs")
    return run.write_checkpoint(7, b"weights")


CODES = make_clusters()[0]
EMBEDDING = Embedding(np.arange(300, dtype=np.float32).reshape(150, 2), 0.75)


def write_embedding(checkpoint: runs.Checkpoint) -> tuple[tuple[Path, ...], str, Path]:
    """Returns the files where the embedding may be, its key, and the file that was written."""
    key = embedding_cache.compute_key(CODES, QUICK)
    places = embedding_cache.cache_files(checkpoint, QUICK, key)
    file = embedding_cache.write(places, key, EMBEDDING)
    assert file is not None
    return places, key, file


def test_an_embedding_is_written_into_its_checkpoint(checkpoint: runs.Checkpoint) -> None:
    places, key, file = write_embedding(checkpoint)
    assert file == checkpoint.path / "layout-tsne.safetensors"
    found = embedding_cache.read(places, key, 150)
    assert found is not None
    np.testing.assert_array_equal(found.places, EMBEDDING.places)
    assert found.trustworthiness == 0.75
    assert [c.step for c in checkpoint.run.checkpoints()] == [7]


def test_an_embedding_of_other_codes_or_by_another_recipe_or_version_is_not_used(
    checkpoint: runs.Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, key, _ = write_embedding(checkpoint)
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
def test_a_damaged_file_is_not_used(checkpoint: runs.Checkpoint, damage: str) -> None:
    places, key, file = write_embedding(checkpoint)
    content = file.read_bytes()
    nan = EMBEDDING.places.copy()
    nan[3, 1] = np.nan
    if damage == "nan":
        embedding_cache.write([file, file], key, Embedding(nan, 0.5))
    else:
        damaged = {"cut": content[:-9], "grown": content + bytes(10_000), "other": b"no tensor"}
        file.write_bytes(damaged[damage])
    assert embedding_cache.read(places, key, 150) is None


def test_the_embedding_of_a_read_only_run_is_written_to_the_users_cache(
    checkpoint: runs.Checkpoint, cache: Path
) -> None:
    run = runs.Run(checkpoint.run.path, read_only=True)
    places, key, file = write_embedding(run.checkpoint(7))
    assert file.parent == cache
    assert embedding_cache.read(places, key, 150) is not None
    assert [path.name for path in checkpoint.path.iterdir()] == ["model.safetensors"]


def test_a_deleted_run_is_not_created_again(checkpoint: runs.Checkpoint, cache: Path) -> None:
    checkpoint.run.discard()
    _, _, file = write_embedding(checkpoint)
    assert file.parent == cache
    assert not checkpoint.path.exists()


# -- the child process -----------------------------------------------------------------------------


def test_the_child_process_reports_its_progress_and_writes_the_embedding(
    checkpoint: runs.Checkpoint,
) -> None:
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
    child.end()
    found = embedding_cache.read(places, key, 150)
    assert found is not None
    np.testing.assert_array_equal(found.places, message.places)
    expected = compute_embedding(CODES, QUICK, ignore_progress)
    np.testing.assert_array_equal(found.places, expected.places)


def test_the_child_process_reports_unsuitable_codes() -> None:
    child = embedding_process.start_embedding(QUICK, "key", ())
    assert child.receive() == embedding_process.Ready()
    child.send(CODES[:3])
    failure = child.receive()
    child.end()
    assert isinstance(failure, ChildFailure)
    assert "at least 5 codes are needed" in failure.problem


def test_the_child_process_ends_when_its_pipe_is_closed() -> None:
    child = embedding_process.start_embedding(TSNE(steps=10**9), "key", ())
    assert child.receive() == embedding_process.Ready()
    child.send(CODES)
    assert isinstance(child.receive(), embedding_process.EmbeddingProgress)
    child.connection.close()
    child.process.join()
    assert child.process.exitcode == 0
