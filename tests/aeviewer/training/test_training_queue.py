from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.event_queue import (
    EventQueue,
    RunEvent,
    TrainingEnded,
    TrainingFailed,
)
from aeviewer.services.training.training_queue import Activity, TrainingQueue
from trainers import runs
from trainers.events import Finished, Started, Stopped
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session
    from trainers.config import RunConfig
    from trainers.runs import Run

TIMEOUT = 60_000
ENDLESS = 1_000_000


def small(name: str = "elu", **changes: object) -> RunConfig:
    sizes = {"latent_dim": 2, "batch_size": 10, "steps": 300, "checkpoints": (0,)}
    if name != "pca":
        sizes["hidden"] = (16,)
    return preset(name).replace(**{**sizes, **changes})


class Services:
    """The real ones, and every message that was posted."""

    def __init__(self, session: Session) -> None:
        self.session = session
        event_queue = EventQueue()
        self.compute = ComputeThread(event_queue)
        self.queue = TrainingQueue(session, self.compute, event_queue)
        self.messages: list[str] = []
        session.message_posted.connect(self.messages.append)
        self.client = ComputeClient(self.compute, "test", self.messages.append)
        self.compute.start()

    def result(self, qtbot: QtBot, work: Callable[[Any], object]) -> Any:
        """What the compute thread makes of `work`: its result, or the message of its failure."""
        results: list[object] = []
        self.client.submit("test", work, results.append, on_problem=results.append)
        qtbot.waitUntil(lambda: bool(results), timeout=TIMEOUT)
        return results[0]

    def state(self, name: str) -> str:
        return next(i.state for i in self.session.items if i.name == name)

    def key(self, name: str) -> str:
        return next(i.key for i in self.session.items if i.name == name)

    def folder(self, name: str) -> Run:
        return runs.open_run(self.session.folder / name)


@pytest.fixture
def services(qapp: object, session: Session) -> Iterator[Services]:
    made = Services(session)
    yield made
    made.queue.close()


@pytest.fixture
def training(services: Services, qtbot: QtBot) -> Services:
    """A run "a" that is under way and would go on for minutes."""
    services.queue.train(small(steps=ENDLESS), "a")
    qtbot.waitUntil(lambda: services.queue.progress.step > 0, timeout=TIMEOUT)
    return services


class TestOneRun:
    def test_it_makes_progress_and_finishes(self, services: Services, qtbot: QtBot) -> None:
        steps: list[int] = []
        services.queue.progressed.connect(lambda: steps.append(services.queue.progress.step))
        services.queue.train(small(), "a")
        assert services.queue.activity is Activity.RUNNING
        qtbot.waitUntil(lambda: services.queue.activity is Activity.IDLE, timeout=TIMEOUT)
        assert steps == sorted(steps)
        assert services.queue.progress.step == 300
        assert services.queue.progress.device == "cpu"
        assert services.state("a") == services.folder("a").status().state == RunState.FINISHED
        assert len(services.session.curves(services.key("a"))) == 300
        assert services.session.checkpoints == (0, 300)
        assert services.session.step == 300
        assert services.messages == []

    def test_it_is_current_and_followed_with_live_previews(
        self, training: Services, qtbot: QtBot
    ) -> None:
        session = training.session
        assert session.is_live
        qtbot.waitUntil(lambda: session.preview is not None, timeout=TIMEOUT)
        assert session.preview is not None
        assert session.preview.codes.shape == (10_000, 2)

    def test_pause_holds_the_step_and_resume_goes_on(
        self, training: Services, qtbot: QtBot
    ) -> None:
        queue = training.queue
        queue.pause()
        assert queue.activity is Activity.PAUSED
        assert training.state("a") == RunState.PAUSED
        # The slice under way has ended once a request made after it has its result.
        training.result(qtbot, lambda _models: True)
        training.result(qtbot, lambda _models: True)
        steps = [training.result(qtbot, lambda models: models.live.step) for _ in range(2)]
        assert steps[0] == steps[1] > 0
        queue.resume()
        assert training.state("a") == RunState.RUNNING
        qtbot.waitUntil(lambda: queue.progress.step > steps[0], timeout=TIMEOUT)

    @pytest.mark.parametrize("paused", [False, True])
    def test_stop_keeps_what_was_learnt(
        self, training: Services, qtbot: QtBot, paused: bool
    ) -> None:
        if paused:
            training.queue.pause()
        training.queue.stop()
        assert training.queue.activity is Activity.STOPPING
        qtbot.waitUntil(lambda: training.queue.activity is Activity.IDLE, timeout=TIMEOUT)
        status = training.folder("a").status()
        assert training.state("a") == status.state == RunState.STOPPED
        assert status.step == training.session.item(training.key("a")).step > 0
        assert status.step in [c.step for c in training.folder("a").checkpoints()]
        assert training.session.step == training.session.checkpoints[-1] == status.step

    def test_a_stopped_run_is_continued_where_it_stood(
        self, training: Services, qtbot: QtBot
    ) -> None:
        training.queue.stop()
        qtbot.waitUntil(lambda: training.queue.activity is Activity.IDLE, timeout=TIMEOUT)
        stopped = training.folder("a").status().step
        training.queue.continue_run(training.key("a"))
        qtbot.waitUntil(lambda: training.queue.progress.step > stopped, timeout=TIMEOUT)
        assert training.state("a") == RunState.RUNNING
        curves = training.session.curves(training.key("a"))
        assert curves.step.tolist() == list(range(1, len(curves) + 1))

    def test_pca_is_solved(self, services: Services, qtbot: QtBot) -> None:
        services.queue.train(small("pca"), "a")
        qtbot.waitUntil(lambda: services.queue.activity is Activity.IDLE, timeout=TIMEOUT)
        assert services.state("a") == RunState.FINISHED
        assert services.session.checkpoints == (1,)


