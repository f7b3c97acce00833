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


_FAULTS = "tests/reliability/test_faults.py::"
_DEATHS = "tests/reliability/test_deaths.py::"
_TRAINER = "tests/trainers/test_trainer.py::"

_SAME = "goes on from its resume point; weights, losses and checkpoints equal an unbroken run's"
_TOLD = "one message with the file and what to do; once mended, the run " + _SAME

PROMISES: tuple[Promise, ...] = (
    Promise(
        "Exact resume",
        "SIGKILL at a random moment, or inside a write of the process",
        f"the run can be read, and {_SAME}",
        f"{_DEATHS}test_a_hundred_deaths",
        "deaths",
    ),
    Promise(
        "Exact resume",
        "The same, a few in every check",
        f"the run can be read, and {_SAME}",
        f"{_DEATHS}test_a_few_deaths",
        "deaths",
    ),
    Promise(
        "Faults",
        "Disk full while losses, resume point, weights, codes, figures or status are written",
        _TOLD,
        f"{_FAULTS}test_a_full_disk",
    ),
    Promise(
        "Faults",
        "A file that may not grow (the system's own limit)",
        _TOLD,
        f"{_FAULTS}test_a_file_that_may_not_grow",
    ),
    Promise(
        "Faults",
        "Run folder made read-only while training",
        _TOLD,
        f"{_FAULTS}test_a_folder_that_becomes_read_only",
    ),
    Promise(
        "Faults",
        "Run folder taken away while training, and brought back",
        _TOLD,
        f"{_FAULTS}test_a_folder_that_is_taken_away_and_brought_back",
    ),
    Promise(
        "Faults",
        "A write fails, and others wait behind it",
        "nothing is written that counts on what could not be",
        f"{_FAULTS}test_nothing_is_written_that_counts_on_what_was_not",
    ),
    Promise(
        "Faults",
        "A file of the run cut, emptied, deleted, or a folder in its place; each file",
        "the run stays in the list; what is damaged is named; all else can be read, and the run "
        "goes on wherever its resume point is whole",
        f"{_FAULTS}test_a_damaged_file",
    ),
    Promise(
        "Faults",
        "A bit flipped in weights or resume point",
        "the checksum tells; the weights are not used",
        f"{_FAULTS}test_a_flipped_bit",
        "bits",
    ),
    Promise(
        "Faults",
        "Damaged rows of losses",
        "all other rows are read; a run that goes on says which are lost",
        f"{_FAULTS}test_rows_before_and_after_a_damaged_one_are_read",
    ),
    Promise(
        "Faults",
        "Clock set back, files dated in the future",
        "no clock is compared: whoever follows the run is told, and it goes on",
        f"{_FAULTS}test_a_clock_that_is_set_back",
    ),
    Promise(
        "Faults",
        "Two programs train the same run",
        "the second says that the run is being trained by another program; the first goes on",
        f"{_TRAINER}test_one_run_is_trained_by_one_program_at_a_time",
    ),
    Promise(
        "Faults",
        "Two programs name a run at the same moment",
        "each gets a run of its own",
        f"{_FAULTS}test_two_programs_name_a_run_at_the_same_moment",
    ),
    Promise(
        "Faults",
        "Another program takes a run away while the list is read",
        "the others are listed",
        f"{_FAULTS}test_another_program_takes_a_run_away_while_the_list_is_read",
    ),
    Promise(
        "Faults",
        "Data set changed under a run",
        "another checksum is refused; with the right data set the run " + _SAME,
        f"{_FAULTS}test_a_data_set_that_changes_under_a_run",
    ),
    Promise(
        "Faults",
        "Exception in a model",
        f"the status tells it; the run {_SAME}",
        f"{_FAULTS}test_an_exception_in_a_model",
    ),
    Promise(
        "Faults",
        "NaN or infinity in weights",
        "no such checkpoint is kept; the run ends as diverged at its last good one",
        f"{_FAULTS}test_weights_that_are_no_numbers_are_not_kept",
    ),
    Promise(
        "Faults",
        "NaN or infinity in losses",
        "no such row is kept; the run ends as diverged, and says at which step",
        f"{_FAULTS}test_losses_that_are_no_numbers_are_not_kept",
    ),
    Promise(
        "Faults",
        "GPU out of memory, GPU lost (simulated)",
        f"one message with what to do; the run {_SAME}",
        f"{_FAULTS}test_a_device_that_fails",
    ),
    Promise(
        "Undo and questions",
        "A run is deleted",
        "after a question it goes to the system's trash",
        "tests/aeviewer/test_runs_panel.py::TestTrash::"
        "test_a_run_goes_to_the_trash_after_a_question",
    ),
)
