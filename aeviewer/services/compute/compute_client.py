"""Questions to the compute thread whose answers find their way back, unless they come too late."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from aeviewer.services.compute.compute_thread import Answer, ComputeThread, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeviewer.services.compute.model_cache import ModelShelf

    Work = Callable[[ModelShelf], object]
    Receive = Callable[[Answer], None]


class Asker(QObject):
    """Asks on channels; an answer that a newer question on its channel has overtaken is dropped.

    Parameters
    ----------
    compute
        Asked.
    prefix
        Of its channels: nobody else may use them.
    """

    def __init__(self, compute: ComputeThread, prefix: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._compute = compute
        self._prefix = prefix
        self._numbers: Counter[str] = Counter()
        self._receivers: dict[str, Receive] = {}
        compute.answered.connect(self._receive)

    def ask(self, channel: str, work: Work, receive: Receive) -> None:
        """Has a question answered: `receive` gets each part of the answer."""
        name = f"{self._prefix} {channel}"
        self._numbers[name] += 1
        self._receivers[name] = receive
        self._compute.ask(Question(name, self._numbers[name], work))

    def drop(self, channel: str) -> None:
        """Ends what was asked on a channel; no answer comes any more."""
        if f"{self._prefix} {channel}" in self._receivers:
            self.ask(channel, _nothing, lambda _answer: None)

    @Slot(object)
    def _receive(self, answer: Answer) -> None:
        name = answer.question.channel
        if name in self._receivers and answer.question.number == self._numbers[name]:
            self._receivers[name](answer)


def _nothing(_shelf: ModelShelf) -> None:
    """What replaces a question that nobody wants answered."""
