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
_POWER = "tests/reliability/test_power.py::"
_DEATHS = "tests/reliability/test_deaths.py::"
_TRAINER = "tests/trainers/training/test_trainer.py::"
_PARALLEL = "tests/trainers/parallel/test_parallel.py::"
_QUEUE = "tests/aeviewer/training/test_training_queue.py::"

_SAME = "goes on from its resume point; weights, losses and checkpoints equal an unbroken run's"
_TOLD = "one message with the file and what to do; once mended, the run " + _SAME

PROMISES: tuple[Promise, ...] = (
    Promise(
        "Exact resume",
        "Stop, or the generator closed, in the middle",
        f"the run {_SAME}",
        f"{_TRAINER}test_a_stopped_run_ends_as_an_unbroken_one",
    ),
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
        "Exact resume",
        "Power cut before and after some changes of the disk, what was not synchronised gone",
        f"no checkpoint that was told is lost; the run {_SAME}",
        f"{_POWER}test_a_cut_at_some_moments",
        "cuts",
    ),
    Promise(
        "Exact resume",
        "The same at every moment of three trainings: dense, convolutional, in closed form",
        f"no checkpoint that was told is lost; the run {_SAME}",
        f"{_POWER}test_a_cut_at_every_moment",
        "cuts",
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
        "Damaged files in the list of runs",
        "the run is shown as damaged, with all that can be read of it",
        "tests/aeviewer/runs/test_session.py::TestRuns::"
        "test_of_a_damaged_run_all_is_shown_that_can_be_read",
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
        "Worker process killed",
        "its run and the others' go on and end as unbroken ones",
        f"{_PARALLEL}test_a_killed_process_loses_neither_its_run_nor_the_others",
    ),
    Promise(
        "Faults",
        "The parent of worker processes killed",
        "they save and end",
        f"{_PARALLEL}test_workers_save_and_end_when_their_parent_is_killed",
    ),
    Promise(
        "Faults",
        "Exception in a model",
        f"the status tells it; the run {_SAME}",
        f"{_FAULTS}test_an_exception_in_a_model",
    ),
    Promise(
        "Faults",
        "Exception in the compute thread",
        "it is the question's answer; the next is answered",
        f"{_QUEUE}TestQuestions::test_a_failure_is_its_answer_and_harms_nothing",
    ),
    Promise(
        "Faults",
        "Exception in a panel's painting",
        "a window tells it, with a report to be copied; the program goes on",
        "tests/aeviewer/application/test_help_menu.py::"
        "test_an_error_in_a_panels_painting_is_told_and_the_window_goes_on",
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
        "Soak",
        "Five minutes of mouse and keyboard by chance, a screen of 1600 x 1000",
        "no exception, no warning, nothing left when it closes; whatever is asked for comes",
        "tests/reliability/test_soak.py::test_five_minutes_of_random_use_leave_nothing_wrong",
        "acts",
    ),
    Promise(
        "Undo and questions",
        "A run is deleted",
        "after a question it goes to the system's trash",
        "tests/aeviewer/runs/test_runs_panel.py::TestTrash::"
        "test_a_run_goes_to_the_trash_after_a_question",
    ),
    Promise(
        "Undo and questions",
        "A data set is removed",
        "after a question it goes to the system's trash",
        "tests/aeviewer/datasets/test_datasets_menu.py::test_a_data_set_goes_to_the_trash_after_a_question",
    ),
    Promise(
        "Undo and questions",
        "A data set is removed on the command line",
        "it goes to the system's trash, and stays where there is none",
        "tests/trainers/datasets/test_own_data.py::test_without_a_trash_a_data_set_stays",
    ),
    Promise(
        "Undo and questions",
        "A view is deleted",
        "it goes to the system's trash",
        "tests/aeviewer/latent/test_views_menu.py::test_a_deleted_view_goes_to_the_trash",
    ),
    Promise(
        "Undo and questions",
        "A view is saved under a name that is taken",
        "a question; the view that was there goes to the trash",
        "tests/aeviewer/latent/test_views_menu.py::"
        "test_a_view_is_replaced_after_a_question_and_goes_to_the_trash",
    ),
    Promise(
        "Undo and questions",
        "The system has no trash",
        "nothing is deleted; the message says where it lies",
        "tests/aeviewer/runs/test_runs_panel.py::TestTrash::"
        "test_without_a_trash_the_run_stays_and_says_where_it_is",
    ),
    Promise(
        "Undo and questions",
        "Stop",
        "what was learnt is kept",
        f"{_QUEUE}TestOneRun::test_stop_keeps_what_was_learnt",
    ),
    Promise(
        "Undo and questions",
        "The window is closed while it trains",
        "what was learnt is kept, and the run goes on another day",
        f"{_QUEUE}TestBadEnds::test_closing_saves_and_the_run_goes_on_another_day",
    ),
    Promise(
        "Undo and questions",
        "The window is closed while several are trained",
        "all of them are kept",
        "tests/aeviewer/training/test_parallel_training.py::test_closing_saves_all_of_them",
    ),
)
