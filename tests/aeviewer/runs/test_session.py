from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from aeviewer.services.compute.event_queue import (
    EventQueue,
    RunEvent,
    TrainingEnded,
    merge_progress,
)
from aeviewer.services.runs.loss_curves import LossCurves
from aeviewer.services.runs.session import Session
from trainers import runs
from trainers.errors import RunError
from trainers.events import Finished, Losses, Preview, Progress
from trainers.presets import preset
from trainers.runs import RunState
from trainers.runs.metrics import Evaluation

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.settings import Settings
    from trainers.runs import Run

pytestmark = pytest.mark.usefixtures("qapp")


def losses(*steps: int) -> Losses:
    count = len(steps)
    return Losses(
        np.array(steps, np.int64),
        np.arange(count, dtype=np.float32) + 1,
        np.arange(count, dtype=np.float32),
        np.ones(count, np.float32),
    )


def evaluation(step: int, loss: float = 10.0) -> Evaluation:
    return Evaluation(
        step=step,
        images=10_000,
        squared_error=loss,
        squared_error_per_pixel=loss / 784,
        reconstruction_at_mean=loss,
        test_reconstruction=loss,
        kl=0.0,
        test_kl=0.0,
        loss_at_mean=loss,
        test_loss=loss,
    )


def made(session: Session, name: str, *steps: int, state: RunState = RunState.STOPPED) -> Run:
    """A run folder with checkpoints of those steps."""
    run = runs.create_run(preset("elu"), session.folder, name)
    for step in steps:
        run.write_checkpoint(step, b"weights")
    reached = steps[-1] if steps else 0
    run.write_status(run.status().model_copy(update={"state": state, "step": reached}))
    return run


class TestRuns:
    def test_a_missing_runs_folder_is_an_empty_list(self, session: Session) -> None:
        session.refresh()
        assert session.items == ()
        assert session.current is None
        assert session.step is None

    def test_runs_are_found_with_state_and_step(self, session: Session) -> None:
        made(session, "a", 0, 100)
        session.refresh()
        (item,) = session.items
        assert (item.name, item.state, item.step, item.steps) == (
            "a",
            RunState.STOPPED,
            100,
            50_000,
        )

    def test_a_damaged_run_is_listed_and_says_why(self, session: Session) -> None:
        run = made(session, "a")
        (run.path / "config.json").write_text("{")
        session.refresh()
        (item,) = session.items
        assert item.state == RunState.DAMAGED
        assert "config.json is damaged" in item.problem

    def test_of_a_damaged_run_all_is_shown_that_can_be_read(self, session: Session) -> None:
        run = made(session, "a", 0, 100)
        (run.path / "status.json").write_text("{")
        session.refresh()
        (item,) = session.items
        assert item.state == RunState.DAMAGED
        assert "status.json is damaged" in item.problem
        assert item.config == run.config
        session.set_current(item.key)
        assert session.checkpoints == (0, 100)

    def test_a_run_that_lost_its_config_is_listed(self, session: Session) -> None:
        run = made(session, "a", 0)
        (run.path / "config.json").unlink()
        session.refresh()
        (item,) = session.items
        assert item.state == RunState.DAMAGED
        assert "config.json is missing" in item.problem

    def test_a_run_of_a_dead_program_is_interrupted(self, session: Session) -> None:
        made(session, "a", 0, state=RunState.RUNNING)
        session.refresh()
        assert session.items[0].state == RunState.INTERRUPTED

    def test_the_demo_is_read_only_and_survives_a_refresh(self, session: Session) -> None:
        made(session, "a")
        with runs.demo_run() as demo:
            session.refresh([demo])
            session.refresh()
            assert [item.read_only for item in session.items] == [True, False]

    def test_what_is_hidden_is_remembered(self, session: Session, settings: Settings) -> None:
        key = str(made(session, "a").path)
        session.refresh()
        session.set_visible(key, False)
        again = Session(session.folder, settings)
        again.refresh()
        assert not again.item(key).visible
        assert again.item(key).colour == session.item(key).colour

    @pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.PAUSED])
    def test_a_run_in_hand_keeps_its_state_when_the_folder_is_read(
        self, session: Session, state: RunState
    ) -> None:
        key = session.add(made(session, "a"), state)
        session.refresh()
        assert session.item(key).state == state

    def test_a_run_that_ended_takes_its_state_from_its_folder(self, session: Session) -> None:
        run = made(session, "a")
        key = session.add(run, RunState.RUNNING)
        session.set_state(key, RunState.STOPPED, 7)
        run.write_status(run.status().model_copy(update={"state": RunState.FINISHED, "step": 9}))
        session.refresh()
        assert (session.item(key).state, session.item(key).step) == (RunState.FINISHED, 9)


