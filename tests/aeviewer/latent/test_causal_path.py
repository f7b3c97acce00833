"""What happens when a run, a step or a code is chosen: each thing once, and nothing read twice."""

from __future__ import annotations

from collections import Counter
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

import numpy as np
import pytest

from aeviewer.panels.latent.latent_panel import LatentPanel
from aeviewer.panels.latent.reconstructions_panel import ReconstructionsPanel
from aeviewer.services.compute.request_thread import RequestThread
from aeviewer.services.latent.undo_state import Pin
from tests.aeviewer.explored_run import ExploredServices, copy_run
from trainers import runs
from trainers.presets import preset
from trainers.runs import Checkpoint, RunState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from aeviewer.services.compute.request_thread import Request
    from aeviewer.services.runs.session import Session
    from tests.aeviewer.explored_run import TrainRun
    from trainers.events import Preview


class Counts(Counter[str]):
    """How often each signal was emitted, each request made, and each checkpoint read."""

    def __init__(self, explored: ExploredServices, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.reads_by_the_window = 0
        session, latent = explored.session, explored.latent_state
        for owner, name in (
            (session, "preview_changed"),
            (session, "code_changed"),
            (latent, "places_changed"),
            (latent, "run_changed"),
        ):
            getattr(owner, name).connect(lambda name=name: self.update([name]))
        submit, preview = RequestThread.submit, Checkpoint.preview

        def count_request(thread: RequestThread, request: Request) -> None:
            if is_work(request):
                self.update([request.channel])
            submit(thread, request)

        def count_read(checkpoint: Checkpoint) -> Preview:
            self.update(["reads"])
            self.reads_by_the_window += current_thread() is main_thread()
            return preview(checkpoint)

        monkeypatch.setattr(RequestThread, "submit", count_request)
        monkeypatch.setattr(Checkpoint, "preview", count_read)


def is_work(request: Request) -> bool:
    """Whether a request is more than the cancellation of an earlier one."""
    return getattr(request.work, "__name__", "") != "_do_nothing"


@pytest.fixture
def explored(session: Session, trained_run: TrainRun) -> Iterator[ExploredServices]:
    for name in ("elu", "vae"):
        copy_run(trained_run(name, 3), session.folder)
    explored = ExploredServices(session)
    yield explored
    explored.close()


@pytest.fixture
def counts(
    explored: ExploredServices, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Counts]:
    """Counts from the moment when the first run is shown and nothing is under way."""
    session = explored.session
    panel, reconstructions = LatentPanel(explored), ReconstructionsPanel(session)
    for widget in (panel, reconstructions):
        qtbot.addWidget(widget)
        widget.show()
    explored.point_inspector.set_enabled(True)
    explored.directions.set_enabled(True)
    session.refresh()
    settle(explored, qtbot)
    yield Counts(explored, monkeypatch)


def settle(explored: ExploredServices, qtbot: QtBot) -> None:
    """Waits until the image of the code has come and the compute thread has nothing left to do."""
    session = explored.session
    qtbot.waitUntil(lambda: session.image is not None and not session.is_loading)
    done: list[object] = []
    for _ in range(3):
        explored.idle_client.submit("settle", lambda _models: True, done.append)
        qtbot.waitUntil(lambda: bool(done))
        done.clear()


def test_choosing_a_run_does_everything_once(
    explored: ExploredServices, counts: Counts, qtbot: QtBot
) -> None:
    session = explored.session
    other = next(item.key for item in session.items if item != session.current)
    session.set_current(other)
    settle(explored, qtbot)
    assert counts["run_changed"] == 1
    assert counts["preview_changed"] == 1
    assert counts["places_changed"] == 1
    assert counts["reads"] == 1
    assert counts.reads_by_the_window == 0
    assert counts["step image"] == 1
    assert counts["point details result"] == 1
    assert counts["directions result"] == 1


def test_choosing_a_step_does_everything_once(
    explored: ExploredServices, counts: Counts, qtbot: QtBot
) -> None:
    session = explored.session
    session.show_step(session.checkpoints[0])
    settle(explored, qtbot)
    assert session.preview is not None
    assert session.preview.step == session.checkpoints[0]
    assert counts["preview_changed"] == 1
    assert counts["places_changed"] == 1
    assert counts["reads"] == 1
    assert counts.reads_by_the_window == 0
    assert counts["step image"] == 1
    assert counts["point details result"] == 1
    assert counts["directions result"] == 1


def test_a_press_decodes_once_and_reads_nothing(
    explored: ExploredServices, counts: Counts, qtbot: QtBot
) -> None:
    explored.latent_state.move(np.ones(3, np.float32))
    settle(explored, qtbot)
    assert counts["code_changed"] == 1
    assert counts["preview_changed"] == counts["places_changed"] == counts["reads"] == 0
    assert counts["step image"] == 1
    assert counts["point details result"] == 1
    assert counts["directions result"] == 1


def test_a_saved_checkpoint_leaves_what_is_shown_alone(
    explored: ExploredServices, counts: Counts, qtbot: QtBot
) -> None:
    session = explored.session
    assert session.current is not None
    session.add_step(session.current.key, 1_000)
    settle(explored, qtbot)
    assert 1_000 in session.checkpoints
    assert counts["preview_changed"] == counts["places_changed"] == counts["reads"] == 0
    assert counts["step image"] == 0


def test_the_state_is_whole_before_the_first_signal(
    explored: ExploredServices, counts: Counts, qtbot: QtBot
) -> None:
    session = explored.session
    other = next(item.key for item in session.items if item != session.current)
    seen: list[tuple[object, ...]] = []

    def look() -> None:
        current = session.current
        seen.append(
            (current and current.key, session.step, session.preview, session.code, session.image)
        )

    session.current_changed.connect(look)
    session.set_current(other)
    newest = session.checkpoints[-1]
    assert seen == [(other, newest, None, None, None)]
    settle(explored, qtbot)


def test_a_renamed_run_keeps_its_step_its_code_and_its_pins(
    explored: ExploredServices, counts: Counts, qtbot: QtBot
) -> None:
    session, latent = explored.session, explored.latent_state
    assert session.current is not None
    session.show_step(session.checkpoints[1])
    code = np.full(3, 0.5, np.float32)
    latent.pin(Pin(code))
    settle(explored, qtbot)
    codes = latent.codes
    session.rename(session.current.key, "renamed")
    settle(explored, qtbot)
    assert session.shown == (session.run(session.current.key), session.checkpoints[1])
    assert session.current.name == "renamed"
    np.testing.assert_array_equal(latent.codes, codes)
    np.testing.assert_array_equal(session.code, code)
    assert [pin.code is code for pin in latent.pins] == [True]
    assert counts.reads_by_the_window == 0


@pytest.mark.usefixtures("counts")
def test_a_run_without_checkpoints_shows_nothing_of_the_run_before(
    explored: ExploredServices, qtbot: QtBot
) -> None:
    session, latent = explored.session, explored.latent_state
    explored.drawing.set_image(np.full((28, 28), 99, np.uint8))
    qtbot.waitUntil(lambda: explored.drawing.result is not None)
    untrained = runs.create_run(preset("elu"), session.folder, "untrained")
    key = session.add(untrained, RunState.NEW)
    latent.move(np.ones(3, np.float32))
    session.set_current(key)  # The image of the code has been requested, and may still arrive.
    done: list[object] = []
    explored.idle_client.submit("settle", lambda _models: True, done.append)
    qtbot.waitUntil(lambda: bool(done))
    assert session.preview is None
    assert session.image is None
    assert latent.codes is None
    assert explored.drawing.result is None
    assert explored.point_inspector.details is None
    assert explored.directions.steps is None
