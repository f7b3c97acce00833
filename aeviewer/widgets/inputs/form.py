"""A form that is made from descriptions of its fields, whatever they are for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pyqtgraph import siFormat
from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QWidget,
)

from aeviewer.numbers import local, localise
from aeviewer.widgets.inputs.decimal_box import PlainBox
from aeviewer.widgets.labels import PlainLabel, plain_label, plain_tip, problem_label, quiet_label

Kind = Literal["int", "float", "bool", "choice", "int list", "optional int list"]


@dataclass(frozen=True)
class FieldSpec:
    """The description of one field: its name, its values and its explanation."""

    name: str
    label: str
    kind: Kind
    help: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False
    choices: tuple[str, ...] = ()
    logarithmic: bool = False
    advanced: bool = False
    group: str = ""

    @property
    def bounds(self) -> str:
        """The bounds in words, empty without bounds."""
        if self.minimum is None or self.maximum is None:
            return ""
        above = "above " if self.exclusive else ""
        return f"{above}{local(self.minimum):,.12g} – {local(self.maximum):,.12g}"

    @property
    def short_bounds(self) -> str:
        """The bounds with thousands as k and millions as M, to stand beside the field."""
        if self.minimum is None or self.maximum is None:
            return ""
        ends = (siFormat(end, precision=4, space="") for end in (self.minimum, self.maximum))
        return ("> " if self.exclusive else "") + localise(" – ".join(ends))


class Field(QObject):
    """The widgets of a field: label, editor, hint, and the line with the problem."""

    edited = Signal()

    def __init__(self, spec: FieldSpec, parent: QWidget) -> None:
        super().__init__(parent)
        self.spec = spec
        self.label = plain_label(spec.label, parent=parent)
        self.editor, self._read, self._write = _EDITORS[spec.kind](
            spec, parent, lambda *_value: self.edited.emit()
        )
        self.editor.setObjectName(spec.name)
        self.editor.setAccessibleName(f"{spec.label} {spec.unit}".strip())
        self.label.setBuddy(self.editor)
        self.problem = problem_label(parent)
        self.problem.hide()
        lines = [spec.help, f"Bounds: {spec.bounds}." if spec.bounds else ""]
        for widget in (self.label, self.editor):
            widget.setToolTip(plain_tip("\n".join(line for line in lines if line)))
        self.hint = quiet_label(spec.short_bounds, is_small=False, parent=parent)
        self.editor.installEventFilter(self)

    def value(self) -> object:
        """Returns the value of the field; text that cannot be parsed is returned as it is."""
        return self._read()

    def set_value(self, value: object) -> None:
        """Shows a value; emits no signal."""
        with QSignalBlocker(self.editor):
            self._write(value)

    def set_choices(self, choices: tuple[str, ...]) -> None:
        """Sets the values to choose from; the current one stays, if it is among them."""
        box = self.editor
        if isinstance(box, QComboBox):
            with QSignalBlocker(box):
                held = box.currentText()
                box.clear()
                box.addItems(choices)
                box.setCurrentText(held)

    def set_problem(self, text: str) -> None:
        """Shows a problem under the field; an empty text removes it."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text) and not self.editor.isHidden())
        self.editor.setProperty("invalid", bool(text))
        self.editor.style().polish(self.editor)

    def set_shown(self, shown: bool) -> None:
        """Shows or hides the whole row."""
        for widget in (self.label, self.editor, self.hint):
            widget.setVisible(shown)
        self.problem.setVisible(shown and bool(self.problem.text()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A wheel over an unfocused field scrolls the form and does not change the value."""
        if event.type() == QEvent.Type.Wheel and not self.editor.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


class Form(QScrollArea):
    """Fields under headings; those that are rarely changed are folded away.

    Parameters
    ----------
    specs
        The fields, in order; a new `group` begins a heading.
    """

    edited = Signal()
    """The user changed something; never emitted by `set_values`."""

    def __init__(self, specs: Iterable[FieldSpec], parent: QWidget | None = None) -> None:
        super().__init__(parent, widgetResizable=True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body = QWidget(self)
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(12, 4, 12, 8)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._fields: dict[str, Field] = {}
        self._headings: dict[str, PlainLabel] = {}
        self._applicable: set[str] = set()
        ordered = sorted(specs, key=lambda spec: spec.advanced)
        self._fold = QToolButton(self._body)
        self._fold.setText("Advanced")
        self._fold.setCheckable(True)
        self._fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._fold.toggled.connect(self._refresh)
        for spec in ordered:
            self._add(spec)
        self._applicable = set(self._fields)
        self._grid.setRowStretch(self._grid.rowCount(), 1)
        self.setWidget(self._body)
        for surface in (self.viewport(), self._body):
            surface.setBackgroundRole(QPalette.ColorRole.Base)
        self._refresh()

    def values(self) -> dict[str, object]:
        """Returns the values of all fields, by name."""
        return {name: field.value() for name, field in self._fields.items()}

    def set_values(self, values: Mapping[str, object]) -> None:
        """Shows values without a signal; fields that are not named keep theirs."""
        for name, value in values.items():
            self._fields[name].set_value(value)

    def set_applicable(self, names: Iterable[str]) -> None:
        """Hides the fields that do not apply."""
        self._applicable = set(names)
        self._refresh()

    def set_problems(self, problems: Mapping[str, str]) -> None:
        """Shows the problem of each field, and removes the others."""
        for name, field in self._fields.items():
            field.set_problem(problems.get(name, ""))

    def focus(self, name: str) -> None:
        """Scrolls to a field and gives it the keyboard focus."""
        field = self._fields[name]
        if field.spec.advanced:
            self._fold.setChecked(True)
        self.ensureWidgetVisible(field.editor)
        field.editor.setFocus()

    def field(self, name: str) -> Field:
        """Returns the widgets of a field."""
        return self._fields[name]

    def _add(self, spec: FieldSpec) -> None:
        row = self._grid.rowCount()
        if spec.advanced and self._grid.indexOf(self._fold) < 0:
            self._grid.addWidget(self._fold, row, 0, 1, 3)
            row += 1
        if spec.group and not spec.advanced and spec.group not in self._headings:
            heading = quiet_label(spec.group, is_small=False, parent=self._body)
            font = heading.font()
            font.setWeight(QFont.Weight.DemiBold)
            heading.setFont(font)
            heading.setContentsMargins(0, 8 if self._headings else 0, 0, 0)
            self._headings[spec.group] = heading
            self._grid.addWidget(heading, row, 0, 1, 3)
            row += 1
        field = self._fields[spec.name] = Field(spec, self._body)
        field.edited.connect(self.edited)
        self._grid.addWidget(field.label, row, 0)
        self._grid.addWidget(field.editor, row, 1, 1, 1 if field.hint.text() else 2)
        self._grid.addWidget(field.hint, row, 2)
        self._grid.addWidget(field.problem, row + 1, 1, 1, 2)

    def _refresh(self) -> None:
        """Shows the fields that apply and are unfolded, and the headings that have fields."""
        unfolded = self._fold.isChecked()
        arrow = Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow
        self._fold.setArrowType(arrow)
        for name, field in self._fields.items():
            field.set_shown(name in self._applicable and (unfolded or not field.spec.advanced))
        plain = [f.spec for f in self._fields.values() if not f.spec.advanced]
        for group, heading in self._headings.items():
            heading.setVisible(any(s.group == group and s.name in self._applicable for s in plain))
        folded = {n for n, f in self._fields.items() if f.spec.advanced}
        self._fold.setVisible(bool(folded & self._applicable))


Editor = tuple[QWidget, Callable[[], Any], Callable[[Any], None]]
Changed = Callable[..., None]


def _integer(spec: FieldSpec, parent: QWidget, changed: Changed) -> Editor:
    box = QSpinBox(parent)
    box.setGroupSeparatorShown(True)
    # The box accepts more than the bounds: the field says what is wrong instead of clipping it.
    box.setRange(-(2**31), 2**31 - 1)
    _dress(box, spec)
    box.valueChanged.connect(changed)
    return box, box.value, box.setValue


def _real(spec: FieldSpec, parent: QWidget, changed: Changed) -> Editor:
    box = PlainBox(parent, decimals=9)
    box.setRange(-1e9, 1e9)
    _dress(box, spec)
    if not spec.logarithmic:
        box.setSingleStep(0.05)
    box.valueChanged.connect(changed)
    return box, box.value, box.setValue


def _dress(box: QSpinBox | QDoubleSpinBox, spec: FieldSpec) -> None:
    if spec.unit:
        box.setSuffix(f" {spec.unit}")
    if spec.logarithmic:
        box.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
    box.setKeyboardTracking(False)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setMinimumWidth(72)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)


def _switch(_spec: FieldSpec, parent: QWidget, changed: Changed) -> Editor:
    box = QCheckBox(parent)
    box.toggled.connect(changed)
    return box, box.isChecked, box.setChecked


def _choice(spec: FieldSpec, parent: QWidget, changed: Changed) -> Editor:
    box = QComboBox(parent)
    box.addItems(spec.choices)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setMinimumWidth(72)
    box.currentIndexChanged.connect(changed)
    return box, box.currentText, box.setCurrentText


def _list(spec: FieldSpec, parent: QWidget, changed: Changed) -> Editor:
    line = QLineEdit(parent)
    line.setMinimumWidth(72)
    optional = spec.kind == "optional int list"
    line.setPlaceholderText("automatic" if optional else "such as 500, 500")
    line.textEdited.connect(changed)

    def read() -> object:
        text = line.text().strip()
        if optional and not text:
            return None
        words = re.split(r"[\s,;–-]+", text)
        try:
            return tuple(int(word) for word in words if word)
        except ValueError:
            return text

    def write(values: Iterable[int] | None) -> None:
        line.setText(", ".join(str(value) for value in values or ()))

    return line, read, write


_EDITORS: dict[Kind, Callable[[FieldSpec, QWidget, Changed], Editor]] = {
    "int": _integer,
    "float": _real,
    "bool": _switch,
    "choice": _choice,
    "int list": _list,
    "optional int list": _list,
}
