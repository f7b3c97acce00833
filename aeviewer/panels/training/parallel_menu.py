"""The menu that sets how many runs are trained at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from aeviewer.services.training.process_trainer import cores

if TYPE_CHECKING:
    from aeviewer.services.training.training_queue import TrainingQueue
    from aeviewer.settings import Settings

_LISTED = 8
_ONE = "&1, with every core and live previews"
_MORE = "{count}, each in a process of its own"


class ParallelMenu(QMenu):
    """Offers one run at a time, or several in processes, up to one per core.

    Parameters
    ----------
    queue
        Receives the choice.
    settings
        Where it is remembered.
    """

    def __init__(
        self, queue: TrainingQueue, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__("Runs side &by side", parent)
        self._queue, self._settings = queue, settings
        self.setToolTipsVisible(True)
        self._group = QActionGroup(self)
        for count in choices(cores()):
            self._add_choice(count)
        self._group.triggered.connect(self._choose)

    def _add_choice(self, count: int) -> None:
        mnemonic = f"&{count}" if count < 10 else str(count)
        action = self.addAction(_ONE if count == 1 else _MORE.format(count=mnemonic))
        action.setData(count)
        action.setCheckable(True)
        action.setChecked(count == self._queue.side_by_side)
        action.setToolTip(
            "Codes and pictures follow about once a second."
            if count == 1
            else "One thread each: more steps in all. Panels follow each checkpoint."
        )
        self._group.addAction(action)

    @Slot(QAction)
    def _choose(self, action: QAction) -> None:
        self._settings.side_by_side = action.data()
        self._queue.set_side_by_side(action.data())


def choices(most: int) -> list[int]:
    """Returns every count up to eight, then ever larger steps, and `most` itself."""
    listed = (*range(1, _LISTED + 1), 12, 16, 24, 32, 48, 64)
    return [*(count for count in listed if count < most), most]
