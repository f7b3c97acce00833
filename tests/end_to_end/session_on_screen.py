"""A person's session with the program, in a real window.

Not collected by itself: `test_on_a_real_screen.py` runs it in a process that has a screen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QSlider, QSpinBox, QToolButton

from aeviewer import theme
from aeviewer.services.training.training_queue import Activity
from tests.end_to_end.person import Person, close, opened, xdotool
from trainers import runs
from trainers.runs import RunState

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from aeviewer.settings import Settings


def _begin(person: Person, steps: int = 200_000) -> str:
    """Fills in a small model with many steps, and presses Train."""
    form = person.window.experiment
    box = form.findChild(QSpinBox, "steps")
    assert box is not None
    person.click(box, QPoint(20, box.height() // 2))
    person.until(box.hasFocus)
    person.press("ctrl+a")
    xdotool("type", str(steps))
    person.press("Return")
    person.until(lambda: box.value() == steps)
    person.press("ctrl+Return")
    person.until(lambda: person.queue.active)
    return person.queue.active[0]


def test_at_first_start_the_demo_can_be_explored(person: Person) -> None:
    session, plane = person.session, person.plane
    assert session.current is not None
    assert session.current.read_only
    person.until(lambda: session.preview is not None and session.image is not None)
    person.picture("first-start")
    centre, seen = plane.rect().center(), []
    for aside in (QPoint(-120, 60), QPoint(90, -70)):
        before = session.image
        person.click(plane, centre + aside)
        person.until(lambda old=before: session.image is not old)
        seen.append(session.image)
    assert np.abs(seen[0] - seen[1]).max() > 0.2
    before = session.image
    person.drag(plane, centre + QPoint(-150, -100), centre + QPoint(150, 100))
    person.until(lambda: session.image is not before)
    code = session.code
    person.press("Right")
    person.until(lambda: session.code is not code)
    assert session.code[0] > code[0]


def test_scrubbing_the_timeline_goes_back_and_forth(person: Person) -> None:
    session, slider = person.session, person.window.timeline.findChild(QSlider)
    assert slider is not None
    person.until(lambda: session.preview is not None)
    last, codes = session.step, session.preview.codes
    middle = slider.height() // 3
    person.drag(slider, QPoint(slider.width() - 12, middle), QPoint(6, middle))
    person.until(lambda: session.step == 0 and session.preview.step == 0)
    assert not np.allclose(session.preview.codes, codes)
    person.picture("step-0")
    slider.setFocus()
    person.press("End")
    person.until(lambda: session.step == last and session.preview.step == last)
    assert np.allclose(session.preview.codes, codes)


def test_train_watch_pause_resume_stop(person: Person) -> None:
    session, queue, plane = person.session, person.queue, person.plane
    key = _begin(person)
    person.until(lambda: queue.progress.step > 200)
    assert session.is_live
    person.until(lambda: session.preview is not None and session.preview.step > 0)
    first = session.preview
    person.until(lambda: session.preview.step > first.step)
    assert len(session.curves(key)) >= session.preview.step > 0
    person.until(lambda: session.code is not None)
    before = session.image
    person.click(plane, plane.rect().center() + QPoint(40, 30))
    person.until(lambda: session.image is not None and session.image is not before)
    person.picture("training")

    person.press("ctrl+p")
    person.until(lambda: queue.activity is Activity.PAUSED)
    held = person.settled(lambda: queue.progress.step)
    person.qtbot.wait(500)
    assert queue.progress.step == held
    person.press("ctrl+p")
    person.until(lambda: queue.progress.step > held)

    person.press("ctrl+period")
    person.until(lambda: queue.activity is Activity.IDLE)
    assert session.item(key).state == RunState.STOPPED
    run = session.run(key)
    assert run.status().state == RunState.STOPPED
    assert run.checkpoint().step == run.status().step >= held
    person.until(lambda: run.checkpoint().is_evaluated)


def test_a_second_run_waits_behind_the_first(person: Person) -> None:
    first = _begin(person)
    person.window.experiment.set_latent_dim(3)  # The same run again would be asked about.
    person.press("ctrl+Return")
    person.until(lambda: len(person.queue.waiting) == 1)
    second = person.queue.waiting[0]
    person.until(lambda: person.queue.progress.step > 0)
    person.press("ctrl+period")
    person.until(lambda: person.queue.active == (second,))
    assert person.session.item(first).state == RunState.STOPPED
    person.until(lambda: person.queue.progress.step > 0)
    assert person.session.current.key == second


def test_closing_while_training_keeps_everything(
    person: Person, qtbot: QtBot, tmp_path: Path, store: Settings
) -> None:
    key = _begin(person)
    person.until(lambda: person.queue.progress.step > 300)
    seen = person.queue.progress.step
    person.window.runs.parentWidget().close()
    close(person)
    status = runs.open_run(Path(key)).status()
    assert status.state == RunState.STOPPED
    assert status.step >= seen
    with runs.demo_run() as demo:
        again = opened(tmp_path / "runs", store, qtbot, demo)
        assert again.session.current.key == key
        assert again.session.item(key).state == RunState.STOPPED
        assert not again.window.runs.isVisible()
        assert again.session.checkpoints[-1] == status.step
        assert len(again.session.curves(key)) == status.step
        again.until(lambda: again.session.preview is not None)
        again.queue.continue_run(key)
        again.until(lambda: again.queue.progress.step > status.step)
        close(again)


def test_themes_and_empty_places(person: Person, qapp: QApplication) -> None:
    buttons = [b for b in person.window.findChildren(QToolButton) if b.isVisible()]
    named = [b for b in buttons if b.accessibleName() or b.text() or b.toolTip()]
    assert len(named) == len(buttons)
    theme.apply_theme(qapp, "light")
    person.qtbot.wait(200)
    person.picture("light")
    theme.apply_theme(qapp, "dark")
