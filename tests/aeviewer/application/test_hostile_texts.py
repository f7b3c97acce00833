"""Whatever a run, a data set or an archive calls itself, the window shows it as it is."""

from __future__ import annotations

import json
import zipfile
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication
from safetensors import safe_open
from safetensors.numpy import save_file

from aeviewer.app import Program
from aeviewer.panels.application.text_windows import (
    AboutWindow,
    CrashWindow,
    LogWindow,
    ManualWindow,
)
from aeviewer.panels.training.reproduce_dialog import ReproduceDialog
from aeviewer.services.latent.undo_state import Pin
from aeviewer.services.system.log import SessionLog
from aeviewer.widgets.displays.figure_export import Figure
from aeviewer.widgets.inputs.message_boxes import ask
from aeviewer.widgets.labels import one_line, replace_controls
from tests.aeviewer.application.shown_texts import all_shown
from tests.aeviewer.explored_run import train_run
from tests.trainers.datasets.sample_images import folder, kept
from trainers.datasets import store
from trainers.exploration.views import View
from trainers.runs import Run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.settings import Settings

TEXTS = {
    # No device: should the text ever be rendered, this test must not fill the memory.
    "an image": "<img src='file:///nowhere/picture.png'>",
    "a heading with a link": "<h1>Your runs are lost</h1><a href='http://localhost/'>Mend them</a>",
    "entities": "&lt;b&gt; &amp; <b>bold</b>",
    "reversed": "\u202egnp.nur \u2067 \u2066",
    "endless": "W" * 10_000,
    "keys": "cats & dogs &File\tCtrl+Q",
}
NAMES = dict.fromkeys("/\\\t", "_")
_WIDEST_DOCK, _WIDEST_WINDOW = 700, 1_280


def as_name(text: str) -> str:
    """Returns a text as the name of a file may be."""
    return text.translate(str.maketrans(NAMES))[:100]


def is_shown_in(shown: str, text: str) -> bool:
    """Returns whether a text, or the beginning of it, is shown in another."""
    beginning = escape(replace_controls(text)[:12], quote=False)
    return beginning in escape(shown.replace("&&", "&"), quote=False) or escape(beginning) in shown


