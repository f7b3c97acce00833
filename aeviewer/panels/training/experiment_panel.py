"""The experiment form: a preset, and a field for each setting of the config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from aeviewer import theme
from aeviewer.services.runs.architecture import describe_architecture
from aeviewer.widgets.inputs.form import FieldSpec, Form, Kind
from aeviewer.widgets.inputs.message_boxes import ask
from aeviewer.widgets.labels import plain_label, problem_label, quiet_label
from trainers import datasets
from trainers.checkpoint_steps import spaced_checkpoints
from trainers.config import RunConfig, fields
from trainers.config_messages import faults
from trainers.datasets.compatibility import find_misfits
from trainers.errors import AEViewerError
from trainers.evaluation.collapse import forecast
from trainers.glossary import GLOSSARY
from trainers.presets import PRESETS, preset
from trainers.runs import runs_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeviewer.services.runs.run_item import RunItem
    from aeviewer.services.runs.session import Session
    from trainers.config_fields import Leaf

_GROUPS = {"": "Data", "model": "Model", "training": "Training"}


class ExperimentPanel(QWidget):
    """A preset menu, a name, the form, the architecture in words, and Train.

    Parameters
    ----------
    session
        Tells which names are taken.

    Attributes
    ----------
    is_valid
        Whether what the form holds can be trained.
    """

    train_requested = Signal(object, str)
    """A valid `RunConfig` and a name; an empty name means a generated one."""
    config_edited = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._base = preset("vae").replace(latent_dim=2, device=session.device)
        self.is_valid = True
        self._presets = QComboBox(self)
        self._presets.setAccessibleName("Preset")
        for name, entry in PRESETS.items():
            self._presets.addItem(entry.title, name)
        self._summary = quiet_label(wraps=True, is_small=False, parent=self)
        self._reset = QToolButton(self)
        self._reset.setToolTip("Back to the preset's own settings")
        self._reset.setAccessibleName("Reset to the preset")
        self._reset.setIcon(theme.icon("restore"))
        self._name = QLineEdit(self)
        self._name.setAccessibleName("Name of the run")
        self._name.setToolTip("What to call the run; left empty, it names itself.")
        self._name_problem = problem_label(self)
        self._name_problem.hide()
        self._form = Form([_field_spec(leaf) for leaf in _leaves()], self)
        self._form.setAccessibleName("Settings of the run")
        self._architecture = quiet_label(wraps=True, is_small=False, parent=self)
        self._forecast = problem_label(self)
        self._train = QPushButton("Train", self)
        self._train.setDefault(True)
        self._train.setToolTip("Start this run, or put it behind the one that is running.")
        self._lay_out()
        self._presets.activated.connect(lambda _row: self.select_preset(self.preset_name))
        self._reset.clicked.connect(lambda: self.select_preset(self.preset_name))
        self._name.textEdited.connect(self._check_name)
        self._form.edited.connect(self._report_edit)
        self._train.clicked.connect(self.train)
        session.runs_changed.connect(self._suggest_name)
        self.set_config(self._base)

    @property
    def preset_name(self) -> str:
        """The preset that the form started from."""
        return str(self._presets.currentData())

    @property
    def latent_dim(self) -> int:
        """The latent dimension in the form."""
        value = self._form.field("latent_dim").value()
        return value if isinstance(value, int) else 1

    def config(self) -> RunConfig | None:
        """The config in the form; None where a field is wrong, which then says so.

        Where it names no checkpoints they are as far apart as the preferences have them.
        """
        config, problems = self._validate()
        self._form.set_problems(problems)
        if config is None and problems:
            self._form.focus(next(iter(problems)))
        return None if config is None else self._space_checkpoints(config)

    def _space_checkpoints(self, config: RunConfig) -> RunConfig:
        spacing = self._session.checkpoint_spacing
        is_left_out = config.training.checkpoints is None and config.model.family != "pca"
        if not spacing or not is_left_out:
            return config
        return config.replace(checkpoints=spaced_checkpoints(config.steps, spacing))

    def set_config(self, config: RunConfig) -> None:
        """Fills the form with a config, such as an earlier run's."""
        self._form.field("dataset").set_choices(datasets.dataset_names())
        row = self._presets.findData(config.preset)
        self._presets.setCurrentIndex(max(row, 0))
        self._form.set_values({f.name: f.value(config) for f in _leaves()})
        self._report_edit()

    @Slot(str)
    def select_preset(self, name: str) -> None:
        """Fills the form with a preset, and keeps the chosen data set."""
        self.set_config(preset(name).replace(dataset=self._dataset, device=self._session.device))

    @property
    def _dataset(self) -> str:
        return str(self._form.field("dataset").value())

    @Slot(str)
    def set_dataset(self, name: str) -> None:
        """Chooses another data set; new data sets of the store are listed too."""
        self.list_datasets()
        self._form.set_values({"dataset": name})
        self._report_edit()

    @Slot()
    def list_datasets(self) -> None:
        """Lists the data sets of the store again."""
        self._form.field("dataset").set_choices(datasets.dataset_names())
        self._report_edit()

    @Slot(int)
    def set_latent_dim(self, latent_dim: int) -> None:
        """Sets the latent dimension."""
        self._form.set_values({"latent_dim": latent_dim})
        self._report_edit()

    @Slot()
    def train(self) -> None:
        """Requests the training that the form describes, if nothing in it is wrong.

        A problem with the name is shown at its field, or as a message where the field is hidden.
        """
        config = self.config()
        if config is None:
            return
        if not self._check_name():
            if not self.isVisible():
                self._session.message_posted.emit(self._name_problem.text())
            return
        equal = self.find_equal_run(config)
        if equal is None:
            self._request_training(config)
            return
        ask(
            self.window(),
            "Train",
            f"The run “{equal.name}” with the same settings is in training or waits for it. Train "
            "a second one?",
            "It would learn the same. Change the seed to see how much chance matters.",
            "Train a second one",
            lambda: self._request_training(config),
        )

    def find_equal_run(self, config: RunConfig) -> RunItem | None:
        """Returns the active run with these settings, as the second click of two finds it."""
        equal = (i for i in self._session.items if i.state.is_active and i.config == config)
        return next(equal, None)

    def _request_training(self, config: RunConfig) -> None:
        name = self._name.text().strip()
        self._name.clear()
        self.train_requested.emit(config, name)

    # -- inner -----------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        head = QGridLayout()
        head.setContentsMargins(12, 8, 12, 8)
        head.setSpacing(6)
        head.setColumnStretch(1, 1)
        head.addWidget(plain_label("Preset", parent=self), 0, 0)
        head.addWidget(self._presets, 0, 1)
        head.addWidget(self._reset, 0, 2)
        head.addWidget(self._summary, 1, 0, 1, 3)
        head.addWidget(plain_label("Name", parent=self), 2, 0)
        head.addWidget(self._name, 2, 1, 1, 2)
        head.addWidget(self._name_problem, 3, 1, 1, 2)
        foot = QVBoxLayout()
        foot.setContentsMargins(12, 8, 12, 12)
        foot.setSpacing(8)
        foot.addWidget(self._architecture)
        foot.addWidget(self._forecast)
        foot.addWidget(self._train)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._form, 1)
        column.addLayout(foot)

    def _report_edit(self) -> None:
        config, problems = self._validate()
        self._form.set_problems(problems)
        self._train.setEnabled(config is not None)
        self.is_valid = config is not None
        if config is None:
            self._architecture.clear()
            self._forecast.hide()
        else:
            self._base = config
            self._form.set_applicable(leaf.name for leaf in fields() if leaf.term.applies(config))
            self._architecture.setText(describe_architecture(config))
            self._show_forecast(config)
            self._show_preset(config)
            self._suggest_name()
        self.config_edited.emit()

    def _show_preset(self, config: RunConfig) -> None:
        original = preset(self.preset_name)
        changed = config != original.replace(dataset=config.dataset)
        self._reset.setEnabled(changed)
        summary = PRESETS[self.preset_name].summary
        self._summary.setText(f"{summary} Changed from the preset." if changed else summary)

    def _show_forecast(self, config: RunConfig) -> None:
        """Which dimensions the loss will leave dead, before an hour is spent on finding out."""
        known = forecast(config)
        self._forecast.setText(known.message if known else "")
        self._forecast.setVisible(bool(self._forecast.text()))

    def _validate(self) -> tuple[RunConfig | None, dict[str, str]]:
        """Returns the config, or the problems by field."""
        values = preset(self.preset_name).model_dump()
        held = self._form.values()
        for leaf in _leaves():
            (values[leaf.part] if leaf.part else values)[leaf.name] = held[leaf.name]
        try:
            config = RunConfig.model_validate(values)
            found = find_misfits(config, datasets.dataset_named(config.dataset))
        except ValidationError as error:
            return None, _by_field(held, dict(faults(error)))
        except AEViewerError as error:
            return None, {"dataset": str(error)}
        return (None, found) if found else (config, {})

    def _suggest_name(self) -> None:
        self._name.setPlaceholderText(runs_folder.free_name(self._base, self._session.folder))

    def _check_name(self) -> bool:
        """Returns whether the run may have this name; the field says so where it may not."""
        name, problem = self._name.text().strip(), ""
        if name:
            try:
                runs_folder.checked_name(name)
            except AEViewerError as error:
                problem = str(error)
            if (self._session.folder / name).exists() or self._session.is_named(name):
                problem = f"There is a run {name!r} already; choose another name."
        self._name_problem.setText(problem)
        self._name_problem.setVisible(bool(problem))
        return not problem