class TestQueue:
    def test_the_second_waits_and_then_begins(self, training: Services, qtbot: QtBot) -> None:
        queue = training.queue
        queue.train(small(), "b")
        assert training.state("b") == RunState.QUEUED
        assert queue.waiting == (training.key("b"),)
        queue.stop()
        qtbot.waitUntil(lambda: queue.activity is Activity.IDLE, timeout=TIMEOUT)
        assert (training.state("a"), training.state("b")) == (RunState.STOPPED, RunState.FINISHED)
        assert training.session.current is not None
        assert training.session.current.name == "b"

    def test_a_waiting_run_can_be_left_out(self, training: Services) -> None:
        training.queue.train(small(), "b")
        training.queue.remove(training.key("b"))
        assert training.queue.waiting == ()
        assert training.state("b") == RunState.STOPPED

    def test_the_next_one_can_be_stopped_as_soon_as_it_begins(
        self, training: Services, qtbot: QtBot
    ) -> None:
        """Though the first still measures its last checkpoint then."""
        queue, key = training.queue, training.key
        queue.train(small(steps=ENDLESS), "b")
        queue.stop()
        qtbot.waitUntil(lambda: queue.active == (key("b"),), timeout=TIMEOUT)
        queue.stop()
        qtbot.waitUntil(lambda: queue.activity is Activity.IDLE, timeout=TIMEOUT)
        assert (training.state("a"), training.state("b")) == (RunState.STOPPED, RunState.STOPPED)

    def test_a_run_is_continued_as_soon_as_it_stopped(
        self, training: Services, qtbot: QtBot
    ) -> None:
        queue, key = training.queue, training.key("a")
        queue.stop()
        qtbot.waitUntil(lambda: not queue.active, timeout=TIMEOUT)
        stopped = training.session.item(key).step
        queue.continue_run(key)
        qtbot.waitUntil(lambda: queue.progress.step > stopped, timeout=TIMEOUT)
        assert queue.active == (key,)


class TestQuestions:
    def test_one_is_answered_while_it_trains(self, training: Services, qtbot: QtBot) -> None:
        step, thread = training.result(
            qtbot, lambda models: (models.live.step, threading.current_thread())
        )
        assert step > 0
        assert thread is not threading.main_thread()
        assert training.state("a") == RunState.RUNNING

    def test_a_failure_is_its_answer_and_harms_nothing(
        self, services: Services, qtbot: QtBot
    ) -> None:
        run = runs.create_run(small(), services.session.folder, "empty")
        assert "no checkpoint yet" in services.result(qtbot, lambda models: models.at(run, 5))
        assert services.result(qtbot, lambda _models: 42) == 42


