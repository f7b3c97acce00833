"""The commands that need no window."""

from trainers.cli.interrupts import interrupt_on_signals
from trainers.cli.options import report_errors, runs_option
from trainers.cli.terminal import usable_output

COMMANDS = {
    "train": "trainers.cli.train_command:train",
    "resume": "trainers.cli.train_command:resume",
    "sweep": "trainers.cli.sweep_command:sweep",
    "runs": "trainers.cli.evaluate_command:list_runs",
    "evaluate": "trainers.cli.evaluate_command:evaluate",
    "reproduce": "trainers.cli.reproduce_command:reproduce",
    "export": "trainers.cli.export_command:export",
    "import": "trainers.cli.datasets_command:import_",
    "download": "trainers.cli.datasets_command:download",
    "datasets": "trainers.cli.datasets_command:datasets",
}
"""The commands by name, in the order of the help; each is imported when it is used."""

__all__ = ["COMMANDS", "interrupt_on_signals", "report_errors", "runs_option", "usable_output"]
