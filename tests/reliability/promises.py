"""The promises that pytest tests; each is a row of docs/reliability.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.reliability.table import Part


class Promise(NamedTuple):
    """A fault, the program's reaction to it, and the test of the two.

    Attributes
    ----------
    unit
        What the test counts, such as cases or cuts.
    """

    part: Part
    fault: str
    promise: str
    test: str
    unit: str = "cases"


_FAULTS = "tests/reliability/test_faults.py::"
_DISK = "tests/reliability/test_disk_faults.py::"
_FILES = "tests/reliability/test_damaged_files.py::"
_POWER = "tests/reliability/test_power.py::"
_DEATHS = "tests/reliability/test_deaths.py::"
_TRAINER = "tests/trainers/training/test_trainer.py::"
_POOL = "tests/trainers/parallel/test_pool.py::"
_QUEUE = "tests/aeviewer/training/test_training_queue.py::"
_SETTINGS = "tests/aeviewer/application/test_settings.py::"
_HOSTILE = "tests/aeviewer/application/test_hostile_texts.py::"
_NUMBERS = "tests/aeviewer/application/test_numbers.py::"

_RESUMES = (
    "continues from its resume point, and its weights, losses and checkpoints equal those of an "
    "uninterrupted run"
)
_MESSAGE = f"One message names the file and says what to do. After the repair the run {_RESUMES}."

PROMISES: tuple[Promise, ...] = (
    Promise(
        "Exact resume",
        "Training is stopped, or its generator is closed, in the middle",
        f"The run {_RESUMES}.",
        f"{_TRAINER}test_a_stopped_run_ends_like_an_uninterrupted_one",
    ),
    Promise(
        "Exact resume",
        "SIGKILL at a random moment, or while the process writes",
        f"The run can be read, and {_RESUMES}.",
        f"{_DEATHS}test_a_hundred_deaths",
        "deaths",
    ),
    Promise(
        "Exact resume",
        "SIGKILL as above, a few times in every check",
        f"The run can be read, and {_RESUMES}.",
        f"{_DEATHS}test_a_few_deaths",
        "deaths",
    ),
    Promise(
        "Exact resume",
        "Power cut before and after some changes of the disk; data that was not "
        "synchronised is lost",
        f"No reported checkpoint is lost. The run {_RESUMES}.",
        f"{_POWER}test_a_cut_at_some_moments",
        "cuts",
    ),
    Promise(
        "Exact resume",
        "Power cut at every moment of three trainings: dense, convolutional, in closed form",
        f"No reported checkpoint is lost. The run {_RESUMES}.",
        f"{_POWER}test_a_cut_at_every_moment",
        "cuts",
    ),
    Promise(
        "Faults",
        "The disk is full while losses, resume point, weights, codes, evaluation or "
        "status are written",
        _MESSAGE,
        f"{_DISK}test_a_full_disk",
    ),
    Promise(
        "Faults",
        "A file cannot grow (a limit of the system)",
        _MESSAGE,
        f"{_DISK}test_a_file_that_cannot_grow",
    ),
    Promise(
        "Faults",
        "The run folder becomes read-only during training",
        _MESSAGE,
        f"{_DISK}test_a_folder_that_becomes_read_only",
    ),
    Promise(
        "Faults",
        "The run folder is moved away during training, and brought back",
        _MESSAGE,
        f"{_DISK}test_a_folder_that_is_moved_away_and_brought_back",
    ),
    Promise(
        "Faults",
        "A write fails while other writes wait behind it",
        "No later file depends on data that could not be written.",
        f"{_DISK}test_no_resume_point_is_written_after_losses_that_could_not_be",
    ),
    Promise(
        "Faults",
        "A file of the run is cut, emptied, deleted, or replaced by a folder; each file",
        "The run stays in the list, the damaged file is named, and everything else can be read. "
        "The run continues if its resume point is intact.",
        f"{_FILES}test_a_damaged_file",
    ),
    Promise(
        "Faults",
        "A bit is flipped in weights or resume point",
        "The checksum detects it, and the weights are not used.",
        f"{_FILES}test_a_flipped_bit",
        "bits",
    ),
    Promise(
        "Faults",
        "Rows of losses are damaged",
        "All other rows are read. A run that continues says which rows are lost.",
        f"{_FILES}test_all_rows_except_damaged_ones_are_read",
    ),
    Promise(
        "Faults",
        "Damaged files in the list of runs",
        "The run is shown as damaged, with everything that can be read of it.",
        "tests/aeviewer/runs/test_session.py::TestRuns::"
        "test_of_a_damaged_run_all_is_shown_that_can_be_read",
    ),
    Promise(
        "Faults",
        "The clock is set back, or files have dates in the future",
        "No clock is compared: the events of the run are still reported, and the run continues.",
        f"{_FAULTS}test_a_clock_that_is_set_back",
    ),
    Promise(
        "Faults",
        "Two programs train the same run",
        "The second says that another program trains the run. The first continues.",
        f"{_TRAINER}test_one_run_is_trained_by_one_program_at_a_time",
    ),
    Promise(
        "Faults",
        "Two programs name a run at the same moment",
        "Each gets its own run.",
        f"{_FAULTS}test_two_programs_that_name_a_run_at_once_get_two_runs",
    ),
    Promise(
        "Faults",
        "Another program removes a run while the list is read",
        "The other runs are listed.",
        f"{_FAULTS}test_a_run_that_another_program_removes_does_not_break_the_list",
    ),
    Promise(
        "Faults",
        "The data set of a run is changed",
        f"A data set with another checksum is refused. With the right data set the run {_RESUMES}.",
        f"{_FAULTS}test_a_run_refuses_a_data_set_that_has_changed",
    ),
    Promise(
        "Faults",
        "A worker process is killed",
        "Its run and the other runs continue and end as uninterrupted ones.",
        f"{_POOL}test_after_a_worker_is_killed_all_runs_end_as_uninterrupted_ones",
    ),
    Promise(
        "Faults",
        "The parent of worker processes is killed",
        "The workers save their runs and end.",
        f"{_POOL}test_workers_save_and_end_when_their_parent_is_killed",
    ),
    Promise(
        "Faults",
        "An exception in a model",
        f"The status has the error. The run {_RESUMES}.",
        f"{_FAULTS}test_an_exception_in_a_model",
    ),
    Promise(
        "Faults",
        "An exception in the compute thread",
        "It is reported as the result of its request, and the next request is answered.",
        f"{_QUEUE}TestQuestions::test_a_failure_is_its_answer_and_harms_nothing",
    ),
    Promise(
        "Faults",
        "An exception while a panel is painted",
        "A window shows it, with a report to copy. The program continues.",
        "tests/aeviewer/application/test_help_menu.py::"
        "test_an_error_in_a_panels_painting_is_told_and_the_window_goes_on",
    ),
    Promise(
        "Faults",
        "NaN or infinity in weights",
        "No such checkpoint is saved. The run ends as diverged at its last good checkpoint.",
        f"{_FAULTS}test_a_checkpoint_without_finite_weights_is_not_saved",
    ),
    Promise(
        "Faults",
        "NaN or infinity in losses",
        "No such row is saved. The run ends as diverged, and says at which step.",
        f"{_FAULTS}test_losses_that_are_not_finite_are_not_saved",
    ),
    Promise(
        "Faults",
        "A loss that explodes and stays a finite number",
        "No checkpoint of the exploded model is saved. The run ends as diverged at its last good "
        "checkpoint, and says how large the loss was.",
        "tests/trainers/training/test_divergence.py::"
        "test_an_exploded_loss_ends_the_run_at_its_last_good_checkpoint",
    ),
    Promise(
        "Faults",
        "Images of another type, range, shape or order of axes are given to a trained model",
        "They are refused, and the message says what the model reads.",
        "tests/trainers/test_inference.py::test_other_shapes_are_refused_with_the_right_one",
    ),
    Promise(
        "Faults",
        "A figure of an evaluation is not what its name says",
        "Every figure of every preset equals its recomputation from the weights without the "
        "program's code.",
        "tests/trainers/independent/test_recomputation.py::"
        "test_the_test_loss_is_the_objective_with_the_noise_of_the_training",
    ),
    Promise(
        "Faults",
        "An evaluation that version 0.1 wrote is read",
        "Each value is shown under the name of what it is; a figure that it lacks is empty.",
        "tests/trainers/evaluation/test_reconstruction.py::"
        "test_an_older_evaluation_keeps_its_value_under_the_right_name",
    ),
    Promise(
        "Faults",
        "A checkpoint or a setting is chosen by a figure",
        "The figure is of training images that training held out. Without them no checkpoint is "
        "called the best.",
        "tests/trainers/training/test_validation.py::"
        "test_the_best_checkpoint_is_chosen_by_the_validation_images",
    ),
    Promise(
        "Faults",
        "A verdict of the reproduction that three seeds do not decide",
        "The verdict is open, and names the interval.",
        "tests/trainers/reproduction/test_claims.py::"
        "test_the_prior_is_compared_with_the_same_likelihood_without_one",
    ),
    Promise(
        "Faults",
        "GPU out of memory, or GPU lost (simulated)",
        f"One message says what to do. The run {_RESUMES}.",
        f"{_FAULTS}test_a_device_that_fails",
    ),
    Promise(
        "Faults",
        "The display that DISPLAY or WAYLAND_DISPLAY names does not answer, or is none",
        "One message names the variable and says what to do.",
        "tests/end_to_end/test_start.py::test_a_display_that_does_not_answer_is_one_message",
    ),
    Promise(
        "Faults",
        "The language of the system writes numbers from right to left",
        "Every number of a sentence stays in its place.",
        f"{_NUMBERS}test_numbers_stay_in_their_order_in_a_sentence",
    ),
    Promise(
        "Faults",
        "The place of the window is on a screen that is gone, or on none",
        "The window opens where a person can reach it.",
        f"{_SETTINGS}TestScreens::test_a_window_is_where_a_person_can_reach_it",
    ),
    Promise(
        "Hostile files",
        "HTML, text that reverses its neighbours, 10,000 letters or keys of menus in every free "
        "text of a run, a data set and a view",
        "The window shows the text as it is: no image, no link, no heading, no reversed sentence.",
        f"{_HOSTILE}test_no_text_is_rendered_as_html",
    ),
    Promise(
        "Hostile files",
        "The same texts in the name of an archive's entry and in its config",
        "One message shows the text as it is.",
        f"{_HOSTILE}test_an_entry_of_an_archive_is_named_as_it_is",
    ),
    Promise(
        "Hostile files",
        "The same texts, and the size of every window and dock",
        "No window becomes wider than a small screen.",
        f"{_HOSTILE}test_no_text_widens_a_window",
    ),
    Promise(
        "Hostile files",
        "A value of another type or out of bounds under every key of the settings",
        "The default is used, and the log says so once.",
        f"{_SETTINGS}test_a_bad_value_is_its_default_and_said_once",
    ),
    Promise(
        "Hostile files",
        "Bad values under all keys of the settings at once",
        "The window opens.",
        f"{_SETTINGS}test_the_window_opens_with_any_settings",
    ),
    Promise(
        "Hostile files",
        "A pickled object in the settings",
        "Nothing of it is run.",
        f"{_SETTINGS}test_no_stored_value_is_run",
    ),
    Promise(
        "Hostile files",
        "A named pipe, a device or a socket has the name of an image, a run file or an archive",
        "It is refused by its kind, before it is opened and after. "
        "The program does not wait for it.",
        "tests/trainers/storage/test_regular_files.py::test_no_file_of_a_run_is_waited_for",
    ),
    Promise(
        "Hostile files",
        "A metrics.csv of a million rows, sound, damaged by half, or in one line",
        "All sound rows are read, in less than 200 MB.",
        "tests/trainers/runs/test_losses_csv.py::test_a_million_rows_take_little_memory",
    ),
    Promise(
        "Hostile files",
        "Weights or a resume point without a checksum, or with numbers of another kind",
        "They are refused, and the message names the file.",
        "tests/trainers/runs/test_weights.py::test_weights_of_another_kind_are_refused",
    ),
    Promise(
        "Hostile files",
        "Escape sequences, line ends and markup in names of runs, files and settings",
        "They are printed as text, on the line of their name.",
        "tests/trainers/cli/test_terminal.py::test_a_run_s_name_and_its_unknown_keys_are_text",
    ),
    Promise(
        "Hostile files",
        "A class is named like a formula, of a spreadsheet or of matplotlib",
        "Tables and pictures have the name as text.",
        "tests/trainers/test_plain_text.py::test_pictures_and_tables_have_every_class_by_its_name",
    ),
    Promise(
        "Hostile files",
        "A server answers anything: lengths, redirections, no HTTP",
        "One message, and what came is checked. Redirections lead to http and https alone.",
        "tests/trainers/datasets/test_http.py::test_a_redirection_to_anything_else_is_one_message",
    ),
    Promise(
        "Hostile files",
        "The address of a mirror has a name and a password",
        "They go to the mirror alone, and appear in no message.",
        "tests/trainers/datasets/test_http.py::"
        "test_name_and_password_of_a_mirror_are_in_no_message",
    ),
    Promise(
        "Hostile files",
        "Paths that lead to themselves, are too long, or are not UTF-8",
        "One line says what the system reports. No traceback.",
        "tests/trainers/cli/test_terminal.py::test_no_path_ends_in_a_traceback",
    ),
    Promise(
        "Faults",
        "SIGINT, SIGTERM or SIGHUP during train and resume",
        "The run is saved, and the command says how to continue.",
        "tests/trainers/cli/test_interrupts.py::test_training_is_saved",
    ),
    Promise(
        "Faults",
        "SIGINT, SIGTERM or SIGHUP during import, open and download",
        "No draft is left.",
        "tests/trainers/cli/test_interrupts.py::test_no_draft_is_left",
    ),
    Promise(
        "Faults",
        "The program is killed while it writes a draft",
        "The draft is cleared at the next start, with a line in the log. Others stay.",
        "tests/trainers/storage/test_drafts.py::"
        "test_a_draft_stays_while_its_program_lives_and_goes_when_it_is_killed",
    ),
    Promise(
        "Faults",
        "The user's umask is 077, 022 or 002",
        "Runs, exports, archives and data sets have the permissions that it gives.",
        "tests/trainers/storage/test_permissions.py::"
        "test_a_run_its_export_and_its_archive_keep_the_umask",
    ),
    Promise(
        "Faults",
        "The output goes to a full device",
        "One line on the error output, and exit status 1.",
        "tests/trainers/cli/test_terminal.py::test_a_full_device_is_one_line",
    ),
    Promise(
        "Faults",
        "A slow folder does not answer while losses are read",
        "The window lives, and the losses arrive when they are read.",
        "tests/aeviewer/compute/test_curve_loader.py::test_the_window_lives_while_losses_are_read",
    ),
    Promise(
        "Faults",
        "A geodesic is asked for while the straight path is shown",
        "The straight path is dimmed, keeps its own name, and is not saved under the other.",
        "tests/aeviewer/latent/test_path_panel.py::"
        "test_the_straight_path_is_not_shown_as_the_geodesic_that_is_searched",
    ),
    Promise(
        "Faults",
        "A run's folder is moved or deleted while the window lists it",
        "The run is said to be gone and leaves the list; nothing is done with it.",
        "tests/aeviewer/runs/test_missing_runs.py::test_nothing_is_done_with_a_run_that_is_gone",
    ),
    Promise(
        "Faults",
        "Train is pressed twice",
        "The second run with the same settings is asked about.",
        "tests/aeviewer/training/test_experiment_panel.py::test_a_second_equal_run_is_asked_about",
    ),
    Promise(
        "Faults",
        "Images and labels of several splits, in any order, with equal and unequal sizes",
        "Each label belongs to the image of its own split. Validation images are a split of "
        "their own, or joined on request.",
        "tests/trainers/datasets/test_pairing.py::"
        "test_labels_belong_to_the_images_of_their_own_split",
    ),
    Promise(
        "Faults",
        "Single values far out of the range of the images",
        "They do not decide the scale; they are clipped, and their number is named.",
        "tests/trainers/datasets/test_value_range.py::test_one_value_does_not_decide_the_scale",
    ),
    Promise(
        "Faults",
        "Images whose range is far below that of their type: masks, 4 and 12 bits, small fractions",
        "They are stretched to their own range, one for the whole set, and that is said before "
        "the import.",
        "tests/trainers/datasets/test_value_range.py::"
        "test_the_range_of_the_data_is_taken_where_it_is_far_below_that_of_the_type",
    ),
    Promise(
        "Faults",
        "Values of an unknown range",
        "Nothing is imported before the user gives the values of black and white.",
        "tests/trainers/datasets/test_value_range.py::test_an_unknown_range_is_asked_for",
    ),
    Promise(
        "Faults",
        "Folders one level off, splits in other spellings",
        "Wrappers are passed through, splits are splits, and both are named before the import.",
        "tests/trainers/datasets/test_folder_layout.py::test_folders_one_level_off_are_understood",
    ),
    Promise(
        "Faults",
        "Labels that are no classes: several for an image, fractions, objects",
        "The reason is named, and the images are imported without labels.",
        "tests/trainers/datasets/test_labels.py::"
        "test_labels_that_are_no_classes_are_named_and_the_images_imported",
    ),
    Promise(
        "Faults",
        "Images that are all the same",
        "The import says so, the training ends normally, and the explained variance is unknown.",
        "tests/trainers/datasets/test_own_data.py::"
        "test_images_that_are_all_the_same_are_trained_on",
    ),
    Promise(
        "Hostile files",
        "A file of images crashes the compiled code that reads it (MATLAB, HDF5, Parquet)",
        "It is read in a process of its own. One message names the file.",
        "tests/trainers/datasets/test_file_formats.py::"
        "test_a_file_that_crashes_its_reader_is_named",
    ),
    Promise(
        "Hostile files",
        "An HDF5 file whose arrays lie in other files",
        "Other files are not read. The arrays are named and left out.",
        "tests/trainers/datasets/test_file_formats.py::test_hdf5_leads_to_no_other_file",
    ),
    Promise(
        "Hostile files",
        "Named pipes among images, labels and IDX files",
        "They are never opened.",
        "tests/trainers/datasets/test_folder_layout.py::test_a_pipe_is_never_opened",
    ),
    Promise(
        "Hostile files",
        "A .zip of images that unpacks to far more than images would, or whose names lead outside",
        "It is refused before it is unpacked; such names are named and left alone.",
        "tests/trainers/datasets/test_labels.py::test_a_zip_bomb_of_images_is_refused",
    ),
    Promise(
        "Soak",
        "Five minutes of random use by mouse and keyboard, a screen of 1600 x 1000",
        "No exception, no warning, and nothing remains after closing. Every result comes.",
        "tests/reliability/test_soak.py::test_five_minutes_of_random_use_find_no_problem",
        "acts",
    ),
    Promise(
        "Undo and questions",
        "A run is deleted",
        "After a question it is moved to the system's trash.",
        "tests/aeviewer/runs/test_runs_panel.py::TestTrash::"
        "test_a_run_goes_to_the_trash_after_a_question",
    ),
    Promise(
        "Undo and questions",
        "A data set is removed",
        "After a question it is moved to the system's trash.",
        "tests/aeviewer/datasets/test_datasets_menu.py::"
        "test_a_data_set_goes_to_the_trash_after_a_question",
    ),
    Promise(
        "Undo and questions",
        "A data set is removed on the command line",
        "It is moved to the system's trash. On a system without a trash it stays.",
        "tests/trainers/datasets/test_own_data.py::test_without_a_trash_a_data_set_stays",
    ),
    Promise(
        "Undo and questions",
        "A view is deleted",
        "It is moved to the system's trash.",
        "tests/aeviewer/latent/test_views_menu.py::test_a_deleted_view_goes_to_the_trash",
    ),
    Promise(
        "Undo and questions",
        "A view is saved under an existing name",
        "After a question the old view is moved to the trash.",
        "tests/aeviewer/latent/test_views_menu.py::"
        "test_a_view_is_replaced_after_a_question_and_goes_to_the_trash",
    ),
    Promise(
        "Undo and questions",
        "The system has no trash",
        "Nothing is deleted. The message says where the files are.",
        "tests/aeviewer/runs/test_runs_panel.py::TestTrash::"
        "test_without_a_trash_the_run_stays_and_says_where_it_is",
    ),
    Promise(
        "Undo and questions",
        "Stop",
        "The run keeps what it has learnt.",
        f"{_QUEUE}TestOneRun::test_stop_keeps_what_was_learnt",
    ),
    Promise(
        "Undo and questions",
        "The window is closed during a training",
        "The run keeps what it has learnt, and can be continued later.",
        f"{_QUEUE}TestBadEnds::test_closing_saves_and_the_run_goes_on_another_day",
    ),
    Promise(
        "Undo and questions",
        "The window is closed while several runs are trained",
        "All runs keep what they have learnt.",
        "tests/aeviewer/training/test_parallel_training.py::test_closing_saves_all_of_them",
    ),
)