class TestRename:
    def test_current_run_curves_colour_and_step_follow(
        self, session: Session, qtbot: QtBot
    ) -> None:
        key = str(made(session, "a", 0, 100).path)
        made(session, "b", 0)
        session.refresh()
        session.set_current(key)
        session.show_step(0)
        session.append_losses(key, losses(1, 2))
        colour = session.item(key).colour
        with qtbot.waitSignal(session.current_changed):
            session.rename(key, "renamed")
        assert session.current is not None
        assert session.current.name == "renamed"
        assert session.current.colour == colour
        assert session.step == 0
        assert len(session.curves(session.current.key)) == 2
        assert not session.has(key)

    @pytest.mark.parametrize("name", ["b", "no/slash", ""])
    def test_a_bad_name_is_one_message_and_changes_nothing(
        self, session: Session, qtbot: QtBot, name: str
    ) -> None:
        key = str(made(session, "a").path)
        made(session, "b")
        session.refresh()
        with qtbot.waitSignal(session.message_posted) as told:
            session.rename(key, name)
        assert repr(name) in told.args[0]
        assert session.item(key).name == "a"


class TestForget:
    def test_the_run_and_what_was_remembered_are_gone(
        self, session: Session, settings: Settings
    ) -> None:
        kept, key = str(made(session, "a").path), str(made(session, "b").path)
        session.refresh()
        session.set_visible(key, False)
        session.set_current(key)
        session.forget(key)
        assert [item.key for item in session.items] == [kept]
        assert session.current is not None
        assert session.current.key == kept
        assert not settings.is_hidden(key)

    def test_the_last_one_leaves_nothing_current(self, session: Session) -> None:
        key = str(made(session, "a", 0).path)
        session.refresh()
        session.forget(key)
        assert session.current is None
        assert session.checkpoints == ()
        assert session.step is None


class TestTime:
    def test_a_run_opens_at_its_newest_checkpoint(self, session: Session) -> None:
        made(session, "a", 0, 10, 100)
        session.refresh()
        assert session.checkpoints == (0, 10, 100)
        assert session.step == 100
        assert not session.is_live

    def test_only_a_kept_step_can_be_shown(self, session: Session, qtbot: QtBot) -> None:
        made(session, "a", 0, 10)
        session.refresh()
        with qtbot.waitSignal(session.step_changed):
            session.show_step(0)
        with qtbot.assertNotEmitted(session.step_changed):
            session.show_step(5)
        assert session.step == 0

    def test_following_is_live_while_it_trains_and_the_newest_after(self, session: Session) -> None:
        key = session.add(made(session, "a", 0, 10), RunState.RUNNING)
        session.set_current(key)
        session.follow()
        assert session.is_live
        session.set_state(key, RunState.STOPPED)
        session.follow()
        assert session.step == 10
        assert not session.is_live

    def test_a_new_checkpoint_joins_the_timeline_and_does_not_move_it(
        self, session: Session, qtbot: QtBot
    ) -> None:
        key = str(made(session, "a", 0).path)
        session.refresh()
        with qtbot.waitSignals([session.checkpoints_changed, session.metrics_changed]):
            session.add_checkpoint(key, evaluation(10))
        assert session.checkpoints == (0, 10)
        assert session.step == 0
        with qtbot.assertNotEmitted(session.checkpoints_changed):
            session.add_checkpoint(key, evaluation(10))

    def test_another_run_starts_without_the_old_code(self, session: Session) -> None:
        first, other = str(made(session, "a", 0).path), str(made(session, "b", 0).path)
        session.refresh()
        session.set_current(first)
        session.set_code(np.zeros(5))
        session.set_current(other)
        assert session.code is None
        assert session.image is None


