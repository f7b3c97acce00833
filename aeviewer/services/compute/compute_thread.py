"""The one thread that runs torch: a small cooperative scheduler.

It holds the generator of the run that is trained and the questions that panels ask, answers
waiting questions first, then gives the training its next slice. A second thread running torch
would slow training by a third for good; serving between slices costs next to nothing.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from importlib import import_module
from threading import Condition
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from aeviewer.services.compute.event_queue import Ended, Failed, Letter, Mailbox
from aeviewer.services.compute.model_cache import ModelShelf
from trainers.errors import AEViewerError
from trainers.events import Working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trainers.events import Event
    from trainers.runs import Run

logger = logging.getLogger(__name__)
_PREVIEW_SECONDS = 1.0
_ATTENTIVE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """Something to be worked out between two slices of training.

    Attributes
    ----------
    channel
        A newer question on the same channel replaces one that still waits.
    number
        Grows by one with each question of a channel, so that a late answer can be told.
    work
        Runs in the compute thread; what it returns is the answer. Long work returns a generator:
        it is asked for its next part between two slices of training, and what it yields is
        answered part by part (None: nothing yet to tell).
    """

    channel: str
    number: int
    work: Callable[[ModelShelf], object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: a result, or the message of its failure.

    Attributes
    ----------
    is_last
        False for a part of long work. The end of long work has no result.
    """

    question: Question
    result: object = None
    problem: str = ""
    is_last: bool = True


class ComputeThread(QThread):
    """Owns torch. Its methods may be called from any thread; they only leave word and return.

    Parameters
    ----------
    mailbox
        Where the events of trainings are left.
    """

    answered = Signal(object)
    """An `Answer`; connect a bound slot, so that it arrives in the receiver's thread."""

    def __init__(self, mailbox: Mailbox, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("compute")
        self._mailbox = mailbox
        self._word = Condition()
        self._questions: dict[str, Question] = {}
        self._jobs: dict[str, tuple[Question, Generator[object]]] = {}
        self._trainings: deque[Run] = deque()
        self._paused = False
        self._stop_wanted: Run | None = None
        self._closing = False
        self._asked_at, self._slice_seconds = -math.inf, 0.0
        self._shelf = ModelShelf()
        self._events: Iterator[Event] | None = None

    # -- from any thread -------------------------------------------------------------------------

    def ask(self, question: Question) -> None:
        """Has a question answered; it replaces one that waits on the same channel."""
        with self._word:
            self._questions[question.channel] = question
            self._word.notify()

    def train(self, run: Run) -> None:
        """Trains a run, after those that were asked for before."""
        with self._word:
            self._trainings.append(run)
            self._word.notify()

    def set_paused(self, paused: bool) -> None:
        """Holds the training, or lets it go on; questions are answered all the same."""
        with self._word:
            self._paused = paused
            self._word.notify()

    def stop_training(self, run: Run) -> None:
        """Ends the training of a run, with everything kept."""
        with self._word:
            self._stop_wanted = run
            self._paused = False
            self._word.notify()

    def close(self) -> None:
        """Saves what is being trained, ends the thread and waits for it."""
        with self._word:
            self._closing = True
            self._word.notify()
        self.wait()

    # -- in the thread ---------------------------------------------------------------------------

    def run(self) -> None:
        """Answers and trains until `close`."""
        # Loaded here, the first time that a point is looked for does not wait for it.
        import_module("scipy.spatial")
        while self._await_work():
            questions = self._taken()
            self._note_pace(bool(questions))
            for question in questions:
                self._end_job(question.channel)
                self.answered.emit(self._answer(question))
            for question, parts in [*self._jobs.values()]:
                self._continue(question, parts)
            if self._trainings and not self._paused and not self._closing:
                self._advance(self._trainings[0])
        for channel in [*self._jobs]:
            self._end_job(channel)  # what it has half written is cleared away now
        if self._events is not None:
            self._guarded(self._trainings[0], self._save)

    def _note_pace(self, is_asked: bool) -> None:
        """Has single steps trained while somebody asks: the next answer then comes sooner."""
        now = time.monotonic()
        if is_asked:
            self._asked_at = now
        if self._shelf.live is not None:
            hurries = now - self._asked_at < _ATTENTIVE_SECONDS
            self._shelf.live.slice_seconds = 0.0 if hurries else self._slice_seconds

    def _await_work(self) -> bool:
        """Sleeps until there is something to do; False when it is time to end."""
        with self._word:
            while not (self._closing or self._questions or self._jobs or self._may_train()):
                self._word.wait()
            return not self._closing

    def _may_train(self) -> bool:
        return bool(self._trainings) and not self._paused

    def _taken(self) -> list[Question]:
        with self._word:
            questions, self._questions = list(self._questions.values()), {}
        return questions

    def _answer(self, question: Question) -> Answer:
        result = self._tried(question, lambda: question.work(self._shelf))
        if isinstance(result, Answer):
            return result
        if not isinstance(result, Generator):
            return Answer(question, result)
        self._jobs[question.channel] = question, result
        return Answer(question, is_last=False)

    def _continue(self, question: Question, parts: Generator[object]) -> None:
        """One part of long work."""
        end = Answer(question)
        part = self._tried(question, lambda: next(parts, end))
        if isinstance(part, Answer):
            del self._jobs[question.channel]
            self.answered.emit(part)
        elif part is not None:
            self.answered.emit(Answer(question, part, is_last=False))

    def _end_job(self, channel: str) -> None:
        if channel in self._jobs:
            self._jobs.pop(channel)[1].close()

    def _tried(self, question: Question, work: Callable[[], object]) -> object:
        """What `work` returns; of a failure, the answer that tells of it."""
        try:
            return work()
        except AEViewerError as error:
            return Answer(question, problem=str(error))
        except Exception as error:
            logger.exception("A question on %r failed", question.channel)
            return Answer(question, problem=f"{type(error).__name__}: {error}")

    def _advance(self, run: Run) -> None:
        """One slice of a training; its end, or its failure, is told like any event."""

        def slice_() -> None:
            if self._events is None:
                self._events = self._begin(run)
            if self._stop_wanted is run and self._shelf.live is not None:
                self._stop_wanted = None
                self._shelf.live.stop()
            event = next(self._events, None)
            if event is None:
                self._finish(run)
            elif not isinstance(event, Working):
                self._mailbox.post(Letter(str(run.path), event))

        self._guarded(run, slice_)

    def _begin(self, run: Run) -> Iterator[Event]:
        from trainers.training.trainer import Trainer

        self._shelf.forget(run)
        self._shelf.live = Trainer(run, preview_seconds=_PREVIEW_SECONDS)
        self._slice_seconds = self._shelf.live.slice_seconds
        return iter(self._shelf.live)

    def _save(self) -> None:
        """Closing the generator saves the run."""
        close = getattr(self._events, "close", None)
        if close is not None:
            close()

    def _guarded(self, run: Run, work: Callable[[], None]) -> None:
        """Does `work`; a failure ends the training with one message."""
        try:
            work()
        except AEViewerError as error:
            self._fail(run, str(error))
        except Exception as error:
            logger.exception("Training %r failed", run.name)
            self._fail(run, f"{type(error).__name__}: {error}")

    def _fail(self, run: Run, message: str) -> None:
        self._mailbox.post(Letter(str(run.path), Failed(message)))
        self._finish(run)

    def _finish(self, run: Run) -> None:
        with self._word:
            self._trainings.popleft()
            if self._stop_wanted is run:
                self._stop_wanted = None
        self._events = self._shelf.live = None
        self._mailbox.post(Letter(str(run.path), Ended()))