def _leaves() -> list[Leaf]:
    return list(fields())


def _field_spec(leaf: Leaf) -> FieldSpec:
    """Converts a field of the config to a field of the form."""
    above = leaf.bound("gt")
    return FieldSpec(
        name=leaf.name,
        label=leaf.term.label,
        kind=_kind(leaf),
        help=_field_tooltip(leaf),
        unit=leaf.term.unit,
        minimum=leaf.bound("ge") if above is None else above,
        maximum=leaf.bound("le"),
        exclusive=above is not None,
        choices=leaf.choices,
        logarithmic=leaf.term.logarithmic,
        advanced=leaf.term.advanced,
        group=_GROUPS[leaf.part],
    )


def _field_tooltip(leaf: Leaf) -> str:
    """Returns what the field means, and the formula of its term if it has one."""
    entry = GLOSSARY.get(leaf.name)
    lines = (leaf.info.description or "", entry.formula if entry else "")
    return "\n".join(line for line in lines if line)


def _kind(leaf: Leaf) -> Kind:
    if leaf.choices:
        return "choice"
    kinds: dict[type, Kind] = {
        bool: "bool",
        int: "int",
        float: "float",
        tuple: "int list",
        type(None): "optional int list",
    }
    return kinds[type(leaf.default)]


def _by_field(held: Mapping[str, object], problems: dict[str, str]) -> dict[str, str]:
    """Assigns problems to the fields of the form; the rest go to the first field."""
    return {name if name in held else "family": text for name, text in problems.items()}
