"""Runs whose folder is moved or deleted while the window lists them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.aeviewer.runs.test_runs_panel import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session


@pytest.fixture
def scene(session: Session, qtbot: QtBot) -> Scene:
    scene = Scene(session, qtbot, "a", "b", "c")
    shutil.rmtree(session.folder / "b")
    return scene


def test_a_run_that_is_gone_says_so_and_leaves_the_list(scene: Scene) -> None:
    scene.click("b")
    assert scene.names() == ["a", "c"]
    assert len(scene.messages) == 1
    assert scene.messages[0].startswith(
        "The run 'b' is gone: its folder was moved or deleted by another program. It was "
    )
    current = scene.session.current
    assert current is not None
    assert current.name != "b"


@pytest.mark.parametrize("act", ["continue", "rename", "folder", "trash", "settings"])
def test_nothing_is_done_with_a_run_that_is_gone(scene: Scene, act: str) -> None:
    scene.view.setCurrentIndex(scene.index("b"))
    getattr(scene.panel, f"{act}_action").trigger()
    assert scene.names() == ["a", "c"]
    assert len(scene.messages) == 1
    assert scene.queue.asked == scene.trashed == []


def test_a_run_that_goes_while_the_question_is_open_is_not_moved_to_the_trash(
    scene: Scene, tmp_path: Path
) -> None:
    scene.view.setCurrentIndex(scene.index("a"))
    scene.panel.trash_action.trigger()
    (scene.session.folder / "a").rename(tmp_path / "elsewhere")
    scene.answer("Move to trash")
    assert scene.trashed == []
    assert scene.messages == [
        "The run 'a' is gone: its folder was moved or deleted by another program. It was "
        f"{scene.session.folder / 'a'}"
    ]