class TestBadEnds:
    def test_closing_saves_and_the_run_goes_on_another_day(
        self, training: Services, qtbot: QtBot, session: Session
    ) -> None:
        training.queue.close()
        status = training.folder("a").status()
        assert status.state == RunState.STOPPED
        assert status.step > 0
        again = Services(session)
        try:
            again.session.refresh()
            again.queue.continue_run(again.key("a"))
            qtbot.waitUntil(lambda: again.queue.progress.step > status.step, timeout=TIMEOUT)
        finally:
            again.queue.close()

    def test_a_run_with_a_damaged_checkpoint_goes_on(
        self, training: Services, qtbot: QtBot, session: Session
    ) -> None:
        training.queue.close()
        run = training.folder("a")
        step = run.status().step
        newest = [found for found in run.checkpoints() if found.is_evaluated][-1]
        (newest.path / "evaluation.json").write_text("{")
        again = Services(session)
        try:
            again.session.forget(again.key("a"))
            again.session.refresh()
            assert again.state("a") == RunState.DAMAGED
            again.queue.continue_run(again.key("a"))
            qtbot.waitUntil(lambda: again.queue.progress.step > step, timeout=TIMEOUT)
            assert again.state("a") == RunState.RUNNING
        finally:
            again.queue.close()

    def test_divergence_is_a_state_and_one_message(self, services: Services, qtbot: QtBot) -> None:
        services.queue.train(small("vae", learning_rate=10.0), "a")
        services.queue.train(small(), "b")
        qtbot.waitUntil(lambda: services.state("a") == RunState.DIVERGED, timeout=TIMEOUT)
        assert services.state("b") == RunState.RUNNING
        (message,) = services.messages
        assert message.startswith("a: The loss ceased to be a number at step")
        assert "learning rate below 10" in message
        qtbot.waitUntil(lambda: services.queue.activity is Activity.IDLE, timeout=TIMEOUT)
        assert services.state("b") == RunState.FINISHED

    def test_an_unwritable_runs_folder_is_one_message(
        self, services: Services, tmp_path: Path
    ) -> None:
        (tmp_path / "runs").write_text("a file where the folder should be")
        services.queue.train(small(), "a")
        assert services.queue.activity is Activity.IDLE
        (message,) = services.messages
        assert "No run can be made" in message

    def test_a_run_that_another_program_trains_fails_with_one_message(
        self, services: Services, qtbot: QtBot
    ) -> None:
        run = runs.create_run(small(), services.session.folder, "a")
        services.session.refresh()
        with runs.Run(run.path).hold_for_training():
            services.queue.continue_run(str(run.path))
            qtbot.waitUntil(lambda: bool(services.messages), timeout=TIMEOUT)
        assert services.messages == [
            "The run 'a' is being trained by another program; wait for it."
        ]
        assert services.state("a") == RunState.FAILED
        assert services.queue.activity is Activity.IDLE


class FakeCompute:
    """Writes down what it is told, and does nothing."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.paused = False
        self.files = self

    def train(self, run: Run) -> None:
        self.told.append(("train", run.name))

    def stop_training(self, run: Run) -> None:
        self.told.append(("stop", run.name))

    def set_paused(self, paused: bool) -> None:
        self.paused = paused

    def close(self) -> None:
        self.told.append("close")


class TestCrossingLetters:
    """What was under way already when the person chose otherwise."""

    @pytest.fixture
    def post(self, session: Session, qapp: object) -> Iterator[Callable[..., TrainingQueue]]:
        """Posts events of run "a", and drains them; answers the queue."""
        event_queue, self.compute = EventQueue(), FakeCompute()
        queue = TrainingQueue(session, self.compute, event_queue)  # type: ignore[arg-type]
        self.messages: list[str] = []
        session.message_posted.connect(self.messages.append)

        def deliver(*events: object) -> TrainingQueue:
            for event in events:
                event_queue.put(RunEvent(str(session.folder / "a"), event))
            queue._dispatcher.drain()
            return queue

        yield deliver
        queue.close()

    def test_a_pause_at_the_very_end_does_not_hold_the_next(
        self, post: Callable[..., TrainingQueue]
    ) -> None:
        queue = post()
        queue.train(small(), "a")
        queue.train(small(), "b")
        queue.pause()
        post(Finished(300), TrainingEnded())
        assert queue.activity is Activity.RUNNING
        assert not self.compute.paused
        assert self.compute.told == [("train", "a"), ("train", "b")]

    def test_the_end_of_the_first_training_does_not_end_the_second(
        self, post: Callable[..., TrainingQueue], session: Session
    ) -> None:
        queue = post()
        queue.train(small(), "a")
        post(Stopped(10))
        queue.continue_run(session.items[0].key)
        post(TrainingEnded(), Started(10, 300, "cpu", 1))
        assert queue.activity is Activity.RUNNING
        post(Finished(300), TrainingEnded())
        assert queue.activity is Activity.IDLE
        assert session.items[0].state == RunState.FINISHED

    def test_letters_of_a_deleted_run_are_left_unread(
        self, post: Callable[..., TrainingQueue], session: Session
    ) -> None:
        queue = post()
        queue.train(small(), "a")
        post(Stopped(10))
        session.forget(session.items[0].key)
        post(TrainingFailed("its folder is gone"), TrainingEnded())
        assert queue.activity is Activity.IDLE
        assert self.messages == []

    def test_reading_the_folder_drops_no_run_in_hand(
        self, post: Callable[..., TrainingQueue], session: Session
    ) -> None:
        queue = post()
        queue.train(small(), "a")
        (session.folder / "a" / "config.json").unlink()
        session.refresh()
        assert session.items[0].state == RunState.RUNNING
        post(TrainingFailed("its folder is gone"), TrainingEnded())
        assert queue.activity is Activity.IDLE
        assert self.messages == ["its folder is gone"]
