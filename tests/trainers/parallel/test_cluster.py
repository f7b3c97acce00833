"""Workers of a real Dask cluster, and the messages when it cannot be used."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.trainers.parallel.small_jobs import job, train_alone, weights
from trainers.errors import ClusterError
from trainers.parallel import cluster_workers, train_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def local_cluster() -> Iterator[object]:
    """A real scheduler with two workers, each a process with one thread."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.filterwarnings("default")
def test_a_cluster_trains_all_runs_although_a_worker_is_killed(
    tmp_path: Path, local_cluster: object
) -> None:
    jobs = [job(tmp_path, name, seed=seed, steps=4_000) for seed, name in enumerate("abc")]
    killed: list[int] = []
    address: str = local_cluster.scheduler_address  # type: ignore[attr-defined]
    with cluster_workers(address, [tmp_path]) as workers:
        for progress in train_all(jobs, workers):
            if not killed and max(progress.active.values(), default=0) >= 400:
                first = next(iter(local_cluster.workers.values()))  # type: ignore[attr-defined]
                killed.append(first.pid)
                os.kill(first.pid, signal.SIGKILL)
    assert killed
    assert (progress.finished, progress.failed) == ({"a", "b", "c"}, {})
    assert {j.name: weights(j) for j in jobs} == train_alone(
        tmp_path / "x", "a", "b", "c", steps=4_000
    )
    assert not [*tmp_path.glob("*/lease"), *tmp_path.glob(".seen-*")]


@pytest.mark.filterwarnings("default")
def test_the_error_names_a_scheduler_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("trainers.parallel.executors._CONNECT_SECONDS", 0.2)
    address = "tcp://127.0.0.1:9"
    with (
        pytest.raises(ClusterError, match=f"No scheduler answers at {address}.*dask scheduler"),
        cluster_workers(address, [tmp_path]),
    ):
        pass


def test_without_dask_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ClusterError, match=r"uv sync --extra cluster.*Every worker needs"),
        cluster_workers("tcp://127.0.0.1:9", [tmp_path]),
    ):
        pass


@pytest.mark.filterwarnings("default")
def test_workers_that_do_not_see_the_runs_folder_are_refused(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    mine = tmp_path / "mine"
    with (
        distributed.LocalCluster(
            n_workers=1, processes=False, dashboard_address=None, silence_logs=50
        ) as cluster,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("trainers.parallel.executors.is_visible", _sees_nothing)
        with (
            pytest.raises(ClusterError, match=r"1 of 1 workers do not see .*mine.*all workers"),
            cluster_workers(cluster.scheduler_address, [mine]),
        ):
            pass
    assert not [*mine.iterdir()]


def _sees_nothing(_place: Path) -> bool:
    return False
