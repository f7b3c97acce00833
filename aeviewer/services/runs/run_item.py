"""A run as the panels see it: what its folder says, and how the window shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from trainers.errors import AEViewerError
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.config import RunConfig
    from trainers.runs import Run
    from trainers.runs.metrics import Evaluation

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RunItem:
    """A run as the panels see it.

    Attributes
    ----------
    key
        The path of its folder, which identifies it everywhere in the program.
    state
        Its state. A damaged run is one whose folder cannot be read; `problem` says why.
    evaluation
        The test metrics of its newest evaluated checkpoint.
    """

    key: str
    name: str
    state: RunState
    step: int
    steps: int
    colour: str
    visible: bool = True
    read_only: bool = False
    config: RunConfig | None = None
    evaluation: Evaluation | None = None
    problem: str = ""

    @property
    def can_continue(self) -> bool:
        """Whether the user can continue the training.

        A damaged run whose config is intact can be tried: the trainer checks the resume point.
        """
        is_readable = self.state is RunState.DAMAGED and self.config is not None
        return not self.read_only and (self.state.can_continue or is_readable)


def describe_run(
    run: Run, active_state: RunState | None, *, colour: str, is_visible: bool
) -> RunItem:
    """Reads what a run's folder says of it.

    Parameters
    ----------
    active_state
        What the queue says: a run that is queued, running or paused is not what its folder says.
        None for any other run.
    """
    problems: list[str] = []
    config = _try_read(lambda: run.config, problems)
    status = _try_read(run.status, problems)
    evaluation = _try_read(lambda: _newest_evaluation(run), problems)
    is_damaged = bool(problems) or status is None
    return RunItem(
        str(run.path),
        run.name,
        state=active_state or (RunState.DAMAGED if is_damaged or status is None else status.state),
        step=status.step if status else 0,
        steps=config.steps if config else 0,
        colour=colour,
        visible=is_visible,
        read_only=run.read_only,
        config=config,
        evaluation=evaluation,
        problem="\n".join(problems) or (status.error if status else ""),
    )


def _newest_evaluation(run: Run) -> Evaluation | None:
    evaluated = [checkpoint for checkpoint in run.checkpoints() if checkpoint.is_evaluated]
    return evaluated[-1].evaluation() if evaluated else None


def _try_read(read: Callable[[], Value], problems: list[str]) -> Value | None:
    """Returns what `read` returns, or None, adding the message of its failure to the problems."""
    try:
        return read()
    except AEViewerError as error:
        if str(error) not in problems:
            problems.append(str(error))
        return None
