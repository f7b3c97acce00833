from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QSpinBox,
)

from aeviewer.widgets.inputs.form import FieldSpec, Form

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

SPECS = [
    FieldSpec("size", "Size", "int", "How large.", "px", 1, 256, group="Shape"),
    FieldSpec("rate", "Rate", "float", "How fast.", "", 0, 10, logarithmic=True, group="Speed"),
    FieldSpec("flip", "Flip", "bool", group="Speed"),
    FieldSpec("kind", "Kind", "choice", choices=("round", "square"), group="Speed"),
    FieldSpec("layers", "Layers", "int list", group="Speed"),
    FieldSpec("stops", "Stops", "optional int list", advanced=True, group="Speed"),
]
VALUES = {
    "size": 5,
    "rate": 0.001,
    "flip": True,
    "kind": "square",
    "layers": (500, 500),
    "stops": None,
}


@pytest.fixture
def form(qtbot: QtBot) -> Form:
    form = Form(SPECS)
    qtbot.addWidget(form)
    form.resize(300, 500)
    form.set_values(VALUES)
    form.show()
    return form


def test_what_is_set_is_held_and_nobody_is_told(qtbot: QtBot, form: Form) -> None:
    with qtbot.assertNotEmitted(form.edited):
        form.set_values({**VALUES, "size": 9, "kind": "round", "stops": (1, 2)})
    assert form.values() == {**VALUES, "size": 9, "kind": "round", "stops": (1, 2)}


def test_typing_edits(qtbot: QtBot, form: Form) -> None:
    line = form.field("layers").editor
    assert isinstance(line, QLineEdit)
    line.selectAll()
    with qtbot.waitSignal(form.edited):
        qtbot.keyClicks(line, "64, 32")
    assert form.values()["layers"] == (64, 32)
    line.selectAll()
    qtbot.keyClicks(line, "many")
    assert form.values()["layers"] == "many"


def test_small_numbers_are_shown_plainly_and_stepped_by_their_size(form: Form) -> None:
    box = form.field("rate").editor
    assert isinstance(box, QDoubleSpinBox)
    assert box.text() == "0.001"
    box.stepUp()
    assert box.value() == pytest.approx(0.0011)


def test_bounds_and_unit_stand_at_the_field(form: Form) -> None:
    field = form.field("size")
    assert isinstance(field.editor, QSpinBox)
    assert field.hint.text() == "1 – 256"
    assert "1 – 256" in field.editor.toolTip()
    assert field.editor.text() == "5 px"
    assert field.editor.accessibleName() == "Size px"


def test_a_problem_is_told_at_the_field_and_taken_back(form: Form) -> None:
    form.set_problems({"layers": "at least one layer"})
    field = form.field("layers")
    assert field.problem.isVisible()
    assert field.problem.text() == "at least one layer"
    assert field.editor.property("invalid") is True
    form.set_problems({})
    assert not field.problem.isVisible()
    assert field.editor.property("invalid") is False


def test_what_does_not_apply_is_not_shown(form: Form) -> None:
    form.set_applicable({"size", "kind"})
    assert form.field("size").editor.isVisible()
    assert not form.field("rate").editor.isVisible()
    assert not form.field("rate").label.isVisible()
    form.set_applicable({"kind"})
    assert form.field("kind").editor.isVisible()


def test_rare_fields_are_folded_away_until_they_are_wanted(form: Form) -> None:
    assert not form.field("stops").editor.isVisible()
    form.focus("stops")
    assert form.field("stops").editor.isVisible()


def test_a_passing_wheel_changes_nothing(form: Form) -> None:
    for name in ("size", "kind"):
        editor = form.field(name).editor
        before = form.values()[name]
        wheel = QWheelEvent(
            QPointF(5, 5),
            QPointF(editor.mapToGlobal(QPoint(5, 5))),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(editor, wheel)
        assert form.values()[name] == before


def test_the_form_is_never_wider_than_its_place(form: Form) -> None:
    assert form.widget().width() <= form.viewport().width()
    assert isinstance(form.field("flip").editor, QCheckBox)
    assert isinstance(form.field("kind").editor, QComboBox)
