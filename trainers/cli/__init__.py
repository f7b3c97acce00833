"""The commands that need no window."""

from trainers.cli.carrying import export
from trainers.cli.data import datasets, download, import_
from trainers.cli.measuring import evaluate, list_runs
from trainers.cli.options import plainly, runs_option
from trainers.cli.reproduction import reproduce
from trainers.cli.sweep import sweep
from trainers.cli.training import resume, train

COMMANDS = (
    train,
    resume,
    sweep,
    list_runs,
    evaluate,
    reproduce,
    export,
    import_,
    download,
    datasets,
)
"""In the order in which help lists them."""

__all__ = ["COMMANDS", "plainly", "runs_option"]