class TestCurves:
    def test_rows_outlive_many_growths(self) -> None:
        curves = LossCurves()
        for first in range(1, 5_001, 50):
            curves.append(losses(*range(first, first + 50)))
        assert len(curves) == 5_000
        np.testing.assert_array_equal(curves.step, np.arange(1, 5_001))
        np.testing.assert_array_equal(curves.loss, np.tile(np.arange(50) + 1, 100))

    def test_evaluations_are_sorted_and_the_newer_one_counts(self) -> None:
        curves = LossCurves()
        for step, loss in ((10, 1.0), (0, 2.0), (10, 3.0)):
            curves.add_evaluation(evaluation(step, loss))
        assert [(e.step, e.test_loss) for e in curves.evaluations] == [(0, 2.0), (10, 3.0)]

    def test_losses_come_from_the_folder_once(self, session: Session) -> None:
        run = made(session, "a")
        run.append_metrics(losses(1, 2, 3))
        session.refresh()
        curves = session.curves(str(run.path))
        assert len(curves) == 3
        assert session.curves(str(run.path)) is curves
        session.forget_curves(str(run.path))
        assert session.curves(str(run.path)) is not curves

    def test_losses_that_can_not_be_read_are_one_message_and_an_empty_curve(
        self, session: Session, qtbot: QtBot
    ) -> None:
        run = made(session, "a")
        (run.path / "metrics.csv").mkdir()
        session.refresh()
        with qtbot.waitSignal(session.message_posted) as told:
            assert len(session.curves(str(run.path))) == 0
        assert "metrics.csv" in told.args[0]


class TestMailbox:
    def test_a_newer_preview_of_a_run_replaces_the_older(self) -> None:
        box = EventQueue()
        empty = np.empty((0, 2), np.float32), np.empty((0, 28, 28), np.uint8)
        for key, step in (("a", 1), ("b", 1), ("a", 2)):
            box.put(RunEvent(key, Preview(step, *empty)))
        assert [(x.key, x.event.step) for x in box.take_all()] == [("b", 1), ("a", 2)]

    def test_everything_else_is_kept_in_order_and_fetched_once(self) -> None:
        box = EventQueue()
        run_events = [
            RunEvent("a", Finished(1)),
            RunEvent("a", TrainingEnded()),
            RunEvent("b", Finished(2)),
        ]
        for run_event in run_events:
            box.put(run_event)
        assert box.take_all() == run_events
        assert box.take_all() == []

    def test_slices_that_follow_one_another_are_told_as_one(self) -> None:
        def slice_(key: str, first: int, last: int) -> RunEvent:
            values = np.arange(first, last + 1, dtype=np.float32)
            losses = Losses(np.arange(first, last + 1), values, values + 1, values + 2)
            return RunEvent(key, Progress(last, 100, float(last), losses))

        around = [slice_("a", 1, 2), slice_("b", 1, 1), slice_("a", 3, 5)]
        told = merge_progress([*around, RunEvent("a", Finished(5)), slice_("b", 2, 3)])
        assert [run_event.key for run_event in told] == ["a", "b", "a", "b"]
        first = told[0].event
        assert (first.step, first.seconds) == (5, 5.0)
        assert first.losses.step.tolist() == [1, 2, 3, 4, 5]
        assert first.losses.kl.tolist() == [3, 4, 5, 6, 7]
        assert told[1].event.losses.step.tolist() == [1]
        assert told[2].event == Finished(5)
        assert told[3].event.losses.step.tolist() == [2, 3]


def test_an_unreadable_runs_folder_is_one_message(
    tmp_path: Path, settings: Settings, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> list[Run]:
        raise RunError(f"The runs folder {folder} cannot be read.")

    monkeypatch.setattr(runs, "find_runs", refuse)
    session = Session(tmp_path, settings)
    with qtbot.waitSignal(session.message_posted) as told:
        session.refresh()
    assert str(tmp_path) in told.args[0]


def test_steps_that_the_folder_told_already_are_not_added_again() -> None:
    curves = LossCurves()
    values = np.ones(10, np.float32)
    for first in (1, 6, 11):
        curves.append(Losses(np.arange(first, first + 10), values, values, values))
    assert curves.step.tolist() == list(range(1, 21))


def test_runs_have_colours_of_their_own(session: Session) -> None:
    for name in "abcd":
        made(session, name)
    session.refresh()
    made(session, "e")
    session.refresh()
    assert len({item.colour for item in session.items}) == 5
    assert [item.name for item in session.items] == [*"abcde"]
