"""The pool: all runs end as if trained alone, also when workers or processes are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.trainers.parallel.small_jobs import (
    ENDLESS,
    collect_endings,
    job,
    step_of,
    submit,
    train_alone,
    wait_until,
    weights,
)
from trainers import runs
from trainers.errors import RunError
from trainers.parallel import Ending, Pool, Workers, process_workers, train_all
from trainers.parallel.worker import Outcome, train_run
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path


class _LateExecutor(Executor):
    """An executor whose worker has accepted the job and runs it when `begin` is called."""

    def submit(self, *call: object, **_: object) -> Future[Outcome]:  # type: ignore[override]
        self._call = call
        self.future: Future[Outcome] = Future()
        self.future.set_running_or_notify_cancel()
        return self.future

    def begin(self) -> None:
        function, *arguments = self._call
        self.future.set_result(function(*arguments))  # type: ignore[operator]


class _BrokenExecutor(Executor):
    """An executor whose workers are killed by every job."""

    def submit(self, *_: object, **__: object) -> Future[Outcome]:  # type: ignore[override]
        future: Future[Outcome] = Future()
        future.set_exception(BrokenExecutor("killed"))
        return future


def test_runs_of_a_pool_equal_runs_trained_alone(tmp_path: Path, threads: Workers) -> None:
    jobs = [job(tmp_path, name, seed=seed) for seed, name in enumerate("abc")]
    ended = [*train_all(jobs, threads)][-1]
    assert (ended.finished, ended.failed) == ({"a", "b", "c"}, {})
    assert ended.work[0] == ended.work[1]
    assert not [*tmp_path.glob("*/lease")]
    alone = train_alone(tmp_path / "alone", "a", "b", "c")
    assert {j.name: weights(j) for j in jobs} == alone


def test_after_a_run_is_stopped_the_next_one_begins(tmp_path: Path, threads: Workers) -> None:
    pool = Pool(threads)
    endless = [job(tmp_path, name, steps=ENDLESS) for name in ("a", "b")]
    submit(pool, *endless, job(tmp_path, "c"))
    with closing(pool):
        wait_until(lambda: not pool.poll() and step_of(endless[0]))
        pool.stop(endless[0].path)
        ended: dict[str, Ending] = {}
        while len(ended) < 2:
            ended |= {ending.job.name: ending for ending in pool.poll(0.2)}
    assert (ended["a"].state, ended["c"].state) == (RunState.STOPPED, RunState.FINISHED)
    assert ended["a"].step == runs.open_run(endless[0].path).checkpoint().step > 0
    assert runs.open_run(endless[1].path).status().state == RunState.STOPPED


def test_a_failed_run_does_not_harm_the_others(tmp_path: Path, threads: Workers) -> None:
    pool = Pool(threads)
    diverging = job(tmp_path, "a", learning_rate=10.0, variational=True, steps=3_000)
    locked = job(tmp_path, "locked")
    with closing(pool), locked.open_run().hold_for_training():
        ended = collect_endings(submit(pool, diverging, locked, job(tmp_path, "c")))
    assert ended["a"].state == RunState.DIVERGED
    assert "learning rate" in ended["a"].problem
    assert "another program" in ended["locked"].problem
    assert ended["c"].is_done


def test_a_waiting_job_is_stopped_at_once(tmp_path: Path, threads: Workers) -> None:
    pool = Pool(threads)
    pool.submit(job(tmp_path))
    pool.stop(tmp_path / "a")
    assert [ending.state for ending in pool.poll()] == [RunState.STOPPED]
    assert not pool.is_busy
    assert not (tmp_path / "a").exists()


def test_a_run_fails_after_three_workers_were_killed(tmp_path: Path) -> None:
    executors: list[Executor] = []

    def make() -> Executor:
        executors.append(_BrokenExecutor())
        return executors[-1]

    (ending,) = collect_endings(submit(Pool(Workers(make, 1)), job(tmp_path))).values()
    assert ending.state == RunState.FAILED
    assert "was killed 3 times near step 0" in ending.problem
    assert len(executors) == 3


def test_a_run_that_was_stopped_from_outside_continues(tmp_path: Path) -> None:
    """A cluster that shrinks ends workers, and so does SIGTERM."""
    late = _LateExecutor()
    pool = submit(Pool(Workers(lambda: late, 1)), job(tmp_path))
    pool.poll()
    late.future.set_result(Outcome(RunState.STOPPED, 0, "", False))
    assert pool.poll() == []
    late.begin()
    assert collect_endings(pool)["a"].is_done


def test_a_run_that_is_stopped_before_it_begins_has_not_failed(tmp_path: Path) -> None:
    """Its worker is still starting, and its future can no longer be cancelled."""
    late = _LateExecutor()
    pool = submit(Pool(Workers(lambda: late, 1)), job(tmp_path))
    pool.poll()
    pool.stop(tmp_path / "a")
    late.begin()
    assert collect_endings(pool) == {"a": Ending(job(tmp_path), RunState.STOPPED, 0)}


def test_a_process_that_cannot_be_started_is_reported(tmp_path: Path) -> None:
    def make() -> Executor:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    (ending,) = collect_endings(submit(Pool(Workers(make, 1)), job(tmp_path))).values()
    assert "'a' cannot be started (Resource temp" in ending.problem
    assert not (tmp_path / "a" / "lease").exists()


def test_a_worker_reports_a_folder_that_it_does_not_see(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"does not see .*storage that all workers share"):
        train_run(job(tmp_path), "token", 1, 0.0)


# -- processes ------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_after_a_worker_is_killed_all_runs_end_as_uninterrupted_ones(tmp_path: Path) -> None:
    executors: list[Executor] = []
    real = process_workers(2)

    def make() -> Executor:
        executors.append(real.make())
        return executors[-1]

    jobs = [job(tmp_path, name, seed=seed, steps=4_000) for seed, name in enumerate("ab")]
    killed: list[int] = []
    for progress in train_all(jobs, Workers(make, 2, patience=5.0)):
        if not killed and min(progress.active.values(), default=0) >= 400:
            killed.append(next(iter(executors[0]._processes)))  # type: ignore[attr-defined]
            os.kill(killed[0], signal.SIGKILL)
    assert progress.finished == {"a", "b"}
    assert len(executors) == 2
    assert {j.name: weights(j) for j in jobs} == train_alone(tmp_path / "x", "a", "b", steps=4_000)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_workers_save_and_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    options = ["--hidden", "8", "--seed", "1,2", "--steps", str(ENDLESS), "--runs", str(tmp_path)]
    command = [sys.executable, "-m", "aeviewer", "sweep", "elu", *options, "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        trained = [runs.Run(tmp_path / f"elu-d5-seed{seed}") for seed in (1, 2)]
        wait_until(lambda: process.poll() is not None or _have_begun(trained))
        process.kill()
    wait_until(lambda: not any(run.is_locked for run in trained))
    for run in trained:
        assert run.status().state == RunState.STOPPED
        assert run.checkpoint().step == run.status().step > 0


def _have_begun(trained: list[runs.Run]) -> bool:
    return all(run.written_status().step for run in trained)
