"""Runs side by side: nothing is lost with a killed worker, nobody trains what nobody wants."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import torch
from click.testing import CliRunner

from trainers import runs
from trainers.cli.sweep_command import sweep
from trainers.errors import ClusterError, RunError
from trainers.parallel import (
    CheckpointFound,
    Ending,
    Follower,
    Job,
    Pool,
    Workers,
    cluster_workers,
    process_workers,
    train_all,
)
from trainers.parallel.lease import Lease, LeaseMonitor
from trainers.parallel.sweep import combinations
from trainers.parallel.worker import Outcome, train_run
from trainers.presets import preset
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ENDLESS = 1_000_000
_LONG_SECONDS = 120


def job(folder: Path, name: str = "a", steps: int = 60, **changes: object) -> Job:
    sizes = {"hidden": (8,), "latent_dim": 2, "batch_size": 10, "checkpoints": (0, 400)}
    return Job(folder / name, preset("elu").replace(steps=steps, **{**sizes, **changes}))


def until(happened: Callable[[], object]) -> None:
    """Waits for another process, without keeping it from its work."""
    began, pause = time.monotonic(), threading.Event()
    while not happened():
        assert time.monotonic() - began < _LONG_SECONDS
        pause.wait(0.02)


def weights(job: Job) -> bytes:
    return runs.open_run(job.path).checkpoint(job.config.steps).model.read_bytes()


def in_turn(folder: Path, *names: str, **changes: object) -> dict[str, bytes]:
    """The weights of the same runs, trained by nobody else and unbroken."""
    torch.set_num_threads(1)
    found = {}
    for seed, name in enumerate(names):
        unbroken = job(folder, name, seed=seed, **changes)
        for _ in Trainer(unbroken.open_run()):
            pass
        found[name] = weights(unbroken)
    return found


@pytest.fixture(autouse=True)
def thread_count() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def threads() -> Workers:
    """Workers of this process: as good as others, and there at once."""
    return Workers(lambda: ThreadPoolExecutor(2), 2)


def endings(pool: Pool) -> dict[str, Ending]:
    found: dict[str, Ending] = {}
    while pool.is_busy:
        found |= {ending.job.name: ending for ending in pool.poll(0.2)}
    return found


# -- leases ----------------------------------------------------------------------------------------


class TestLease:
    def test_it_holds_until_it_is_ended(self, tmp_path: Path) -> None:
        lease = Lease(tmp_path)
        assert not LeaseMonitor(tmp_path, lease.token).is_over
        lease.end()
        assert LeaseMonitor(tmp_path, lease.token).is_over
        assert not [*tmp_path.iterdir()]

    def test_one_that_was_left_behind_stops_nothing(self, tmp_path: Path) -> None:
        left, new = Lease(tmp_path), Lease(tmp_path)
        assert LeaseMonitor(tmp_path, left.token).is_over
        left.end()
        assert not LeaseMonitor(tmp_path, new.token).is_over

    def test_one_that_is_no_longer_renewed_is_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = [0.0]
        monkeypatch.setattr("trainers.parallel.lease.time.monotonic", lambda: clock[0])
        lease = Lease(tmp_path)
        leased = LeaseMonitor(tmp_path, lease.token)
        for _ in range(2_000):
            clock[0] += 0.3
            os.utime(tmp_path / "lease", ns=(0, int(1e9 * clock[0])))
            assert not leased.is_over
        for _ in range(1_000):
            clock[0] += 0.3
            if leased.is_over:
                break
        assert leased.is_over
        assert 600 + 55 < clock[0] < 600 + 90
        assert not (tmp_path / "lease").exists()

    def test_the_holder_renews_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = [0.0]
        monkeypatch.setattr("trainers.parallel.lease.time.monotonic", lambda: clock[0])
        lease = Lease(tmp_path)
        os.utime(tmp_path / "lease", (0, 0))
        lease.renew()
        assert (tmp_path / "lease").stat().st_mtime == 0
        clock[0] = 6.0
        lease.renew()
        assert (tmp_path / "lease").stat().st_mtime > 0

    def test_one_that_can_not_be_removed_is_ended_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def held_open(_place: Path) -> None:
            raise PermissionError("another process has it open")

        monkeypatch.setattr("pathlib.Path.unlink", held_open)
        lease = Lease(tmp_path)
        lease.end()
        assert LeaseMonitor(tmp_path, lease.token).is_over

    def test_a_worker_that_is_alone_stops(self, tmp_path: Path) -> None:
        assert LeaseMonitor(tmp_path, Lease(tmp_path).token, lambda: True).is_over

    def test_a_folder_that_can_not_be_written_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(RunError, match=r"'gone' cannot be written.*gone"):
            Lease(tmp_path / "gone")


def test_a_worker_that_does_not_see_the_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"does not see .*storage that all workers share"):
        train_run(job(tmp_path), "token", 1, 0.0)


# -- the pool --------------------------------------------------------------------------------------


class TestPool:
    def test_all_are_trained_and_leave_nothing_behind(
        self, tmp_path: Path, threads: Workers
    ) -> None:
        jobs = [job(tmp_path, name, seed=seed) for seed, name in enumerate("abc")]
        ended = [*train_all(jobs, threads)][-1]
        assert (ended.finished, ended.failed) == ({"a", "b", "c"}, {})
        assert ended.work[0] == ended.work[1]
        assert not [*tmp_path.glob("*/lease")]
        alone = in_turn(tmp_path / "alone", "a", "b", "c")
        assert {j.name: weights(j) for j in jobs} == alone

    def test_one_is_stopped_and_the_next_begins(self, tmp_path: Path, threads: Workers) -> None:
        pool = Pool(threads)
        endless = [job(tmp_path, name, steps=ENDLESS) for name in ("a", "b")]
        for wanted in (*endless, job(tmp_path, "c")):
            pool.submit(wanted)
        with closing(pool):
            until(lambda: not pool.poll() and _step(endless[0]))
            pool.stop(endless[0].path)
            told: dict[str, Ending] = {}
            while len(told) < 2:
                told |= {ending.job.name: ending for ending in pool.poll(0.2)}
        assert (told["a"].state, told["c"].state) == ("stopped", "finished")
        assert told["a"].step == runs.open_run(endless[0].path).checkpoint().step > 0
        assert runs.open_run(endless[1].path).status().state == "stopped"

    def test_a_failure_is_told_and_harms_no_other(self, tmp_path: Path, threads: Workers) -> None:
        pool = Pool(threads)
        diverging = job(tmp_path, "a", learning_rate=10.0, variational=True, steps=3_000)
        held = job(tmp_path, "held")
        with closing(pool), held.open_run().training():
            for wanted in (diverging, held, job(tmp_path, "c")):
                pool.submit(wanted)
            told = endings(pool)
        assert told["a"].state == "diverged"
        assert "Try a learning rate below 10" in told["a"].problem
        assert "being trained by another program" in told["held"].problem
        assert told["c"].is_done

    def test_what_waits_is_left_out_at_once(self, tmp_path: Path, threads: Workers) -> None:
        pool = Pool(threads)
        pool.submit(job(tmp_path))
        pool.stop(tmp_path / "a")
        assert [ending.state for ending in pool.poll()] == ["stopped"]
        assert not pool.is_busy
        assert not (tmp_path / "a").exists()

    def test_a_run_whose_workers_are_killed_again_and_again_is_given_up(
        self, tmp_path: Path
    ) -> None:
        made: list[_Killed] = []

        def make() -> Executor:
            made.append(_Killed())
            return made[-1]

        (told,) = endings(_with(Pool(Workers(make, 1)), job(tmp_path))).values()
        assert told.state == "failed"
        assert "was killed 3 times near step 0" in told.problem
        assert "short of memory" in told.problem
        assert len(made) == 3

    def test_a_run_that_others_had_stopped_goes_on(self, tmp_path: Path) -> None:
        """A cluster that becomes smaller has its workers end, and so has a polite kill."""
        late = _Late()
        pool = _with(Pool(Workers(lambda: late, 1)), job(tmp_path))
        pool.poll()
        late.future.set_result(Outcome("stopped", 0, "", False))
        assert pool.poll() == []
        late.begin()
        assert endings(pool)["a"].is_done

    def test_one_that_is_stopped_before_it_began_has_not_failed(self, tmp_path: Path) -> None:
        """Its worker was still starting, and could not be called off any more."""
        late = _Late()
        pool = _with(Pool(Workers(lambda: late, 1)), job(tmp_path))
        pool.poll()
        pool.stop(tmp_path / "a")
        late.begin()
        assert endings(pool) == {"a": Ending(job(tmp_path), "stopped", 0)}

    def test_a_system_that_starts_no_process_is_told(self, tmp_path: Path) -> None:
        def make() -> Executor:
            raise BlockingIOError(11, "Resource temporarily unavailable")

        (told,) = endings(_with(Pool(Workers(make, 1)), job(tmp_path))).values()
        assert told.problem.startswith("No process can be started to train 'a' (Resource temp")
        assert "Train fewer at once" in told.problem
        assert not (tmp_path / "a" / "lease").exists()


class _Late(Executor):
    """Its worker has taken what it was given, and begins when it is told to."""

    def submit(self, *call: object, **_: object) -> Future[Outcome]:  # type: ignore[override]
        self._call = call
        self.future: Future[Outcome] = Future()
        self.future.set_running_or_notify_cancel()
        return self.future

    def begin(self) -> None:
        work, *given = self._call
        self.future.set_result(work(*given))  # type: ignore[operator]


class _Killed(Executor):
    """Its workers die of whatever they are given."""

    def submit(self, *_: object, **__: object) -> Future[Outcome]:  # type: ignore[override]
        future: Future[Outcome] = Future()
        future.set_exception(BrokenExecutor("killed"))
        return future


def _with(pool: Pool, *jobs: Job) -> Pool:
    for wanted in jobs:
        pool.submit(wanted)
    return pool


def _step(job: Job) -> int:
    return runs.Run(job.path).written_status().step


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_process_loses_neither_its_run_nor_the_others(tmp_path: Path) -> None:
    made: list[Executor] = []
    real = process_workers(2)

    def make() -> Executor:
        made.append(real.make())
        return made[-1]

    jobs = [job(tmp_path, name, seed=seed, steps=4_000) for seed, name in enumerate("ab")]
    killed: list[int] = []
    for progress in train_all(jobs, Workers(make, 2, patience=5.0)):
        if not killed and min(progress.active.values(), default=0) >= 400:
            killed.append(next(iter(made[0]._processes)))  # type: ignore[attr-defined]
            os.kill(killed[0], signal.SIGKILL)
    assert progress.finished == {"a", "b"}
    assert len(made) == 2
    assert {j.name: weights(j) for j in jobs} == in_turn(tmp_path / "x", "a", "b", steps=4_000)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_workers_save_and_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    options = ["--hidden", "8", "--seed", "1,2", "--steps", str(ENDLESS), "--runs", str(tmp_path)]
    command = [sys.executable, "-m", "aeviewer", "sweep", "elu", *options, "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        found = [runs.Run(tmp_path / f"elu-d5-seed{seed}") for seed in (1, 2)]
        until(lambda: process.poll() is not None or all(r.written_status().step for r in found))
        process.kill()
    until(lambda: not any(run.is_locked for run in found))
    for run in found:
        assert run.status().state == "stopped"
        assert run.checkpoint().step == run.status().step > 0


# -- a cluster -------------------------------------------------------------------------------------


@pytest.fixture
def local_cluster() -> Iterator[object]:
    """A real scheduler with two workers, each a process with one thread."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as found:
        yield found


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.filterwarnings("default")
def test_a_cluster_trains_them_all_though_a_worker_is_killed(
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
    assert {j.name: weights(j) for j in jobs} == in_turn(tmp_path / "x", "a", "b", "c", steps=4_000)
    assert not [*tmp_path.glob("*/lease"), *tmp_path.glob(".seen-*")]


@pytest.mark.filterwarnings("default")
def test_a_scheduler_that_does_not_answer_is_named(
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


def test_a_missing_dask_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        ) as found,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("trainers.parallel.executors.is_seen", _sees_nothing)
        with (
            pytest.raises(ClusterError, match=r"1 of 1 workers do not see .*mine.*all workers"),
            cluster_workers(found.scheduler_address, [mine]),
        ):
            pass
    assert not [*mine.iterdir()]


def _sees_nothing(_place: Path) -> bool:
    return False


# -- following -------------------------------------------------------------------------------------


def test_what_a_folder_tells_is_what_the_trainer_did(tmp_path: Path) -> None:
    run = job(tmp_path, steps=500).open_run()
    follower = Follower(run)
    assert [*follower.new_events()] == []
    trainer = Trainer(run)
    for _ in trainer:
        if trainer.step > 50:
            trainer.stop()
    first = [*follower.new_events()]
    assert type(first[0]).__name__ == "Started"
    again, stopped = Follower(run), trainer.step
    assert [*follower.new_events()] == []
    trainer = Trainer(run)
    seen: list[object] = []
    for _ in trainer:
        seen += again.new_events()
    seen += again.new_events()
    kinds = [type(event).__name__ for event in seen]
    assert kinds[0] == "Started"
    steps = [s for event in seen if hasattr(event, "losses") for s in event.losses.step.tolist()]
    assert steps == sorted(set(steps))
    assert steps[-1] == 500
    assert stopped < steps[0]
    found = [event.evaluation.step for event in seen if isinstance(event, CheckpointFound)]
    assert found == [step for step in (400, 500) if step > stopped]


# -- sweeps ----------------------------------------------------------------------------------------


class TestCombinations:
    def test_every_one_has_a_telling_name(self) -> None:
        values = {"latent_dim": (2, 5), "activation": ("elu", "relu"), "seed": (1, 2, 3)}
        found = combinations(preset("elu"), values, "elu")
        assert len(found) == len({point.name for point in found}) == 12
        assert found[0].name == "elu-d2-activation=elu-seed1"
        assert found[-1].name == "elu-d5-activation=relu-seed3"
        last = found[-1].config
        assert (last.model.latent_dim, last.model.activation, last.training.seed) == (5, "relu", 3)

    def test_lists_switches_and_fractions_can_name_a_folder(self) -> None:
        values = {"hidden": ((500, 500), (256,)), "learning_rate": (1e-3, 0.01)}
        names = [point.name for point in combinations(preset("elu"), values, "mine")]
        assert names[0] == "mine-d5-hidden=500+500-learning-rate=0.001"
        switched = combinations(preset("elu"), {"variational": (False, True)}, "elu")
        assert [p.name for p in switched] == ["elu-d5-variational=no", "elu-d5-variational=yes"]

    def test_what_would_train_the_same_is_trained_once(self) -> None:
        values = {"corruption": ("none", "gaussian"), "corruption_amount": (0.1, 0.3)}
        assert len(combinations(preset("elu"), values, "elu")) == 3
        assert len(combinations(preset("pca"), {"seed": (1, 2)}, "pca")) == 1


class TestEvents:
    @pytest.fixture
    def words(self, threads: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setattr("trainers.cli.parallel_options.processes", lambda _jobs: threads)
        small = ["--steps", "20", "--hidden", "8", "--batch-size", "10", "--runs", str(tmp_path)]
        return ["elu", "--latent-dim", "2,3", "--tensorboard", *small]

    def test_a_sweep_writes_them_of_every_run(self, words: list[str], tmp_path: Path) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        done = CliRunner().invoke(sweep, words)
        assert done.exit_code == 0, done.output
        for name in ("elu-d2", "elu-d3"):
            read = EventAccumulator(str(tmp_path / name / "tensorboard"))
            read.Reload()
            assert [loss.step for loss in read.Scalars("train/loss")] == [*range(1, 21)]

    def test_what_is_missing_is_said_before_there_is_a_run(
        self, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("trainers.optional_packages.find_spec", lambda _name: None)
        done = CliRunner().invoke(sweep, words)
        assert done.exit_code == 1
        assert "needs the package tensorboard" in " ".join(done.output.split())
        assert not [*tmp_path.iterdir()]