def describe_falsely(text: str, folder: Path) -> None:
    """Writes a text into every free text of a run's folder."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"preset": text}))
    status = json.loads((folder / "status.json").read_text())
    said = {"error": text, "device": text, "engine": text, "state": "failed"}
    versions = {text: text}
    (folder / "status.json").write_text(json.dumps({**status, **said, "versions": versions}))
    description = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(rename_falsely(text, description)))
    (folder / "views").mkdir()
    view = View().model_dump_json()
    for name in (as_name(text), f"{as_name(text)} 2"):
        (folder / "views" / f"{name}.json").write_text(view)


def rename_falsely(text: str, description: dict[str, object]) -> dict[str, object]:
    classes = [f"{number}{text}"[:100] for number in range(2)]
    return {**description, "title": text[:100], "classes": classes, "history": text[:2_000]}


def rename_stored(text: str, name: str) -> None:
    """Writes a text into the description of a data set in the store."""
    place = store.dataset_path(name)
    with safe_open(place, "numpy") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}
        metadata = dict(file.metadata())
    metadata["dataset"] = json.dumps(rename_falsely(text, json.loads(metadata["dataset"])))
    save_file(tensors, place, metadata)


@pytest.fixture(params=TEXTS.values(), ids=TEXTS)
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def hostile_run(text: str, tmp_path: Path) -> Run:
    """A run with codes, whose every free text is hostile; beside it two that cannot be read."""
    kept(folder(tmp_path / "images", ("a", "b")), "pets")
    hostile = folder(tmp_path / as_name(text), tuple(f"{n} {as_name(text)}" for n in range(2)))
    (hostile / f"{as_name(text)}.png").write_text(text)
    run = train_run(tmp_path / "runs", "vae", 2, dataset="pets", batch_size=20)
    describe_falsely(text, run.path)
    rename_stored(text, "pets")
    for number, content in enumerate((text, json.dumps({"model": {"family": text}, text: 1}))):
        damaged = tmp_path / "runs" / f"{number} {as_name(text)}"
        damaged.mkdir()
        (damaged / "config.json").write_text(content)
    return Run(run.path.rename(run.path.with_name(as_name(text))))


@pytest.fixture
def program(
    text: str, hostile_run: Run, tmp_path: Path, settings: Settings, qtbot: QtBot
) -> Iterator[Program]:
    settings.current = str(hostile_run.path)
    settings.remember_folder(f"/{text}")
    program = Program(tmp_path / "runs", settings)
    qtbot.addWidget(program.window)
    program.window.show()
    qtbot.waitUntil(lambda: program.session.preview is not None)
    yield program
    for window in QApplication.topLevelWidgets():
        window.close()
    program.close()


def open_everything(program: Program, text: str, qtbot: QtBot) -> None:
    """Opens what shows a name, a message or a description."""
    window, session = program.window, program.session
    latent_state = program.latent_services.latent_state
    qtbot.waitUntil(lambda: latent_state.codes is not None)
    for title in ("point", "selection", "path", "samples", "directions"):
        window.docks[title].raise_()
        qtbot.waitUntil(getattr(window, title).isVisible)
    codes = latent_state.codes
    assert codes is not None
    latent_state.select(np.arange(20))
    for code in codes[:3]:
        latent_state.move(code)
        latent_state.pin(Pin(code))
    current = session.current
    assert current is not None
    window.docks["draw"].raise_()
    qtbot.waitUntil(window.draw.isVisible)
    window.draw.pad.set_image(np.eye(28, dtype=np.uint8) * 255)
    qtbot.waitUntil(lambda: program.latent_services.drawing.result is not None)
    window.compare([item.key for item in session.items])
    comparison = window.compare_window
    assert comparison is not None
    for page in range(comparison.tabs.count()):
        comparison.tabs.setCurrentIndex(page)
        comparison.export()
    window.carry_away.export_action.trigger()
    window.show_message(text)
    window.show_message(f"{text} cannot be read. Choose another.")
    ask(window, text, text, text, "Yes", lambda: None)
    window.runs.trash_action.trigger()
    window.datasets.aboutToShow.emit()
    window.datasets._ask_remove("pets")
    importing = window.datasets.import_from(session.folder.parent / as_name(text))
    qtbot.waitUntil(lambda: importing.dataset_import.summary is not None)
    window.help_menu.report_crash(f"ValueError: {text}", text)
    for dialog in (
        LogWindow(SessionLog(), window),
        ReproduceDialog(program.reproduction, window),
    ):
        dialog.show()
    session.report(text)


def test_no_text_is_rendered_as_html(program: Program, text: str, qtbot: QtBot) -> None:
    open_everything(program, text, qtbot)
    shown = all_shown()
    hostile = [one for one in shown if is_shown_in(one.text, text)]
    kinds = {one.where for one in hostile}
    assert len(kinds) > 12, kinds
    assert not [(one.where, one.markup) for one in shown if one.markup]
    for one in shown:
        if one.is_in_a_sentence:
            assert not set("\u202e\u2066\u2067") & set(one.text), one
        if one.has_keys and "dogs" in one.text:
            assert QKeySequence.mnemonic(one.text).isEmpty(), one
            assert "\t" not in one.text, one


def test_a_figure_names_the_runs_as_they_are(program: Program, text: str, qtbot: QtBot) -> None:
    program.window.compare([item.key for item in program.session.items])
    window = program.window.compare_window
    assert window is not None
    for page in (window.digits, window.latent, window.losses):
        window.tabs.setCurrentWidget(page)
        content = Figure(page.drawing, "", window.font(), window.palette()).svg(page.title)
        drawn = "".join("".join(ElementTree.fromstring(content).itertext()).split())
        assert not set("\u202e\u2066\u2067") & set(drawn)
        assert "".join(one_line(as_name(text))[:12].split()) in drawn


def test_no_text_widens_a_window(program: Program, text: str, qtbot: QtBot) -> None:
    open_everything(program, text, qtbot)
    for dock in program.window.docks.values():
        assert dock.minimumSizeHint().width() <= _WIDEST_DOCK, dock.windowTitle()
    for window in QApplication.topLevelWidgets():
        assert window.minimumSizeHint().width() <= _WIDEST_WINDOW, window


def test_the_texts_of_the_program_itself_have_no_images(qtbot: QtBot) -> None:
    for dialog in (ManualWindow(), AboutWindow(), CrashWindow("report", "title")):
        qtbot.addWidget(dialog)
        markup = [m for one in all_shown() for m in one.markup if m.startswith("image")]
        assert not markup


def test_an_entry_of_an_archive_is_named_as_it_is(
    text: str, tmp_path: Path, settings: Settings, qtbot: QtBot
) -> None:

    place = tmp_path / "mine.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr(text, "a")
        archive.writestr("config.json", text)
    program = Program(tmp_path / "runs", settings)
    qtbot.addWidget(program.window)
    messages: list[str] = []
    program.session.message_posted.connect(messages.append)
    program.window.show()
    program.window.carry_away.archive_opener.open(place)
    qtbot.waitUntil(lambda: bool(messages))
    assert not [(one.where, one.markup) for one in all_shown() if one.markup]
    assert (
        max(w.minimumSizeHint().width() for w in QApplication.topLevelWidgets()) <= _WIDEST_WINDOW
    )
    program.window.close()
    program.close()
