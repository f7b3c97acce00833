"""What is promised and tested by pytest: a line each in the page's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.reliability.table import Part


class Promise(NamedTuple):
    """A fault, what the program does then, and the test that tries it.

    Attributes
    ----------
    unit
        What the test tries many of.
    """

    part: Part
    fault: str
    promise: str
    test: str
    unit: str = "cases"


PROMISES: tuple[Promise, ...] = (
    Promise(
        "Faults",
        "Two programs train the same run",
        "the second says that the run is being trained by another program; the first goes on",
        "tests/trainers/test_trainer.py::test_one_run_is_trained_by_one_program_at_a_time",
    ),
    Promise(
        "Undo and questions",
        "A run is deleted",
        "after a question it goes to the system's trash",
        "tests/aeviewer/test_runs_panel.py::TestTrash::"
        "test_a_run_goes_to_the_trash_after_a_question",
    ),
)
